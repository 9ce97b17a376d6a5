"""Automatic letters switched on and off, and pilots (rules 19, 36)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from models.tables import AgencyRow, GroupRow
from operations.errors import NotFound
from operations.guards import clean_document, need_coordinator, need_text
from operations.history import Change, record, snapshot_of
from operations.reminder_days import count_anew
from operations.stamp import Stamp
from operations.state import load_directory, load_state, plan_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class LettersChange:
    """The agencies concerned, those that still get no letters for another cause, and how many
    assignments have another next reminder."""

    agencies: tuple[str, ...]
    still_silent: tuple[str, ...]
    reminders: int


def set_letters(
    session: Session, stamp: Stamp, ref: str, *, on: bool, reason: str, document: str | None = None
) -> LettersChange:
    """Switch automatic letters on or off for an agency, or a group written ``@key`` (rule 36).

    Reminders of open work are set anew; a letter that was not sent while they were off is not
    sent afterwards, only the latest rung that is owed (rule 28).

    Raises:
        NotFound: there is no such agency or group.
        NotPermitted: not the coordinator.
        Refused: a reason is missing, or ``document`` cannot be the number of one.
    """
    need_coordinator(stamp)
    why = need_text(reason, "Đề nghị nêu lý do bật hoặc tắt thư tự động.", field="reason")
    code = clean_document(document)
    is_group = ref.startswith("@")
    row = session.get(GroupRow if is_group else AgencyRow, ref.removeprefix("@"))
    if not isinstance(row, AgencyRow | GroupRow):
        msg = f"Không có cơ quan hoặc nhóm “{ref}”."
        raise NotFound(msg, field="agency")
    if row.letters != on:
        row.letters = on
        if isinstance(row, AgencyRow):
            row.version += 1
        _note(session, stamp, row, "letters_on" if on else "letters_off", reason=why, document=code)
    directory = load_directory(session)
    keys = directory.resolve([ref], stamp.as_of) if is_group else (ref,)
    silent = tuple(key for key in keys if on and not directory.letters_on(key, stamp.as_of))
    reminders = sum(
        count_anew(session, load_state(session, plan), keys) for plan in plan_keys(session)
    )
    return LettersChange(agencies=keys, still_silent=silent, reminders=reminders)


def set_pilot(
    session: Session, stamp: Stamp, agencies: Iterable[str], *, on: bool, reason: str
) -> tuple[str, ...]:
    """Mark agencies as pilots, or no longer; while there is any, letters to all others are held.

    Returns the keys that changed (rule 19).

    Raises:
        NotFound: there is no such agency; none is changed.
        NotPermitted: not the coordinator.
        Refused: a reason is missing.
    """
    need_coordinator(stamp)
    why = need_text(reason, "Đề nghị nêu lý do chọn cơ quan thí điểm.", field="reason")
    rows = []
    for key in dict.fromkeys(agencies):
        row = session.get(AgencyRow, key)
        if row is None:
            msg = f"Không có cơ quan “{key}”."
            raise NotFound(msg, field="agency")
        rows.append(row)
    changed = [row for row in rows if row.pilot != on]
    for row in changed:
        row.pilot = on
        row.version += 1
        _note(session, stamp, row, "pilot_on" if on else "pilot_off", reason=why)
    return tuple(row.key for row in changed)


def _note(
    session: Session,
    stamp: Stamp,
    row: AgencyRow | GroupRow,
    word: str,
    *,
    reason: str,
    document: str | None = None,
) -> None:
    session.flush()
    agency = isinstance(row, AgencyRow)
    change = Change(
        entity="agency" if agency else "group",
        entity_id=row.key,
        action=word,
        snapshot=snapshot_of(row),
        agency=row.key if agency else None,
        reason=reason,
        document=document,
    )
    record(session, stamp, [change])
