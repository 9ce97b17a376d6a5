"""What is known of filed files as papers: signed by whom, or a picture of a paper (rule 20).

Found once for each content and kept by its SHA-256 with the version of the check and the roots it
was judged by; another version, or other roots, has it found again. It is derived from the file
alone, so it is no history.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from models.tables import Evidence, FileCheck, StoredFile, Submission
from operations.file_kinds import JPEG, PDF, PNG
from operations.files import path_of
from reports.pdf_check import CHECK, check_files

AT_ONCE: Final = 20
"""Files that one look at a page has examined; the next look takes the next ones."""
VERDICT_WORDS: Final[Mapping[str, str]] = {
    "valid": "Chữ ký hợp lệ, toàn vẹn",
    "untrusted": "Toàn vẹn, nhưng chưa kiểm tra được nơi cấp chứng thư",
    "broken": "Không toàn vẹn: nội dung đã bị sửa sau khi ký",
    "unreadable": "Có chữ ký số nhưng chưa đọc được; đề nghị mở bằng phần mềm ký số để kiểm tra",
    "unsigned": "Không có chữ ký số",
    "scan": "Bản chụp, không có chữ ký số",
    "locked": "Tệp đặt mật khẩu mở, chưa kiểm tra được chữ ký",
    "unexamined": "Chưa kiểm tra được chữ ký: tệp hỏng hoặc quá phức tạp",
}
_GRAVE: Final = frozenset({"broken"})
_FAIR: Final = frozenset({"valid"})
_PICTURES: Final = frozenset({PNG.media_type, JPEG.media_type})


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureView:
    """One signature as people read it. ``signed_at`` is the signer's own clock unless
    ``stamped``."""

    words: str
    signer: str
    organisation: str | None
    issuer: str | None
    signed_at: datetime | None
    stamped: bool
    added_after: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FileView:
    """What a file is as a paper: one sentence, and each signature."""

    verdict: str
    words: str
    signatures: tuple[SignatureView, ...] = ()

    @property
    def grave(self) -> bool:
        """Whether somebody has to look before relying on it."""
        return self.verdict in _GRAVE

    @property
    def holds(self) -> bool:
        """Whether it is signed, whole, and under a root that the office trusts."""
        return self.verdict in _FAIR

    @property
    def line(self) -> str:
        """All of it in one line, for lists and files."""
        signers = "; ".join(
            f"{one.signer}{f', {one.organisation}' if one.organisation else ''}"
            for one in self.signatures
        )
        return f"{self.words} ({signers})" if signers else self.words


def basis_of(roots: Path | None) -> str:
    """The version of the check, with a digest of the roots that signers are judged by."""
    digest = hashlib.sha256()
    for one in sorted(roots.iterdir()) if roots else ():
        if one.is_file():
            digest.update(one.name.encode() + b"\0" + one.read_bytes())
    return f"{CHECK}-{digest.hexdigest()[:12]}"


def view_of(media_type: str | None, check: FileCheck | None) -> FileView | None:
    """What is known of a file; None for what cannot be signed, or was not looked at yet."""
    if media_type in _PICTURES:
        return FileView(verdict="scan", words="Bản chụp")
    if check is None:
        return None
    return FileView(
        verdict=check.verdict,
        words=VERDICT_WORDS[check.verdict],
        signatures=tuple(_signature(one) for one in json.loads(check.signatures)),
    )


def _signature(found: Mapping[str, Any]) -> SignatureView:
    at = found["signed_at"]
    return SignatureView(
        words=VERDICT_WORDS[found["verdict"]],
        signer=found["signer"] or "(không ghi tên)",
        organisation=found["organisation"],
        issuer=found["issuer"],
        signed_at=None if at is None else datetime.fromisoformat(at),
        stamped=found["stamped"],
        added_after=found["added_after"],
    )


def files_of(session: Session, assignments: Iterable[int]) -> set[str]:
    """The files of all results filed for these assignments."""
    query = (
        select(Evidence.sha256)
        .join(Submission, Submission.id == Evidence.submission_id)
        .where(Submission.assignment_id.in_(list(assignments)), Evidence.sha256.is_not(None))
    )
    return {one for one in session.scalars(query) if one is not None}


def unchecked(session: Session, files: Collection[str], basis: str) -> Sequence[str]:
    """Those PDFs of ``files`` that nobody looked into yet on this ``basis``, some at a time."""
    query = (
        select(StoredFile.sha256)
        .outerjoin(FileCheck, FileCheck.sha256 == StoredFile.sha256)
        .where(
            StoredFile.sha256.in_(list(files)),
            StoredFile.media_type == PDF.media_type,
            StoredFile.quarantined_at.is_(None),
            or_(FileCheck.sha256.is_(None), FileCheck.basis != basis),
        )
        .order_by(StoredFile.stored_at.desc(), StoredFile.sha256)
        .limit(AT_ONCE)
    )
    return session.scalars(query).all()


def look_into(
    files: Sequence[str], folder: Path, roots: Path | None
) -> Mapping[str, Mapping[str, Any]]:
    """What is found in each of ``files``; takes a second and more, outside of any transaction."""
    there = [one for one in files if path_of(folder, one).is_file()]
    if not there:
        return {}
    found = check_files([path_of(folder, one) for one in there], roots)
    return dict(zip(there, found, strict=True))


def store_checks(
    session: Session, at: datetime, basis: str, found: Mapping[str, Mapping[str, Any]]
) -> None:
    """Keep what was found, in place of what was found before."""
    session.execute(delete(FileCheck).where(FileCheck.sha256.in_(list(found))))
    for sha256, one in found.items():
        verdict = one.get("verdict")
        session.add(
            FileCheck(
                sha256=sha256,
                basis=basis,
                checked_at=at,
                verdict=verdict if verdict in VERDICT_WORDS else "unexamined",
                signatures=json.dumps(one.get("signatures", []), ensure_ascii=False),
            )
        )
    session.flush()
