"""The trash: how little memory its lists take."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, cast

from google.cloud import firestore

from shared.deletion.ledger import Ledger
from shared.deletion.trash import Trash
from shared.jobs.pagination import ListQuery
from shared.storage.retention import Retention
from tests.fake_firestore import LONGEST_RUN, SWEEP_AFTER
from tests.firestore_channel import Channel
from tests.jobs import NOW

MEGABYTE = 1_000_000


class Deleted(Ledger):
    """A hundred deleted jobs, each with a document of a megabyte, which is made when it is read."""

    def __init__(self) -> None:
        client: Any = Channel({}).client
        client.get_all = self._documents
        super().__init__(cast(firestore.Client, client))

    def restorable(self, user_id: str, *_: Any) -> list[tuple[str, dict[str, Any]]]:
        entry = {"user_id": user_id, "requested_at": NOW, "requested_by": user_id, "state": "pending"}
        return [(f"job-{number}", entry) for number in range(100)]

    def count_restorable(self, user_id: str, later_than: datetime) -> int:
        return 100

    def spared(self, *_: Any) -> list[tuple[str, dict[str, Any]]]:
        return []

    def _documents(self, references: list[Any], only: Any, **_: Any) -> Iterator[Any]:
        for number, one in enumerate(references):
            fields = {"user_id": "ann", "extension_prompt": chr(ord("a") + number % 26) * MEGABYTE}
            yield firestore.DocumentSnapshot(one, fields, True, None, None, None)


def test_long_texts_are_cut_as_they_come_so_that_a_hundred_of_a_megabyte_take_the_room_of_a_few() -> None:
    trash = Trash(Deleted(), SWEEP_AFTER, LONGEST_RUN)
    query = ListQuery(user_id="ann", deleted=True, page_size=100)
    tracemalloc.start()
    try:
        page = trash.page(query, Retention(timedelta(days=7), NOW - timedelta(days=70)), NOW)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [len(one.job.extension_prompt or "") for one in page.jobs] == [2_000] * 100
    assert most < 8 * MEGABYTE
