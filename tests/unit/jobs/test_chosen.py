"""A list of jobs that the client names: how little memory it takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from weakref import WeakSet

import pytest

from shared.jobs.pagination import ListQuery
from shared.jobs.reading import BatchGetDocumentsResponse, Document
from shared.jobs.repository import JobRepository
from tests.firestore_channel import Channel

IDS = tuple(f"job-{number}" for number in range(100))


def test_long_texts_are_cut_as_they_come_so_that_a_hundred_documents_take_the_room_of_a_few(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a message takes is not Python's memory, so the documents that are kept are counted."""
    kept: WeakSet[Document] = WeakSet()
    most = 0

    class Noted(Document):
        __slots__ = ("__weakref__",)

        def __init__(self, message: Any) -> None:
            super().__init__(message)
            kept.add(self)

    def found(request: Any) -> Iterator[Any]:
        nonlocal most
        for name in request.documents:
            response = BatchGetDocumentsResponse()
            response.found.name = name
            response.found.fields["user_id"].string_value = "ann"
            response.found.fields["error_message"].string_value = "x" * 10_000
            yield response
            most = max(most, len(kept))

    monkeypatch.setattr("shared.jobs.reading.Document", Noted)
    page = JobRepository(Channel({"BatchGetDocuments": found}).client).page(ListQuery(user_id="ann", ids=IDS))
    assert [len(job.error_message or "") for job in page.jobs] == [2_000] * 100
    assert 1 <= most <= 2
