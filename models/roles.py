"""PostgreSQL's roles: one owns the tables and migrates, another works and cannot change history.

What the triggers refuse, the owner of a table can switch off; so portal, flows and command line
work under a role that owns nothing (rule 38). ``tiendo database roles`` prints this SQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

ADDED_TO: Final = ("event", "log_leaf", "log_subtree", "checkpoint", "verification")
"""Tables that the working role reads and adds to, and nothing else."""
TAKEN_FROM: Final = ("log_pending",)
"""Tables whose rows it also takes away, as far as their triggers let it."""
READ_ONLY: Final = ("alembic_version",)
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class BadRoleName(ValueError):
    """A name that is no plain name of a role."""


def roles_sql(worker: str, owner: str | None = None) -> str:
    """The SQL that sets up ``worker``; with ``owner``, everything that exists passes to it first.

    For a database administrator, inside the database in question; harmless to run again, and to be
    run again after each upgrade, for new tables may be history as well.

    Raises:
        BadRoleName: a name has other signs than small letters, digits and underscores.
    """
    for name in (worker, *([owner] if owner else [])):
        if not _NAME.fullmatch(name):
            raise BadRoleName(name)
    return "".join(f"{line}\n" for line in _lines(worker, owner))


def _lines(worker: str, owner: str | None) -> Iterator[str]:
    yield "BEGIN;"
    for name in (worker, *([owner] if owner else [])):
        yield (
            f"DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{name}') THEN "  # noqa: S608 - checked names
            f"CREATE ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE; END IF; END $$;"
        )
    if owner:
        yield f"REASSIGN OWNED BY {worker} TO {owner};"
        yield f"GRANT USAGE, CREATE ON SCHEMA public TO {owner};"
    yield "REVOKE CREATE ON SCHEMA public FROM PUBLIC;"
    yield f"REVOKE ALL ON SCHEMA public FROM {worker};"
    yield f"GRANT USAGE ON SCHEMA public TO {worker};"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {worker};"
    yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {worker};"
    yield f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {worker};"
    yield f"REVOKE UPDATE, DELETE ON {', '.join(ADDED_TO)} FROM {worker};"
    yield f"REVOKE UPDATE ON {', '.join(TAKEN_FROM)} FROM {worker};"
    yield f"REVOKE INSERT, UPDATE, DELETE ON {', '.join(READ_ONLY)} FROM {worker};"
    whose = f" FOR ROLE {owner}" if owner else ""
    yield (
        f"ALTER DEFAULT PRIVILEGES{whose} IN SCHEMA public "
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {worker};"
    )
    yield (
        f"ALTER DEFAULT PRIVILEGES{whose} IN SCHEMA public "
        f"GRANT USAGE, SELECT ON SEQUENCES TO {worker};"
    )
    yield "COMMIT;"
