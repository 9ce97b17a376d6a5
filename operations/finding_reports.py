"""What an agency reports on a finding, and what comes back to it (rules 20, 25, 45, 46).

Each report stays as it was filed: one that was returned keeps its text, papers and the reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Finding, FindingFile, FindingReport, StoredFile
from operations.errors import Checks, Conflict, NotFound, NotPermitted, Refused
from operations.finding_notices import tell_of
from operations.findings import load_followed, note, unknown
from operations.guards import clean_document, need_coordinator, need_text, vn_date
from operations.history import Change, record, snapshot_of
from operations.stamp import Stamp
from rules.actors import AccountRole, ActorKind
from rules.digest import NoticeKind

_COORDINATING = frozenset({AccountRole.COORDINATOR, AccountRole.LEADERSHIP})


@dataclass(frozen=True, slots=True, kw_only=True)
class MendedReport:
    """What was done about a finding. ``files`` are (SHA-256, name) of stored files."""

    text: str
    document: str | None = None
    issued_on: date | None = None
    files: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """A report as it was filed, with its files, and why it came back where it did."""

    row: FindingReport
    files: tuple[FindingFile, ...]


def report_finding(
    session: Session,
    stamp: Stamp,
    number: int,
    report: MendedReport,
    *,
    expected_version: int | None = None,
) -> None:
    """File that a finding is mended; it is followed on until the coordinator confirms it.

    The agency itself files with a document or a file; the coordinator enters what an agency told
    in another way.

    Raises:
        NotPermitted: an account that changes nothing.
        NotFound: there is none, or it is another agency's (rule 46).
        Conflict: it is not followed any more, or changed meanwhile (rule 26).
        Refused: the text or the proof is missing, or the document is dated in the future.
    """
    own = _need_right(session, stamp, number)
    row = load_followed(session, number)
    checks, word = Checks(), "Đề nghị ghi nội dung đã khắc phục."
    text = checks.run(lambda: need_text(report.text, word, field="report"), "")
    code = checks.run(lambda: clean_document(report.document), None)
    if not text and own and code is None and not report.files:
        checks.add(_needs_proof())
    checks.done()
    if _filed_already(session, row, text, code, report.files):
        return
    _need_version(row, expected_version)
    if own and code is None and not report.files:
        raise _needs_proof()
    if report.issued_on is not None and report.issued_on > stamp.as_of:
        msg = f"Ngày văn bản {vn_date(report.issued_on)} sau hôm nay; đề nghị kiểm tra lại."
        raise Refused(msg, field="issued_on")
    filed = FindingReport(
        finding_id=row.id,
        filed_at=stamp.at,
        filed_by=stamp.actor.identity,
        stated_name=stamp.actor.name,
        stated_post=stamp.actor.post,
        text=text,
        document_code=code,
        issued_on=report.issued_on,
    )
    session.add(filed)
    session.flush()
    _add_files(session, filed, report.files)
    row.report, row.report_document, row.state = text, code, "reported"
    row.next_reminder_on = None
    _note_report(session, stamp, row, filed, "file")
    note(session, stamp, row, "report", document=code)


def _needs_proof() -> Refused:
    msg = "Cần ít nhất một tài liệu: số, ký hiệu văn bản báo cáo, hoặc một tệp đính kèm."
    return Refused(msg, field="document")


def return_report(
    session: Session,
    stamp: Stamp,
    number: int,
    *,
    reason: str,
    expected_version: int | None = None,
) -> None:
    """Send the newest report back: the finding is open again, what was filed stays.

    Raises:
        NotPermitted: not the coordinator, or whoever filed the report (rule 20).
        NotFound: there is no such finding.
        Conflict: nothing was reported, or it changed meanwhile (rule 26).
        Refused: the reason is missing.
    """
    need_coordinator(stamp)
    row = load_followed(session, number)
    _need_version(row, expected_version)
    filed = newest_report(session, row)
    if row.state != "reported" or filed is None:
        msg = "Kiến nghị này chưa có báo cáo khắc phục đang chờ; đề nghị tải lại trang."
        raise Conflict(msg)
    if filed.filed_by == stamp.actor.identity:
        msg = "Người đã ghi báo cáo khắc phục không tự trả lại; đề nghị người khác thực hiện."
        raise NotPermitted(msg)
    word = "Đề nghị nêu nội dung cần khắc phục, bổ sung."
    why = need_text(reason, word, field="reason")
    filed.returned_at, filed.returned_by, filed.return_reason = stamp.at, stamp.actor.identity, why
    row.state = "open"
    row.next_reminder_on = stamp.as_of if row.due_on else None
    _note_report(session, stamp, row, filed, "return", reason=why)
    note(session, stamp, row, "return", reason=why)
    tell_of(session, stamp, row, NoticeKind.FINDING_RETURNED, said=why)


def newest_report(session: Session, row: Finding) -> FindingReport | None:
    """The report that was filed last, returned or not."""
    return session.scalars(
        select(FindingReport)
        .where(FindingReport.finding_id == row.id)
        .order_by(FindingReport.id.desc())
        .limit(1)
    ).first()


def reports_of(session: Session, findings: Iterable[int]) -> Mapping[int, list[ReportView]]:
    """The reports on these findings, by finding, the newest first."""
    numbers = list(findings)
    rows = session.scalars(
        select(FindingReport)
        .where(FindingReport.finding_id.in_(numbers))
        .order_by(FindingReport.id.desc())
    ).all()
    files: defaultdict[int, list[FindingFile]] = defaultdict(list)
    query = select(FindingFile).where(FindingFile.report_id.in_([one.id for one in rows]))
    for file in session.scalars(query.order_by(FindingFile.report_id, FindingFile.file_name)):
        files[file.report_id].append(file)
    found: defaultdict[int, list[ReportView]] = defaultdict(list)
    for row in rows:
        found[row.finding_id].append(ReportView(row=row, files=tuple(files[row.id])))
    return found


def file_of(session: Session, number: int, sha256: str, *, agency: str | None = None) -> str:
    """The name of a file that was filed with a report on a finding, of ``agency`` where given.

    Raises:
        NotFound: there is none.
    """
    query = (
        select(FindingFile.file_name)
        .join(FindingReport, FindingReport.id == FindingFile.report_id)
        .join(Finding, Finding.id == FindingReport.finding_id)
        .where(Finding.id == number, FindingFile.sha256 == sha256)
        .limit(1)
    )
    if agency is not None:
        query = query.where(Finding.agency_key == agency)
    name = session.scalar(query)
    if name is None:
        msg = "Không có tệp này."
        raise NotFound(msg, field="file")
    return name


def _need_right(session: Session, stamp: Stamp, number: int) -> bool:
    """Whether the agency itself reports; the coordinator's staff and operators enter for it."""
    actor = stamp.actor
    if actor.role is AccountRole.AUDITOR or actor.role is AccountRole.ADMIN:
        msg = "Tài khoản này chỉ xem, không báo cáo khắc phục."
        raise NotPermitted(msg)
    if actor.role in _COORDINATING or actor.kind is ActorKind.OPERATOR:
        return False
    row = session.get(Finding, number)
    if row is None or row.agency_key != actor.agency:
        raise NotFound(unknown(number), field="finding")
    return True


