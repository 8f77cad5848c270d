"""Changing a job's document on the condition that nobody else has since it was read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.api_core.exceptions import Aborted, FailedPrecondition
from google.cloud import firestore

from shared.errors import Contended
from shared.jobs.documents import fields
from shared.outages import firestore_limits, outages

Document = dict[str, Any]
Write = Callable[[Any, Document], Document]
"""Writes what follows from a snapshot and its fields, on that condition; gives the changes, which may be none."""

_MOST_TRIES = 8
BUSY = "Others are changing the job at the moment."


def amend(reference: firestore.DocumentReference, write: Write) -> Document:
    """The document with the changes of `write`. Costs a read a try, and what `write` does.

    Whoever wrote the job since it was read goes first: a progress report, or another function. A write whose
    answer was lost is found by reading again, if `write` then sees that there is nothing left to change. Raises
    Unavailable when Firestore is away, and Contended if others never stop writing.
    """
    for _ in range(_MOST_TRIES):
        snapshot = read(reference)
        document = fields(snapshot)
        try:
            return {**document, **write(snapshot, document)}
        except (FailedPrecondition, Aborted):
            continue
    raise Contended(BUSY)


def read(reference: firestore.DocumentReference) -> Any:
    """A snapshot. Costs one read; raises Unavailable when Firestore is away."""
    with outages("Firestore"):
        return reference.get(**firestore_limits())


def update_unless_changed(client: firestore.Client, snapshot: Any, changes: Document) -> None:
    """Raise FailedPrecondition or Aborted if the document was written since the snapshot."""
    unchanged = client.write_option(last_update_time=snapshot.update_time)
    with outages("Firestore"):
        snapshot.reference.update(changes, option=unchanged, **firestore_limits())
