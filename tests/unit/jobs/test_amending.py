"""Changing a document that others never stop writing."""

from __future__ import annotations

from typing import Any, cast

import pytest
from google.api_core.exceptions import Aborted, FailedPrecondition
from google.cloud import firestore

from shared.errors import Contended, Unavailable
from shared.jobs.amending import amend


class Busy:
    """A document that exists and can always be read."""

    reads = 0

    def get(self, **_: object) -> Busy:
        self.reads += 1
        return self

    def to_dict(self) -> dict[str, Any]:
        return {"status": "processing"}


@pytest.mark.parametrize("error", [FailedPrecondition, Aborted])
def test_a_job_that_others_never_stop_writing_is_not_called_unreachable(error: type[Exception]) -> None:
    document = Busy()

    def write(snapshot: Any, fields: dict[str, Any]) -> dict[str, Any]:
        raise error("written meanwhile")

    with pytest.raises(Contended) as caught:
        amend(cast(firestore.DocumentReference, document), write)
    assert caught.value.detail == "Others are changing the job at the moment. Please try again shortly."
    assert (caught.value.status, caught.value.kind) == (503, "unavailable")
    assert int(caught.value.headers["Retry-After"]) > 0
    assert isinstance(caught.value, Unavailable), "an event comes back"
    assert document.reads == 8
