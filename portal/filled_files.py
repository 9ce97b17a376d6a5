"""A file that is taken as a template, filled in, previewed, and then applied as it was previewed.

What a preview showed is carried by its form, signed and bound to whoever looked at it, so that
nothing is stored before somebody presses the button.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from operations.access import log_access
from operations.contact_files import MAX_BYTES, FileError, FileRefused
from operations.errors import Refused
from portal.downloads import attachment
from portal.forms import Posted
from portal.portal import Portal, address_of, portal_of
from portal.visitors import Person, person_of
from reports.xlsx import MEDIA_TYPE

_MOST_SIGNED: Final = 190_000
"""Bytes of a preview that a form can carry (``portal.forms``)."""


def hand_out_template(
    request: Request, make: Callable[[Session], tuple[bytes, str]], *, name: str
) -> Response:
    """A template as a file; that it was taken is logged (rule 40).

    ``make`` returns the content and what the log says beside the address.
    """
    portal, person = portal_of(request), person_of(request)
    with portal.runtime.database.write() as session:
        content, said = make(session)
        log_access(
            session,
            at=portal.runtime.clock.now(),
            actor=f"account:{person.username}",
            method="EXPORT",
            path=f"{request.url.path}{said}",
            address=address_of(request),
        )
    headers = {"content-disposition": attachment(f"{name}-{portal.today:%Y%m%d}.xlsx")}
    return Response(content, media_type=MEDIA_TYPE, headers=headers)


def only_upload(form: Posted, kinds: str) -> tuple[bytes, str]:
    """The content and the name of the one file of a form; ``kinds`` says which are read.

    Raises:
        FileRefused: there is none, or more than one.
    """
    if len(form.files) != 1:
        problem = "Chưa chọn tệp" if not form.files else "Mỗi lần chỉ nhận một tệp"
        raise FileRefused([FileError(problem=problem, remedy=f"Chọn tệp {kinds} đã điền")])
    upload = form.files[0]
    return upload.file.read(MAX_BYTES + 1), upload.filename or ""


def sign_preview(
    portal: Portal, salt: str, person: Person, plan: list[Any], *, too_large: FileError
) -> str:
    """What the form of a preview carries.

    Raises:
        FileRefused: with ``too_large``, when it is more than a form can carry.
    """
    signed = portal.signing.write(salt, [person.username, *plan])
    if len(signed) > _MOST_SIGNED:
        raise FileRefused([too_large])
    return signed


def read_preview(request: Request, form: Posted, salt: str, parts: int) -> list[Any]:
    """The ``parts`` of a preview that this person made.

    Raises:
        Refused: it is none, or somebody else's.
    """
    found = portal_of(request).signing.read(salt, form.fields.get("plan"))
    if not isinstance(found, list) or len(found) != parts + 1:
        found = [None]
    if found[0] != person_of(request).username:
        raise Refused("Bản xem trước không còn dùng được; đề nghị tải tệp lên lại.")
    return list(found[1:])
