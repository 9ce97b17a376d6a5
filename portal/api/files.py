"""Files in and out: the portal's own checks, and only what is one's own (rules 20, 25, 46)."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from models.tables import ApiUpload
from operations.access import log_access
from operations.api_reading import file_name_for
from operations.errors import NotFound
from operations.files import CHUNK, find_file, store_file
from portal.api.acts import once
from portal.api.door import BASE, By, Caller
from portal.api.lists import NO_SUCH
from portal.api.parameters import Sha256
from portal.api.problems import BadInput, FieldProblem, WrongMedia, too_large
from portal.api.shapes import FileDone
from portal.api.taken import key_of
from portal.downloads import attachment
from portal.guard import BodyTooLarge
from portal.throttle import UPLOADS
from portal.uploads import HINT, MAX_FILE

router = APIRouter(prefix=BASE)
_FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": HINT}
                    },
                    "required": ["file"],
                    "additionalProperties": False,
                }
            }
        },
    }
}


async def upload_of(request: Request) -> UploadFile:
    """The one file of a form.

    Raises:
        WrongMedia: it is no form of files.
        TooLarge: it holds more than a request may.
        BadInput: there is none, or there are several.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise WrongMedia("Đề nghị gửi tệp bằng “multipart/form-data”, trong trường “file”.")
    if request.scope["state"].get("too_large"):
        raise too_large()
    try:
        form = await request.form(max_files=1, max_fields=1, max_part_size=1024)
    except BodyTooLarge:
        raise too_large() from None
    except HTTPException:
        raise _no_file() from None
    found = form.multi_items()
    if len(found) != 1 or found[0][0] != "file" or not isinstance(found[0][1], UploadFile):
        raise _no_file()
    return found[0][1]


def _no_file() -> BadInput:
    told = "Cần đúng một tệp trong trường “file”, không kèm trường khác."
    return BadInput([FieldProblem(field="file", detail=told, expected=HINT)])


@router.post(
    "/files", name="v1_files", status_code=201, response_model=FileDone, openapi_extra=_FORM
)
def files(request: Request, by: By, upload: Annotated[UploadFile, Depends(upload_of)]) -> Response:
    """Gửi một tệp; trả về SHA-256 để dẫn trong kết quả. Gửi lại cùng tệp không tạo bản mới."""
    by.portal.throttle.hit(UPLOADS, by.token.id)
    name, digest = upload.filename or "", hashlib.sha256()
    while chunk := upload.file.read(CHUNK):
        digest.update(chunk)
    upload.file.seek(0)
    digest.update(f"\n{name}".encode(errors="replace"))
    return once(
        by,
        key=key_of(request),
        digest=digest.hexdigest(),
        status=201,
        do=lambda session: _store(session, by, name, upload),
    )


def _store(session: Any, by: Caller, name: str, upload: UploadFile) -> FileDone:
    stamp = by.stamp()
    stored = store_file(
        session,
        stamp,
        folder=by.portal.runtime.uploads,
        name=name,
        stream=upload.file,
        max_bytes=MAX_FILE,
    )
    mine = (str(by.agency), stored.sha256)
    if session.get(ApiUpload, mine) is None:
        row = ApiUpload(
            agency_key=mine[0],
            sha256=mine[1],
            file_name=stored.name[:400],
            uploaded_at=stamp.at,
        )
        session.add(row)
    return FileDone(
        sha256=stored.sha256, name=stored.name, size=stored.size, media_type=stored.media_type
    )


@router.get(
    "/files/{sha256}",
    name="v1_file",
    response_class=FileResponse,
    responses={200: {"content": {"application/octet-stream": {"schema": {"type": "string"}}}}},
)
def file(by: By, sha256: Sha256, request: Request) -> Response:
    """Tải một tệp: của cơ quan mình; mã dịch vụ tải được mọi tệp đã gửi."""
    with by.portal.runtime.database.write() as session:
        name = file_name_for(session, sha256, by.agency)
        if name is None:
            raise NotFound(NO_SUCH, field="file")
        _row, path = find_file(session, sha256, folder=by.portal.runtime.uploads)
        log_access(
            session,
            at=by.portal.runtime.clock.now(),
            actor=f"token:{by.token.id}",
            method="FILE",
            path=f"sha256/{sha256}",
            api_token=by.token.id,
            address=by.address,
            agent=(request.headers.get("user-agent") or "")[:300] or None,
        )
    return FileResponse(
        path,
        media_type="application/octet-stream",
        headers={
            "content-disposition": attachment(name),
            "content-security-policy": "default-src 'none'; sandbox",
        },
    )
