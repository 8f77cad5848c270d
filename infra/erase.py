"""`python -m infra.erase UID`: deletes all jobs of a user, as `DELETE /jobs` does, and shows the progress.

Only counts them, unless told to erase. An erasure that has begun goes on without this tool.
"""

from __future__ import annotations

import argparse
import time

from tqdm import tqdm

from infra.tool import ended_in_words, services
from shared.deletion.erasures import ErasureState
from shared.jobs.pagination import ListQuery
from shared.messaging.events import JobsErased
from shared.services import Services

OPERATOR = "operator"
"""Who asked, in the records."""
_GOES_ON = "An erasure that was asked for goes on without this tool."
_PAUSE = 2.0
"""Seconds between two looks at the progress."""


def main() -> None:
    options = _parser().parse_args()
    with ended_in_words("erase", lambda: _GOES_ON):
        run(services(), options.user_id, erase=options.erase)


def run(services: Services, user_id: str, *, erase: bool, pause: float = _PAUSE) -> None:
    """Count the user's live jobs and, if told to `erase`, ask for their deletion and wait for its end.

    Raises Unavailable if Firestore is away.
    """
    now = services.now()
    jobs = services.repository.count(ListQuery(user_id=user_id))
    if not erase:
        print(f"erase: the user has {jobs} live job(s); with --erase they and all texts would go")
        return
    last = services.erasures.latest(user_id)
    erasure = services.erasures.request(user_id, jobs, last, by=OPERATOR, now=now)
    print(f"erase: erasure {erasure.id} of {jobs} live job(s)")
    if not services.erasure_publisher.publish_all([JobsErased(erasure.id, user_id)]):
        print("erase: Pub/Sub did not take the request; a sweep asks for it within some five minutes")
    with tqdm(total=jobs, unit=" jobs", disable=None) as bar:
        while erasure.state is not ErasureState.DONE:
            time.sleep(pause)
            erasure = services.erasures.of(erasure.id) or erasure
            bar.update(erasure.deleted - bar.n)
    print(f"erase: {erasure.deleted} job(s) deleted; their files go as after any delete")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.erase", description=__doc__)
    parser.add_argument("user_id", metavar="UID", help="the user's id in Firebase Auth")
    parser.add_argument("--erase", action="store_true", help="delete the jobs")
    return parser


if __name__ == "__main__":
    main()
