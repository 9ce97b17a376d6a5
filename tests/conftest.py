"""Fixtures that every test may ask for."""

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from jinja2 import Environment

from runtime.logs import set_levels
from tests import databases
from tests.compiled import Statements, Templates
from tests.heard import heard, secrets_in

# Set before anything imports Prefect: no test reports to anybody or reads this user's settings.
os.environ["DO_NOT_TRACK"] = "1"
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
_prefect_home = tempfile.TemporaryDirectory(prefix="tiendo-prefect-", ignore_cleanup_errors=True)
os.environ["PREFECT_HOME"] = _prefect_home.name


@pytest.fixture(scope="session", autouse=True)
def nothing_secret_is_logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what portals, commands and flows log, in this process and in those that it starts.

    At the end of the run none of it may hold a secret of the tests or the text of a letter.
    """
    with heard(tmp_path_factory.mktemp("heard") / "suite.log") as file:
        yield
    files = [file, *tmp_path_factory.getbasetemp().rglob("*.log*")]
    found = [line for one in files for line in secrets_in(one.read_text("utf-8", "replace"))]
    assert not found, "\n".join(found[:20])


@pytest.fixture(autouse=True)
def _everything_is_heard() -> None:
    """A command line within an earlier test may have set another level."""
    set_levels("info")


POSTGRES_VERSION = pytest.StashKey[str]()


@pytest.fixture(autouse=True, scope="session")
def templates_compiled_once() -> Iterator[None]:
    """A portal compiles its templates at first use; here hundreds of portals follow each other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "portal.rendering.Environment", partial(Environment, bytecode_cache=Templates())
        )
        yield


@pytest.fixture(autouse=True, scope="session")
def statements_compiled_once() -> Iterator[None]:
    """An engine compiles its statements at first use; here thousands of engines follow each other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.engine.create_engine", Statements().create_engine)
        yield


@pytest.fixture(autouse=True, scope="session")
def quick_passwords() -> Iterator[None]:
    """Hashes of passwords are slow on purpose; here nobody's password is worth it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("operations.accounts._HASHER", PasswordHasher(1, 8, 1))
        yield


@pytest.fixture(scope="session")
def postgres_server(pytestconfig: pytest.Config) -> Iterator[databases.PostgresServer]:
    """The one PostgreSQL of this run, started when the first test asks and stopped at the end."""
    with databases.postgres_server() as server:
        pytestconfig.stash[POSTGRES_VERSION] = server.version
        yield server


@pytest.fixture(scope="session")
def postgres_copies(postgres_server: databases.PostgresServer) -> databases.Copies:
    """PostgreSQL databases for tests, copied from one that was migrated once."""
    return databases.postgres_copies(postgres_server)


@pytest.fixture(scope="session")
def sqlite_copies(tmp_path_factory: pytest.TempPathFactory) -> databases.Copies:
    """SQLite databases for tests, copied from one that was migrated once."""
    return databases.sqlite_copies(tmp_path_factory.mktemp("sqlite-template"))


@pytest.fixture(params=databases.STORES)
def store(request: pytest.FixtureRequest) -> str:
    """Which kind of database this test runs on; a test that asks for one runs on each."""
    name = str(request.param)
    request.node.user_properties.append(("store", name))
    return name


@pytest.fixture
def copies(store: str, request: pytest.FixtureRequest) -> databases.Copies:
    """The databases of this test's kind; PostgreSQL starts only when a test needs it."""
    found = request.getfixturevalue("sqlite_copies" if store == "sqlite" else "postgres_copies")
    assert isinstance(found, databases.Copies)
    return found


@pytest.fixture
def database_url(copies: databases.Copies, tmp_path: Path) -> Iterator[str]:
    """A fresh database with the newest schema and no rows, as an SQLAlchemy URL."""
    with copies.one(tmp_path, migrated=True) as url:
        yield url


@pytest.fixture
def bare_database_url(copies: databases.Copies, tmp_path: Path) -> Iterator[str]:
    """A fresh database without any schema, for tests of the migrations themselves."""
    with copies.one(tmp_path, migrated=False) as url:
        yield url


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say how many tests ran on each database, so that a silent half would be seen."""
    ran = Counter(
        value
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        for name, value in getattr(report, "user_properties", [])
        if name == "store"
    )
    if not ran:
        return
    labels = {
        "sqlite": "SQLite",
        # With several processes the version is known to those that started a server.
        "postgresql": f"PostgreSQL {config.stash.get(POSTGRES_VERSION, '')}".strip(),
    }
    told = ", ".join(f"{ran[store]} on {labels[store]}" for store in databases.STORES)
    terminalreporter.write_line(f"Database tests: {told}")
