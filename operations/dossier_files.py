"""The zips of dossiers: index, papers, history and digests, made while they are sent."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Assignment, Event, Occurrence, StoredFile
from operations.dossiers import Choice, dossier_facts, newest_event, papers
from operations.files import path_of
from operations.queries_history import HistoryLine, history_of, lines_of
from operations.zipping import Member, file_parts, stream_zip
from reports.official.as_docx import as_docx
from reports.official.as_pdf import as_pdf
from reports.official.dossiers import PaperLine, archive_index, milestone_report
from reports.official.model import OfficialDocument
from reports.tables import harmless

_HEAD = (
    *("Số", "Lúc (UTC)", "Ngày hiệu lực", "Đối tượng", "Mã", "Việc", "Nhiệm vụ", "Kỳ", "Cơ quan"),
    *("Người thực hiện", "Chức vụ", "Hộp thư", "Thay mặt", "Lý do", "Văn bản", "Mã băm"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A dossier as known at an earlier instant: its papers are read before its zip is sent."""

    document: OfficialDocument
    papers: tuple[PaperLine, ...]


def dossier_document(
    session: Session, choice: Choice, *, now: datetime, history: Session | None = None
) -> OfficialDocument:
    """The index of one task's dossier, or the papers of a milestone, as known at ``now``.

    ``history`` is the real database, where ``session`` holds the tables of an earlier instant
    (rule 39).
    """
    at = newest_event(history or session, choice, until=now) or now
    facts = dossier_facts(session, choice, at=at)
    return milestone_report(facts) if choice.milestone else archive_index(facts)


def dossier_known(session: Session, choice: Choice, *, now: datetime, history: Session) -> Known:
    """A dossier of an earlier instant; see :func:`dossier_document`."""
    document = dossier_document(session, choice, now=now, history=history)
    return Known(document=document, papers=tuple(papers(session, choice)))


def dossier_zip(
    session: Session, choice: Choice, *, folder: Path, now: datetime, known: Known | None = None
) -> Iterator[bytes]:
    """The zip, a part at a time; ``session``, the real database, stays open until its end.

    A file that is missing on the disk, or was quarantined since ``now``, is named in
    ``THIEU-TEP.txt`` and left out.
    """
    document = known.document if known else dossier_document(session, choice, now=now)
    held = known.papers if known else papers(session, choice)
    # Events are only ever added: what is read up to now is the same as long as nothing happens.
    yield from stream_zip(_members(session, choice, document, held, folder=folder, until=now))


def _members(
    session: Session,
    choice: Choice,
    document: OfficialDocument,
    held: Iterable[PaperLine],
    *,
    folder: Path,
    until: datetime,
) -> Iterator[Member]:
    name = "bao-cao" if choice.milestone else "muc-luc"
    yield Member(name=f"{name}.docx", content=(as_docx(document),))
    yield Member(name=f"{name}.pdf", content=(as_pdf(document),))
    yield Member(name="lich-su.csv", content=_as_csv(session, choice, until))
    yield Member(name="lich-su.json", content=_as_json(session, choice, until))
    lost: list[str] = []
    away = select(StoredFile.sha256).where(StoredFile.quarantined_at.is_not(None))
    kept_away = frozenset(session.scalars(away))
    for paper in held:
        if paper.member is None or paper.sha256 is None:
            continue
        path = path_of(folder, paper.sha256)
        if path.is_file() and paper.sha256 not in kept_away:
            yield Member(name=paper.member, content=file_parts(path), sha256=paper.sha256)
        else:
            lost.append(f"{paper.sha256}  {paper.member}\n")
    if lost:
        yield Member(name="THIEU-TEP.txt", content=("".join(lost).encode(),))


def _events(session: Session, choice: Choice, until: datetime) -> Iterator[HistoryLine]:
    """The history of each occurrence, then of its assignments one by one."""
    query = (
        select(Occurrence.id)
        .where(choice.condition)
        .order_by(Occurrence.period_first, Occurrence.id)
    )
    for occurrence in session.scalars(query).all():
        above = select(Event).where(
            Event.entity == "occurrence", Event.entity_id == str(occurrence), Event.at <= until
        )
        yield from lines_of(session, above.order_by(Event.id))
        rows = select(Assignment.id).where(Assignment.occurrence_id == occurrence)
        for number in session.scalars(rows.order_by(Assignment.agency_key, Assignment.id)).all():
            yield from history_of(session, number, until=until)
            session.expunge_all()


def _as_json(session: Session, choice: Choice, until: datetime) -> Iterator[bytes]:
    """One list, an event a line."""
    before = "[\n"
    for one in _events(session, choice, until):
        yield (before + json.dumps(one.as_json(), ensure_ascii=False, sort_keys=True)).encode()
        before = ",\n"
    yield b"[]\n" if before == "[\n" else b"\n]\n"


def _as_csv(session: Session, choice: Choice, until: datetime) -> Iterator[bytes]:
    """UTF-8 with a byte order mark; nothing in it can run."""
    yield b"\xef\xbb\xbf" + _row(_HEAD)
    for one in _events(session, choice, until):
        yield _row(
            (
                *(str(one.id), one.at.isoformat(), one.effective_on.isoformat(), one.entity),
                *(one.entity_id, one.action, one.item, one.period, one.agency, one.actor_name),
                *(one.actor_post, one.actor_mailbox, one.on_behalf_of, one.reason),
                *(one.document, one.digest),
            )
        )


def _row(values: tuple[str | None, ...]) -> bytes:
    target = io.StringIO()
    csv.writer(target, lineterminator="\r\n").writerow([harmless(one or "") for one in values])
    return target.getvalue().encode()
