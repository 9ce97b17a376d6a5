"""What a file of contacts would change, shown before anything is written (rules 36, 37).

A plan is made twice: for the preview, and again when it is applied. In between it travels through
the browser as signed text with the versions that it was made on, so that nothing is applied that
nobody saw, and nobody's later change is overwritten (rule 26).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import AgencyRow, Contact, ContactKind
from operations.contact_files import FileRow
from operations.contact_import import read_rows
from operations.contacts import (
    CONTACT_WORDS,
    ContactInput,
    remove_contact,
    require_contact_right,
    store_contacts,
)
from operations.errors import Conflict
from operations.stamp import Stamp

FIELDS = ("name", "post", "email", "phone")


class Verdict(StrEnum):
    """What becomes of one contact."""

    NEW = "new"
    CHANGED = "changed"
    ENDED = "ended"
    SAME = "same"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One contact of the file beside what is stored; ``version`` is that of the stored one."""

    verdict: Verdict
    wanted: ContactInput
    agency_name: str
    before: Mapping[str, str | None]
    version: int

    @property
    def kind_word(self) -> str:
        """What people read for its kind."""
        return CONTACT_WORDS[self.wanted.kind]

    def as_json(self) -> list[Any]:
        """The step as it travels through the browser."""
        one = self.wanted
        values = [getattr(one, field) for field in FIELDS]
        return [one.agency_key, one.kind.value, *values, self.verdict.value, self.version]


def plan_contacts(session: Session, stamp: Stamp, rows: Sequence[FileRow]) -> list[Step]:
    """What ``rows`` would change; rows that nobody filled in are left out.

    Raises:
        FileRefused: with every error of the file.
        NotPermitted: the actor may not change contacts of others.
    """
    filled = [row for row in rows if any(row.values.get(field) for field in (*FIELDS, "end"))]
    wanted = read_rows(session, stamp, filled)
    return _steps(session, stamp, [(one, row.ends) for row, one in wanted])


def _steps(
    session: Session, stamp: Stamp, wanted: Sequence[tuple[ContactInput, bool]]
) -> list[Step]:
    keys = sorted({one.agency_key for one, _ in wanted})
    for key in keys:
        require_contact_right(stamp, key)
    found = session.scalars(select(Contact).where(Contact.agency_key.in_(keys)))
    stored = {(row.agency_key, ContactKind(row.kind)): row for row in found}
    named = session.execute(select(AgencyRow.key, AgencyRow.name).where(AgencyRow.key.in_(keys)))
    names = {key: name for key, name in named}  # noqa: C416 - typed rows
    steps = []
    for one, ends in wanted:
        row = stored.get((one.agency_key, one.kind))
        steps.append(
            Step(
                verdict=_verdict(row, one, ends=ends),
                wanted=one,
                agency_name=names[one.agency_key],
                before={} if row is None else {name: getattr(row, name) for name in FIELDS},
                version=0 if row is None else row.version,
            )
        )
    return steps


def _verdict(row: Contact | None, wanted: ContactInput, *, ends: bool) -> Verdict:
    there = row is not None and row.active
    if ends:
        return Verdict.ENDED if there else Verdict.SAME
    if row is None or not there:
        return Verdict.NEW
    same = all(getattr(row, name) == getattr(wanted, name) for name in FIELDS) and not row.sample
    return Verdict.SAME if same else Verdict.CHANGED


def apply_plan(session: Session, stamp: Stamp, plan: Sequence[Sequence[Any]]) -> list[Step]:
    """Do what a preview showed, all of it or nothing; returns what was really changed.

    What stands already as the preview wanted it is left alone, so that doing it twice changes
    nothing.

    Raises:
        Conflict: a contact was changed by somebody after the preview.
        NotPermitted: the actor may not change contacts of others.
    """
    wanted, versions = [], []
    for agency, kind, name, post, email, phone, verdict, version in plan:
        one = ContactInput(
            agency_key=agency,
            kind=ContactKind(kind),
            name=name,
            post=post,
            email=email,
            phone=phone,
        )
        wanted.append((one, verdict == Verdict.ENDED))
        versions.append(version)
    steps = _steps(session, stamp, wanted)
    todo = [
        (step, version)
        for step, version in zip(steps, versions, strict=True)
        if step.verdict is not Verdict.SAME
    ]
    moved = [step for step, version in todo if step.version != version]
    if moved:
        named = "; ".join(f"{one.kind_word} của {one.agency_name}" for one in moved[:5])
        more = f" và {len(moved) - 5} liên hệ khác" if len(moved) > 5 else ""
        msg = (
            f"Đầu mối đã được người khác sửa sau khi xem trước: {named}{more}. Chưa ghi gì; "
            "đề nghị tải lại tệp để xem trước theo dữ liệu mới."
        )
        raise Conflict(msg)
    done = [step for step, _ in todo]
    store_contacts(session, stamp, [one.wanted for one in done if one.verdict is not Verdict.ENDED])
    for step in done:
        if step.verdict is Verdict.ENDED:
            key, kind = step.wanted.agency_key, step.wanted.kind
            remove_contact(session, stamp, agency_key=key, kind=kind)
    return done
