"""``tiendo contacts``: taking over the address book from a file, and ending the made-up part."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.app import Command, group
from cli.errors import Failed, WrongUse
from cli.output import ABSENT, agreed
from cli.params import AgencyKey, Yes, existing_file

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from models.tables import Contact

contacts = group("contacts", "Hộp thư, đầu mối của các cơ quan.")

ENDINGS = frozenset({".csv", ".xlsx"})


@contacts.command("import", cls=Command)
def import_(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            parser=existing_file,
            metavar="FILE",
            help="Tệp .csv (UTF-8) hoặc .xlsx: Cơ quan, Loại liên hệ, Họ và tên, Chức vụ, "
            "Thư điện tử, Điện thoại.",
        ),
    ],
) -> None:
    """Nhập liên hệ từ tệp, cả tệp hoặc không dòng nào; lỗi được nói một lượt, theo dòng và cột."""
    from cli.edge import ready
    from operations.contact_files import read_contact_file
    from operations.contact_import import import_contacts

    if file.suffix.lower() not in ENDINGS:
        raise WrongUse(f"{file.name}: cần tệp .csv hoặc .xlsx.", field="file")
    content = file.read_bytes()
    with ready(ctx) as here:
        rows = read_contact_file(content, file.name)
        with here.runtime.database.write() as session:
            done = import_contacts(session, here.stamp(), rows)
        here.out.record(
            {
                "created": done.created,
                "changed": done.changed,
                "ended": done.ended,
                "unchanged": done.unchanged,
            }
        )
        here.out.say(
            f"{done.created} liên hệ mới, {done.changed} liên hệ sửa, "
            f"{done.ended} thôi dùng, {done.unchanged} giữ nguyên."
        )


@contacts.command("list", cls=Command)
def list_(ctx: typer.Context, agency: AgencyKey = None) -> None:
    """Liệt kê liên hệ đang dùng."""
    from cli.edge import reading
    from cli.lookups import known_agency
    from operations.contacts import CONTACT_WORDS

    with reading(ctx) as (here, session):
        known_agency(session, agency)
        rows = [row for row in _active(session) if agency in {None, row.agency_key}]
        for row in rows:
            here.out.record(
                {
                    "agency": row.agency_key,
                    "kind": row.kind,
                    "name": row.name,
                    "post": row.post,
                    "email": row.email,
                    "phone": row.phone,
                    "sample": row.sample,
                }
            )
        here.out.table(
            ("Cơ quan", "Loại", "Họ và tên", "Chức vụ", "Thư điện tử", "Điện thoại"),
            [
                (
                    row.agency_key,
                    {key.value: word for key, word in CONTACT_WORDS.items()}[row.kind],
                    row.name or ABSENT,
                    row.post or ABSENT,
                    f"{row.email or ABSENT}{' (mẫu)' if row.sample else ''}",
                    row.phone or ABSENT,
                )
                for row in rows
            ],
        )
        here.out.say(f"{len(rows)} liên hệ.")


@contacts.command("drop-samples", cls=Command)
def drop_samples(ctx: typer.Context, yes: Yes = False) -> None:
    """Bỏ các liên hệ mẫu (.test) còn lại; thư của cơ quan đó tạm gửi về cơ quan điều phối."""
    from cli.edge import ready
    from models.tables import ContactKind
    from operations.contacts import remove_contact

    with ready(ctx) as here:
        with here.runtime.database.read() as session:
            found = [
                (row.agency_key, ContactKind(row.kind)) for row in _active(session) if row.sample
            ]
        if found and not agreed(f"Bỏ {len(found)} liên hệ mẫu?", already=yes):
            raise Failed("Chưa bỏ liên hệ nào. Thêm --yes nếu muốn bỏ mà không hỏi.")
        with here.runtime.database.write() as session:
            for agency, kind in found:
                remove_contact(session, here.stamp(), agency_key=agency, kind=kind)
        here.out.record({"removed": len(found)})
        here.out.say(f"Đã bỏ {len(found)} liên hệ mẫu.")


def _active(session: Session) -> list[Contact]:
    from sqlalchemy import select

    from models.tables import Contact

    query = select(Contact).where(Contact.active).order_by(Contact.agency_key, Contact.id)
    return list(session.scalars(query))
