"""Cloud Scheduler for the local cloud: publishes a message to the sweeps' topic at a fixed interval."""

from __future__ import annotations

import argparse
import time

from google.api_core.exceptions import GoogleAPIError
from google.cloud import pubsub_v1

_EVERY = 60
"""Seconds, the same as the schedule in infra/cloud/watching.py."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--topic", required=True, help="projects/P/topics/T, at PUBSUB_EMULATOR_HOST")
    options = parser.parse_args()
    publisher = pubsub_v1.PublisherClient()
    while True:
        time.sleep(_EVERY)
        try:
            publisher.publish(options.topic, b"{}").result(timeout=_EVERY)
        except (GoogleAPIError, TimeoutError) as error:
            # As with the real one, a missed message is not published later.
            print(f"no message this time: {type(error).__name__}", flush=True)


if __name__ == "__main__":
    main()
