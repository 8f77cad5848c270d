"""Shared fixtures: one local cloud for all suites, and short names for its parts."""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Iterator

import pytest
from google.cloud import firestore, storage
from hypothesis import HealthCheck, settings
from test_utils.prefixer import Prefixer

from infra.local import ports
from infra.local.stack import PORT_NAMES, Stack, running
from infra.local.users import Account, Users
from tests.jobs import empty
from tests.order import Measure, Order
from tests.users import EndingUsers

settings.register_profile(
    "suite",
    deadline=None,
    derandomize=True,  # always the same examples, so that a failing test fails for everybody
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.register_profile("quick", settings.get_profile("suite"), max_examples=10)
settings.load_profile("suite")

PASSWORD = "test-password"
SUMMARY = "summary"
"""The property of a test that is printed at the end."""
_STACK = pytest.StashKey[Stack]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--measure", action="store_true", help="write how long each file takes to durations.json")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Order())
    if config.getoption("--measure") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Measure())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tests may leave a line for the end of the output, from whatever process they run in."""
    for reports in list(terminalreporter.stats.values()):
        for report in reports:
            # A test that passed has further reports, of its set-up and its end.
            for name, line in report.user_properties if getattr(report, "when", "") == "call" else ():
                if name == SUMMARY:
                    terminalreporter.write_line(str(line))


def pytest_itemcollected(item: pytest.Item) -> None:
    if isinstance(item, pytest.Function) and "stack" in item.fixturenames:
        item.add_marker("stack")


def pytest_collection_finish() -> None:
    """Spare the garbage collector what has been imported: it took a seventh of the tests' time."""
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
    """Empty the stack's Firestore after each file: a query costs its emulator more with everybody's every job."""
    yield
    stack = item.config.stash.get(_STACK, None)
    if stack is not None and nextitem is not None and nextitem.path != item.path:
        empty(stack.environment["FIRESTORE_EMULATOR_HOST"], stack.settings.project)


@pytest.fixture(scope="session")
def log_lines() -> list[str]:
    """Everything that the stack's processes have printed."""
    return []


@pytest.fixture(scope="session")
def stack(log_lines: list[str], pytestconfig: pytest.Config) -> Iterator[Stack]:
    """The local cloud as `make dev` runs it, on free ports.

    Only the tests of posters make posters: all the videos that tests upload would keep the machine busy. The
    functions here have long time limits, for busy machines. Tests of the product's time limits start their own.
    """
    starting = running(
        ports.any_free(PORT_NAMES),
        output=log_lines.append,
        progress=log_lines.append,
        without=("make_posters",),
        patience=3,
    )
    with starting as local:
        pytestconfig.stash[_STACK] = local
        yield local
        for name in filter(local.processes.has, local.functions):
            local.processes.kill(name)  # the polite end takes longer, and no test is about that of this stack


@pytest.fixture(scope="session")
def database(stack: Stack) -> firestore.Client:
    return firestore.Client(project=stack.settings.project)


@pytest.fixture(scope="session")
def buckets(stack: Stack) -> storage.Client:
    return storage.Client(project=stack.settings.project)


@pytest.fixture(scope="session")
def users(stack: Stack) -> EndingUsers:
    return EndingUsers(stack.auth_url, stack.settings.project)


@pytest.fixture
def new_account(users: Users) -> Callable[[], Account]:
    """Creates users that no other test knows."""
    prefixer = Prefixer("nuumee", "tests", separator="-")

    def make() -> Account:
        user_id = prefixer.create_prefix()
        return users.add(user_id, f"{user_id}@nuumee.test", PASSWORD)

    return make


@pytest.fixture
def account(new_account: Callable[[], Account]) -> Account:
    return new_account()
