from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.infra.deploy.checkout import Checkout, Line, make


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return make(tmp_path)


@pytest.fixture
def whole_checkout(tmp_path: Path) -> Checkout:
    """A checkout whose deploy.sh runs."""
    return make(tmp_path, whole=True)


@pytest.fixture
def released(checkout: Checkout) -> Checkout:
    """A project with one release, and a changed source."""
    checkout.must()
    checkout.change_source()
    return checkout


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> list[Line]:
    """The commands that a dry run prints. It runs only once, because it takes a second."""
    return make(tmp_path_factory.mktemp("deploy")).commands()
