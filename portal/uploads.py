"""Files of a form: checked and stored at once, so that a mistake elsewhere loses none of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from starlette.datastructures import UploadFile

from operations.errors import Refused
from operations.files import store_file
from operations.stamp import Stamp
from portal.forms import FormState, Posted
from portal.portal import Portal
from portal.reading import Taken
from portal.signing import KEPT_FILES, Signing
from portal.throttle import UPLOADS

MAX_FILE: Final = 20 * 1024 * 1024
"""Bytes of one file."""
HINT: Final = f"PDF, Word, Excel hoặc ảnh; mỗi tệp tối đa {MAX_FILE // 1024 // 1024} MB, mỗi lần tối đa 5 tệp."


class FileRefused(Exception):
    """A file that cannot be taken; the text says which and why."""


def take_files(portal: Portal, stamp: Stamp, files: Sequence[UploadFile]) -> list[Taken]:
    """Check and store the files of a form.

    Raises:
        FileRefused: one of them cannot be taken; those before it are stored all the same.
    """
    found = []
    for upload in files:
        try:
            with portal.runtime.database.write() as session:
                stored = store_file(
                    session,
                    stamp,
                    folder=portal.runtime.uploads,
                    name=upload.filename or "",
                    stream=upload.file,
                    max_bytes=MAX_FILE,
                )
        except Refused as error:
            raise FileRefused(str(error)) from None
        found.append(Taken(sha256=stored.sha256, file_name=stored.name, size=stored.size))
    return found


def gather(
    portal: Portal, stamp: Stamp, owner: str, posted: Posted, form: FormState
) -> tuple[FormState, list[Taken]]:
    """The files of a form, stored; and those of an earlier try, which need not come again.

    ``owner`` is whom limits count and whom kept files are bound to.
    """
    files = kept_files(portal.signing, owner, posted.fields.get("kept_files"))
    files = [one for one in files if not posted.ticked(f"drop.{one.sha256[:12]}")]
    if posted.files:
        portal.throttle.hit(UPLOADS, owner)
        try:
            files += take_files(portal, stamp, posted.files)
        except FileRefused as error:
            form = form.with_error("file", str(error))
    kept = sign_kept(portal.signing, owner, files)
    return replace(form, kept=tuple(files), kept_text=kept), files


def sign_kept(signing: Signing, owner: str, files: Sequence[Taken]) -> str:
    """Files that were taken, as a form carries them on; bound to who sent them."""
    if not files:
        return ""
    return signing.write(KEPT_FILES, [owner, [[f.sha256, f.file_name, f.size] for f in files]])


def kept_files(signing: Signing, owner: str, text: str | None) -> list[Taken]:
    """The files that a form carried on; none when they are not this visitor's."""
    found = signing.read(KEPT_FILES, text)
    if not isinstance(found, list) or len(found) != 2 or found[0] != owner:
        return []
    return [Taken(sha256=sha, file_name=name, size=size) for sha, name, size in found[1]]
