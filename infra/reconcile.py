"""`python -m infra.reconcile`: compares the buckets with Firestore and reports differences.

Only reads, unless told to repair. An interrupted run resumes where it stopped.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tqdm import tqdm

from infra.reconciliation import Checkpoint, Finding, Kind, Reconciliation
from infra.tool import ended_in_words, printable, services
from shared.services import Services
from shared.settings import Settings

_CHECKPOINT = Path(".local") / "reconcile.json"


def main() -> None:
    options = _parser().parse_args()
    with ended_in_words("reconcile", lambda: "Run it again, and it goes on where it was."):
        found = services()
        checkpoint = Checkpoint.load(options.checkpoint, _about(found.settings, options))
        left = _run(found, checkpoint, options)
    options.checkpoint.unlink(missing_ok=True)
    sys.exit(1 if left else 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.reconcile", description=__doc__)
    parser.add_argument(
        "--repair",
        action="store_true",
        help="open the purges again that should have removed what is found, put lost marks again, remove erased "
        "texts again, and take over records of older code; objects of no job are left to you",
    )
    parser.add_argument(
        "--grace-hours",
        type=float,
        default=24,
        metavar="HOURS",
        help="how long an upload may be without its job, and a purge be pending (default: %(default)s)",
    )
    parser.add_argument(
        "--checkpoint",
        type=Path,
        default=_CHECKPOINT,
        metavar="FILE",
        help="what a broken-off run goes on from; remove it to begin anew (default: %(default)s)",
    )
    return parser


def _about(settings: Settings, options: argparse.Namespace) -> str:
    repair = " --repair" if options.repair else ""
    return f"{settings.project}: {', '.join(settings.buckets)} --grace-hours={options.grace_hours:g}{repair}"


def _run(services: Services, checkpoint: Checkpoint, options: argparse.Namespace) -> int:
    """Print one line per finding, then the totals. Returns how many findings need attention."""
    settings = services.settings
    reconciliation = Reconciliation(
        services.objects,
        services.deletions,
        services.ledger,
        settings.buckets,
        now=datetime.now(UTC),
        grace=timedelta(hours=options.grace_hours),
        repair=options.repair,
    )
    for finding in _findings(reconciliation, checkpoint, options.checkpoint):
        checkpoint.left += finding.stuck or finding.kind in {Kind.LEFT, Kind.RESTORING, Kind.MARKED_AGAIN}
        # Unlike print, this does not garble the progress bar.
        tqdm.write(line(finding), file=sys.stdout)
    for bucket in settings.buckets:
        counted = checkpoint.counted.get(bucket, {})
        numbers = ", ".join(f"{kind} {objects} ({size} bytes)" for kind, (objects, size) in counted.items())
        print(f"reconcile: {bucket}: {numbers or 'empty'}")
    done = "; the purges of deleted jobs among them are open again" if options.repair else ""
    print(f"reconcile: {checkpoint.findings} disagreement(s){done}")
    unknown = sum(Kind.UNKNOWN in kinds for kinds in checkpoint.counted.values())
    return unknown + checkpoint.left if options.repair else checkpoint.findings


def _findings(reconciliation: Reconciliation, checkpoint: Checkpoint, file: Path) -> Iterator[Finding]:
    # The total is unknown until the listing ends.
    with closing(tqdm(unit=" objects", disable=None)) as bar:
        bar.update(_objects(checkpoint))
        for findings in reconciliation.objects(checkpoint):
            yield from findings
            checkpoint.save(file)
            bar.update(_objects(checkpoint) - bar.n)
        for finding in reconciliation.deletions():
            checkpoint.findings += 1
            yield finding


def _objects(checkpoint: Checkpoint) -> int:
    return sum(objects for kinds in checkpoint.counted.values() for objects, _ in kinds.values())


def line(finding: Finding) -> str:
    """What the operator sees of it, with tabs between the columns."""
    stuck = "\tits purge cannot be opened again: Firestore refuses to write it" if finding.stuck else ""
    if finding.bucket is None:
        return f"{finding.kind}\t{printable(finding.prefix)}\t{_MEANINGS[finding.kind]}{stuck}"
    numbers = f"{finding.objects} objects\t{finding.bytes} bytes"
    return f"{finding.kind}\t{finding.bucket}/{printable(finding.prefix)}\t{numbers}{stuck}"


_MEANINGS = {
    Kind.OVERDUE: "the purge is pending for too long",
    Kind.LEFT: "a deleted job names this object, and no live job needs it: look at it",
    Kind.STALE_MARK: "the job was restored, but its document still has its mark",
    Kind.MARKED_AGAIN: "the job was restored, and other code has marked it since: delete it, or remove the mark",
    Kind.RESTORING: "the job's restore was requested long ago and is not done",
    Kind.LOST_MARK: "the job is deleted, but its document has lost its mark",
    Kind.ERASED_TEXTS: "the job's texts were erased, and a stale copy of its document has brought them back",
    Kind.OLD_FORM: "the document still holds the record of its purge",
}


if __name__ == "__main__":
    main()