def _need_version(row: Finding, expected: int | None) -> None:
    if expected not in {None, row.version}:
        msg = "Kiến nghị này vừa được cập nhật; đề nghị tải lại trang để xem nội dung mới nhất."
        raise Conflict(msg)


def _filed_already(
    session: Session,
    row: Finding,
    text: str,
    code: str | None,
    files: Sequence[tuple[str, str]],
) -> bool:
    """Whether the same report waits already: a second tap of the same button."""
    filed = newest_report(session, row)
    if filed is None or row.state != "reported":
        return False
    query = select(FindingFile.sha256).where(FindingFile.report_id == filed.id)
    same = set(session.scalars(query)) == {sha256 for sha256, _ in files}
    return same and (filed.text, filed.document_code) == (text, code)


def _add_files(session: Session, filed: FindingReport, files: Sequence[tuple[str, str]]) -> None:
    for sha256, name in dict(files).items():
        stored = session.get(StoredFile, sha256)
        if stored is None or stored.quarantined_at is not None:
            msg = "Tệp này không còn, hoặc đã được cách ly; đề nghị tải lên tệp khác."
            raise Refused(msg, field="file")
        session.add(FindingFile(report_id=filed.id, sha256=sha256, file_name=name))
    session.flush()


def _note_report(
    session: Session,
    stamp: Stamp,
    row: Finding,
    filed: FindingReport,
    word: str,
    *,
    reason: str | None = None,
) -> None:
    query = select(FindingFile).where(FindingFile.report_id == filed.id)
    files = [[one.sha256, one.file_name] for one in session.scalars(query)]
    change = Change(
        entity="finding_report",
        entity_id=str(filed.id),
        action=word,
        snapshot=snapshot_of(filed) | {"files": files},
        agency=row.agency_key,
        reason=reason,
        document=filed.document_code,
    )
    record(session, stamp, [change])
