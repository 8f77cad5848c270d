"""`python -m infra.announce`: announces media already in the buckets to the functions, as if they were new.

For media uploaded before the functions were deployed: outputs complete their jobs, which get share links, and
tiles get their pictures. Announcing twice changes nothing. Only counts, unless told to send.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

from tqdm import tqdm

from infra.tool import Misused, ended_in_words, services, shell_word
from shared.errors import Unavailable
from shared.messaging.events import ObjectFinalized
from shared.outages import outages
from shared.services import Services
from shared.storage.limits import removing

_MOST_A_SECOND = 10.0
_HIGHEST_RATE = 1000
_LISTED = "items(name,generation,size,contentType),nextPageToken"


def main() -> None:
    options = _parser().parse_args()
    progress = _Progress(options.start)
    with ended_in_words("announce", lambda: f"To go on: --start={shell_word(progress.at)}"):
        _announce(services(), progress, options)
    told = "told of" if options.send else "to tell of, with --send"
    print(f"announce: {progress.count} images and videos {told}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.announce", description=__doc__)
    parser.add_argument("--send", action="store_true", help="publish the events; else they are only counted")
    parser.add_argument(
        "--per-second",
        type=_rate,
        default=_MOST_A_SECOND,
        metavar="N",
        help="how many, since each may take a second of a function (default: %(default)s)",
    )
    parser.add_argument(
        "--start", default="", metavar="BUCKET/NAME", help="where to begin, which a run that was broken off tells"
    )
    return parser


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 < rate <= _HIGHEST_RATE:
        raise ValueError
    return rate


class _Progress:
    def __init__(self, at: str) -> None:
        self.at = at
        """Bucket and name of the next object."""
        self.count = 0


def _announce(services: Services, progress: _Progress, options: argparse.Namespace) -> None:
    for event in tqdm(_media(services, options.start), unit=" objects", disable=None):
        progress.at = f"{event.bucket}/{event.name}"
        if options.send:
            if not services.upload_publisher.publish_all([event]):
                raise Unavailable("Pub/Sub")
            time.sleep(1 / options.per_second)
        progress.count += 1


def _media(services: Services, start: str) -> Iterator[ObjectFinalized]:
    """Every live object named like a job's medium, by bucket and name."""
    first, _, name = start.partition("/")
    buckets = services.settings.buckets
    if start and first not in buckets:
        raise Misused(f"--start begins with none of the buckets {', '.join(buckets)}")
    for bucket in buckets[buckets.index(first) if start else 0 :]:
        with outages("Cloud Storage"):
            blobs = services.storage.list_blobs(
                bucket, start_offset=name if bucket == first else None, fields=_LISTED, **removing()
            )
            for blob in blobs:
                event = ObjectFinalized(
                    bucket, blob.name, blob.generation, blob.size or 0, blob.content_type or ""
                )
                if event.medium(services.settings.bucket_names) is not None:
                    yield event


if __name__ == "__main__":
    main()
