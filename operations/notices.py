"""Things said once: an opening, a request, a confirmation, a moved date (rule 27).

A notice is written by whoever does the thing, in the same transaction. It becomes a line of the
next Monday digest, or, at once, a letter of its own (``operations.reminding``).

What a payload holds, by kind:

========================  ====================================================================
``returned``              ``reason``, ``respond_by`` (date)
``extension_decided``     ``granted`` (bool), ``asked_for``, ``previous_due_on`` (dates),
                          ``reason``; ``document`` where there is one
``receipt``               ``submission_id``
``date_changed``          ``previous_due_on`` (date); ``document`` and ``reason`` where there are
``finding…``              ``finding`` (its number); ``note`` and ``rung`` where there are
the others                ``note`` where there is one; ``obstacle`` (its number) where it is
                          about no assignment
========================  ====================================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.bulk import allocate_ids, insert_rows
from models.tables import Assignment, Base, Notice
from operations.stamp import Stamp
from rules.digest import AT_ONCE, FINDING_KINDS, NoticeKind
from rules.events import canonical_json
from rules.values import Audience, TrackingMode

NEEDED: Mapping[NoticeKind, frozenset[str]] = {
    NoticeKind.RETURNED: frozenset({"reason", "respond_by"}),
    NoticeKind.EXTENSION_DECIDED: frozenset({"granted", "asked_for", "previous_due_on", "reason"}),
    NoticeKind.RECEIPT: frozenset({"submission_id"}),
    NoticeKind.DATE_CHANGED: frozenset({"previous_due_on"}),
}
"""What a payload must hold; a kind that is not here needs nothing."""


def add_notice(
    session: Session,
    stamp: Stamp,
    *,
    kind: NoticeKind | str,
    assignment: Assignment,
    agency_key: str | None = None,
    audience: Audience = Audience.MAILBOX,
    at_once: bool | None = None,
    to_address: str | None = None,
    payload: Mapping[str, object] | None = None,
) -> None:
    """Write one notice about ``assignment``.

    ``agency_key`` None means the assignment's own agency. ``at_once`` None follows the kind.
    ``to_address`` sends it to one mailbox, such as a receipt to whoever submitted.

    Raises:
        ValueError: the payload lacks what the kind needs; a mistake of the caller.
    """
    word = NoticeKind(kind)
    missing = NEEDED.get(word, frozenset()) - (payload or {}).keys()
    if missing:
        msg = f"a notice “{word}” needs {', '.join(sorted(missing))} in its payload"
        raise ValueError(msg)
    row = {
        "kind": word.value,
        "assignment_id": assignment.id,
        "agency_key": agency_key or assignment.agency_key,
        "audience": audience.value,
        "at_once": word in AT_ONCE if at_once is None else at_once,
        "to_address": to_address,
        "payload": canonical_json(payload or {}),
        "created_on": stamp.as_of,
        "created_at": stamp.at,
        "void": False,
    }
    table = Base.metadata.tables[Notice.__tablename__]
    insert_rows(session, table, tuple(row), [tuple(row.values())])


def add_loose_notice(
    session: Session,
    stamp: Stamp,
    *,
    kind: NoticeKind,
    agency_key: str,
    audience: Audience,
    payload: Mapping[str, object],
) -> int:
    """Write a notice that is about no assignment, and return its id; it always rides in a digest.

    Raises:
        ValueError: the payload lacks what the kind needs; a mistake of the caller.
    """
    needed = "finding" if kind in FINDING_KINDS else "obstacle"
    if needed not in payload:
        msg = f"a notice “{kind}” about no assignment needs {needed} in its payload"
        raise ValueError(msg)
    row = Notice(
        kind=kind.value,
        assignment_id=None,
        agency_key=agency_key,
        audience=audience.value,
        at_once=False,
        payload=canonical_json(payload),
        created_on=stamp.as_of,
        created_at=stamp.at,
        void=False,
    )
    session.add(row)
    session.flush()
    return row.id


def add_opening_notices(
    session: Session, stamp: Stamp, rows: Sequence[tuple[int, str]], mode: TrackingMode
) -> int:
    """Write the notices of newly opened leads, given as (assignment id, agency key), in bulk.

    Returns how many were written: none for work that came by import, which never reminds
    (rule 19).
    """
    if mode is TrackingMode.IMPORTED:
        return 0
    kind = NoticeKind.RECORD_INVITE if mode is TrackingMode.RECORD else NoticeKind.OPENED
    return add_notices(session, stamp, kind, rows)


def add_notices(
    session: Session,
    stamp: Stamp,
    kind: NoticeKind,
    rows: Iterable[tuple[int, str]],
    *,
    payload: Mapping[str, object] | None = None,
) -> int:
    """Write the same notice to the mailboxes of many, as (assignment id, agency key), in bulk."""
    said = list(rows)
    ids = allocate_ids(session, Notice.__tablename__, len(said))
    return insert_rows(
        session,
        Base.metadata.tables[Notice.__tablename__],
        ("id", "assignment_id", "agency_key"),
        ((number, *one) for number, one in zip(ids, said, strict=True)),
        shared={
            "kind": kind.value,
            "audience": Audience.MAILBOX.value,
            "at_once": kind in AT_ONCE,
            "payload": canonical_json(payload or {}),
            "created_on": stamp.as_of,
            "created_at": stamp.at,
            "void": False,
        },
    )


def void_notices(
    session: Session, assignment_ids: Sequence[int], *, kinds: Iterable[NoticeKind] | None = None
) -> int:
    """Take back what was not yet queued about these assignments; returns how many notices.

    What no longer means anything when its day comes is left out anyway
    (``rules.digest.worth_saying``); this is for what would be wrong, such as the confirmation of
    work that was reopened.
    """
    pending = select(Notice.id).where(
        Notice.assignment_id.in_(assignment_ids), Notice.letter_id.is_(None), ~Notice.void
    )
    if kinds is not None:
        pending = pending.where(Notice.kind.in_([kind.value for kind in kinds]))
    found = list(session.scalars(pending))
    if found:
        session.execute(update(Notice).where(Notice.id.in_(found)).values(void=True))
    return len(found)
