"""Having the files of a page examined before the page is drawn: signatures, pictures of papers."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy.exc import IntegrityError, OperationalError

from operations.file_checks import basis_of, files_of, look_into, store_checks, unchecked
from portal.portal import Portal
from runtime.logs import logger


def examine_work(portal: Portal, assignments: Iterable[int]) -> None:
    """Examine what was filed for some work and nobody looked into yet."""
    with portal.runtime.database.read() as session:
        files = files_of(session, assignments)
    examine(portal, files)


def examine(portal: Portal, files: Collection[str]) -> None:
    """Examine some files; a page never fails because of it."""
    if not files:
        return
    runtime = portal.runtime
    roots = runtime.settings.signature_roots
    basis = basis_of(roots)
    with runtime.database.read() as session:
        wanted = unchecked(session, files, basis)
    if not wanted:
        return
    found = look_into(wanted, runtime.uploads, roots)
    try:
        with runtime.database.write() as session:
            store_checks(session, runtime.clock.now(), basis, found)
    except (IntegrityError, OperationalError) as error:
        # Somebody else looked at the same moment, or wrote for long: the next look finds it.
        logger(__name__).info("files were not noted as examined", why=type(error).__name__)
