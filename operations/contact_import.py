"""Taking over a file of contacts: whole or not at all (rules 36, 37).

Everything that is wrong is said at once; nothing is written until the file is right, and taking
it over a second time changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Contact, ContactKind
from operations.agency_names import AgencyNames, plain
from operations.contact_files import FileError, FileRefused, FileRow
from operations.contacts import (
    CONTACT_WORDS,
    ContactInput,
    checked,
    remove_contact,
    require_contact_right,
    store_contacts,
)
from operations.errors import Refused
from operations.stamp import Stamp
from operations.state import load_directory
from rules.values import Agency

_KINDS: Mapping[str, ContactKind] = {
    **{kind.value: kind for kind in ContactKind},
    **{word.lower(): kind for kind, word in CONTACT_WORDS.items()},
    "hộp thư": ContactKind.MAILBOX,
    "hộp thư của cơ quan": ContactKind.MAILBOX,
    "đầu mối": ContactKind.FOCAL,
    "dự phòng": ContactKind.DEPUTY,
    "lãnh đạo": ContactKind.HEAD,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """How many contacts a file made new, changed, ended, and found as they were."""

    created: int
    changed: int
    unchanged: int
    ended: int = 0


def import_contacts(session: Session, stamp: Stamp, rows: Sequence[FileRow]) -> ImportResult:
    """Take over ``rows`` of a file (see ``operations.contact_files``).

    Raises:
        FileRefused: with every error of the file; nothing was written.
        NotPermitted: the actor may not change contacts of others.
    """
    wanted = read_rows(session, stamp, rows)
    for _, one in wanted:
        require_contact_right(stamp, one.agency_key)
    done = _store(session, stamp, [one for row, one in wanted if not row.ends])
    ended = _end(session, stamp, [one for row, one in wanted if row.ends])
    return replace(done, ended=ended, unchanged=done.unchanged + _ends(wanted) - ended)


def _ends(wanted: Sequence[tuple[FileRow, ContactInput]]) -> int:
    return sum(row.ends for row, _ in wanted)


def _end(session: Session, stamp: Stamp, wanted: Sequence[ContactInput]) -> int:
    """Take contacts out of use; those that are so already stay as they are."""
    query = select(Contact.agency_key, Contact.kind).where(Contact.active)
    there = {(agency, kind) for agency, kind in session.execute(query)}
    ending = [one for one in wanted if (one.agency_key, one.kind.value) in there]
    for one in ending:
        remove_contact(session, stamp, agency_key=one.agency_key, kind=one.kind)
    return len(ending)


def read_rows(
    session: Session, stamp: Stamp, rows: Sequence[FileRow]
) -> list[tuple[FileRow, ContactInput]]:
    """The rows with the contacts that they mean, each agency and kind once.

    Raises:
        FileRefused: with every error of the file.
    """
    names = AgencyNames(load_directory(session).agencies)
    wanted: dict[tuple[str, ContactKind], tuple[FileRow, ContactInput]] = {}
    errors: list[FileError] = []
    for row in rows:
        try:
            one = _contact(row, names, stamp)
        except FileRefused as refused:
            errors += refused.errors
            continue
        before = wanted.get((one.agency_key, one.kind))
        if before is not None:
            problem = f"“{CONTACT_WORDS[one.kind]}” của cơ quan này đã có ở dòng {before[0].number}"
            errors.append(row.error("kind", problem, "Chỉ giữ một dòng"))
            continue
        wanted[one.agency_key, one.kind] = (row, one)
    if errors:
        raise FileRefused(errors)
    return list(wanted.values())


def _store(session: Session, stamp: Stamp, wanted: Sequence[ContactInput]) -> ImportResult:
    query = select(Contact.agency_key, Contact.kind, Contact.version)
    before = {(agency, kind): version for agency, kind, version in session.execute(query)}
    stored = store_contacts(session, stamp, wanted)
    created = sum(1 for row in stored if (row.agency_key, row.kind) not in before)
    same = sum(1 for row in stored if before.get((row.agency_key, row.kind)) == row.version)
    return ImportResult(created=created, changed=len(stored) - created - same, unchanged=same)


def _contact(row: FileRow, names: AgencyNames, stamp: Stamp) -> ContactInput:
    """One row as a contact; FileRefused with everything that is wrong in it."""
    errors: list[FileError] = []
    agency = find_agency(row, names, errors, stamp)
    kind = _kind(row, errors)
    if row.values.get("end") and not row.ends:
        problem = f"Cột này chỉ ghi x, không ghi “{row.values['end']}”"
        errors.append(row.error("end", problem, "Ghi x để thôi dùng liên hệ, hoặc để trống"))
    values = {field: row.values.get(field) or None for field in ("name", "post", "email", "phone")}
    if row.ends:
        values = {}
    # Where the kind cannot be read, the cells are still checked as those of one that fits them.
    read = kind or (ContactKind.MAILBOX if values.get("email") else ContactKind.FOCAL)
    found = ContactInput(agency_key=agency.key if agency else "", kind=read, **values)
    if any(values.values()) or (kind is not None and not row.ends):
        try:
            found = checked(found)
        except Refused as refused:
            errors += [_cell(row, one) for one in refused.each]
    if errors:
        raise FileRefused(errors)
    return found


def _cell(row: FileRow, refused: Refused) -> FileError:
    field = refused.field if refused.field in row.cells else "kind"
    return row.error(field or "kind", *problem_and_remedy(refused))


def problem_and_remedy(refused: Refused) -> tuple[str, str]:
    """What a refusal says, as the list of a file's errors has it: what is wrong, what to do."""
    problem, _, remedy = str(refused).rstrip(".").partition("; ")
    asked = problem.removeprefix("Đề nghị ")
    if not remedy and asked != problem:
        problem, remedy = "Còn thiếu nội dung", asked
    return problem, remedy[:1].upper() + remedy[1:] or "Sửa lại ô này"


def find_agency(
    row: FileRow, names: AgencyNames, errors: list[FileError], stamp: Stamp
) -> Agency | None:
    """The agency that the row names today; None, with what is wrong said in ``errors``."""
    text = row.values.get("agency", "")
    found = names.living(text, stamp.as_of)
    if len(found) == 1:
        return found[0]
    if not text:
        errors.append(row.error("agency", "Chưa ghi cơ quan", "Ghi mã hoặc tên cơ quan"))
    elif found:
        keys = ", ".join(one.key for one in found)
        problem = f"“{text}” là tên của nhiều cơ quan"
        errors.append(row.error("agency", problem, f"Ghi mã cơ quan: {keys}"))
    else:
        errors.append(row.error("agency", f"Không có cơ quan “{text}”", names.hint(text)))
    return None


def _kind(row: FileRow, errors: list[FileError]) -> ContactKind | None:
    text = row.values.get("kind", "")
    found = _KINDS.get(plain(text))
    if found is None:
        words = ", ".join(f"“{word}”" for word in CONTACT_WORDS.values())
        problem = f"Không có loại liên hệ “{text}”" if text else "Chưa ghi loại liên hệ"
        errors.append(row.error("kind", problem, f"Chọn một trong: {words}"))
    return found
