"""The grounds of the faults, what was tried, and the tables of what came of it."""

import os
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.databases import Copies
from tests.faults import report, tried
from tests.faults.gathered import Gathered
from tests.faults.kills import Ground, Kill, Undisturbed, leave_in_peace
from tests.faults.small import SmallGround
from tests.faults.tried import Tried

GATHERED = pytest.StashKey[Gathered]()
BEGAN = time.monotonic()

Grounds = Callable[[str], tuple[Ground, Undisturbed]]
SmallGrounds = Callable[[str], SmallGround]


LONGEST = (
    "test_prefect.py",
    "test_database_gone.py",
    "test_portal_killed.py",
    "test_mail_server.py",
)
"""Begun first in a whole run, so that no process of the tests is left with one of them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, in a whole run."""
    if os.environ.get("FAULTS_DOCUMENT"):
        places = {name: place for place, name in enumerate(LONGEST)}
        items.sort(key=lambda one: places.get(one.path.name, len(LONGEST)))


def _gathered(config: pytest.Config) -> Gathered:
    return config.stash.setdefault(GATHERED, Gathered())


def _copies(request: pytest.FixtureRequest, store: str) -> Copies:
    copies = request.getfixturevalue("sqlite_copies" if store == "sqlite" else "postgres_copies")
    assert isinstance(copies, Copies)
    if copies.server is not None:
        _gathered(request.config).version = copies.server.version
    return copies


@pytest.fixture(scope="session")
def grounds(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Grounds:
    """The ground of a store and its undisturbed run, made when the first kill on it asks."""

    @cache
    def of(store: str) -> tuple[Ground, Undisturbed]:
        ground = Ground(_copies(request, store), tmp_path_factory.mktemp(f"kills-{store}"))
        peace = leave_in_peace(ground)
        _gathered(request.config).peace |= report.undisturbed({store: peace})
        return ground, peace

    return of


@pytest.fixture(scope="session")
def small_grounds(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> SmallGrounds:
    """The small district of a store, made when the first test on it asks."""

    @cache
    def of(store: str) -> SmallGround:
        return SmallGround(_copies(request, store), tmp_path_factory.mktemp(f"small-{store}"))

    return of


@pytest.fixture
def small_url(store: str, small_grounds: SmallGrounds, tmp_path: Path) -> Iterator[str]:
    """A database of the small district, as a URL; a test that asks runs on each store."""
    with small_grounds(store).one(tmp_path) as url:
        yield url


@pytest.fixture
def kills(pytestconfig: pytest.Config) -> list[Kill]:
    """The kills of this run so far, for the table at its end."""
    return _gathered(pytestconfig).kills


@pytest.fixture
def note(pytestconfig: pytest.Config) -> Callable[[Tried], None]:
    """Takes what was tried into the table at the end."""
    found = _gathered(pytestconfig)
    terminal = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    aloud = bool(os.environ.get("FAULTS_DOCUMENT"))

    def take(one: Tried) -> None:
        found.tried.append(one)
        tried.keep(one)
        if aloud and terminal is not None:  # some tests try for minutes
            minutes = (time.monotonic() - BEGAN) / 60
            terminal.write_line(
                f"{minutes:.1f} min, {found.processes_killed} killed: {one.fault}, "
                f"{tried.NAMES[one.store]}: {one.happened}"
            )

    return take


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take over what one of several processes of the tests has gathered."""
    packed = getattr(node, "workeroutput", {}).get("faults")
    if packed is not None:
        _gathered(node.config).take(packed)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand over what was gathered, where this is one of several processes."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["faults"] = _gathered(session.config).packed()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the tables, so that a kill that hit nothing is seen.

    With FAULTS_DOCUMENT set (``make faults``) they go into ``docs/reliability.md`` as well.
    """
    found = _gathered(config)
    for line in found.tables():
        terminalreporter.write_line(line)
    document = os.environ.get("FAULTS_DOCUMENT")
    if document and found.tried:
        found.write(
            Path(document),
            seconds=time.monotonic() - BEGAN,
            processes=config.getoption("numprocesses", None) or 1,
            failed=sum(len(terminalreporter.stats.get(how, [])) for how in ("failed", "error")),
        )
