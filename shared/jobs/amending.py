"""Changes a job's document only if nobody else has changed it since it was read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.api_core.exceptions import Aborted, FailedPrecondition, InvalidArgument
from google.cloud import firestore

from shared.errors import Contended, JobFull
from shared.jobs.documents import fields
from shared.outages import firestore_limits, outages

Document = dict[str, Any]
Write = Callable[[Any, Document], Document]
"""Takes a snapshot and its fields, makes the conditional write, and returns the changes, possibly none."""

_MOST_TRIES = 8
BUSY = "Others are changing the job at the moment."
MARKED = "The job is being deleted or restored at the moment."


def amend(reference: firestore.DocumentReference, write: Write) -> Document:
    """Apply `write` and return the changed document. Each try costs one read, plus whatever `write` does.

    If someone else wrote the job since it was read, such as a progress report or another function, try again. The
    next read also detects a write whose answer was lost, provided that `write` then finds nothing to change.
    Raises Unavailable when Firestore is away, Contended if others keep writing, and JobFull if there is no
    room for the changes.
    """
    for _ in range(_MOST_TRIES):
        snapshot = read(reference)
        document = fields(snapshot)
        try:
            return {**document, **write(snapshot, document)}
        except (FailedPrecondition, Aborted):
            continue
        except InvalidArgument as error:
            raise JobFull from error
    raise Contended(BUSY)


def read(reference: firestore.DocumentReference) -> Any:
    """Read a snapshot. Costs one read; raises Unavailable when Firestore is away."""
    with outages("Firestore"):
        return reference.get(**firestore_limits())


def update_unless_changed(client: firestore.Client, snapshot: Any, changes: Document) -> None:
    """Write the changes, if there are any. Raises FailedPrecondition or Aborted if the document changed since the
    snapshot.
    """
    if not changes:
        return
    unchanged = client.write_option(last_update_time=snapshot.update_time)
    with outages("Firestore"):
        snapshot.reference.update(changes, option=unchanged, **firestore_limits())
