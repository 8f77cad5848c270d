from __future__ import annotations

from shared.deletion.ledger import Ledger
from tests.firestore_channel import Channel


def test_nothing_is_asked_about_no_jobs() -> None:
    ledger = Ledger(Channel({}).client)  # fails at any call
    assert list(ledger.documents([], ("status",))) == []
    assert ledger.read([]) == {}
