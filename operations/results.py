"""What somebody files with an act: text, documents, files, figures; checked before it is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Final

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from models.bulk import insert_rows
from models.tables import Base, Evidence, StoredFile, Submission
from operations.contacts import ContactInput
from operations.errors import Checks, Refused
from operations.guards import clean_document
from operations.stamp import Stamp
from operations.transition import Work
from rules.asked import above_whole, read_number
from rules.events import canonical_json
from rules.timeliness import Completion
from rules.values import Figure, Item, ItemKind, RequiredOutcome

NEEDS_CODE: Final = "Đã có ngày văn bản; đề nghị ghi cả số, ký hiệu."
"""What a date without a document's number is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A piece of evidence: a document by number and date, a stored file, or both (rule 20)."""

    code: str | None = None
    issued_on: date | None = None
    title: str | None = None
    sha256: str | None = None
    file_name: str | None = None
    scan: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeFiled:
    """One outcome that the item asks for: its document, or why there is none."""

    code: str | None = None
    issued_on: date | None = None
    none_because: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A result as it was filed. ``figures`` maps the figure's key to what was typed.

    ``outcomes`` are by the keys that the item asks for. ``focal`` is the agency's focal point as
    this result names it (rule 36), None where the form did not ask or nothing was typed.
    """

    text: str = ""
    papers: Sequence[Paper] = ()
    figures: Mapping[str, str] = field(default_factory=dict)
    outcomes: Mapping[str, OutcomeFiled] = field(default_factory=dict)
    focal: ContactInput | None = None
    unchanged: bool = False
    """"Không thay đổi so với năm trước": the first paper is the document still in force."""
    entered_channel: str | None = None
    entered_number: str | None = None


def check_result(work: Work, result: Result) -> Result:
    """The result as it should be stored, or a refusal of one that lacks what its item asks for.

    Document codes come back normalised (rules 16, 20).

    Raises:
        Refused: names the field and says what is missing.
    """
    cleaned = [replace(paper, code=clean_document(paper.code)) for paper in result.papers]
    if any(paper.issued_on and not paper.code for paper in cleaned):
        raise Refused(NEEDS_CODE, field="document")
    named = tuple(paper for paper in cleaned if paper.code or paper.sha256)
    result = replace(result, papers=named)
    item = work.state.plan.item(work.occurrence.item_key)
    if work.occurrence.kind == ItemKind.CHECK_IN:
        if not result.text.strip():
            msg = "Đề nghị ghi tóm tắt tình hình thực hiện trong kỳ."
            raise Refused(msg, field="text")
        return result
    if result.unchanged:
        _check_may_be_unchanged(item)
        if not any(paper.code for paper in named):
            msg = "Đề nghị ghi số, ký hiệu văn bản đang còn hiệu lực."
            raise Refused(msg, field="document")
        return result
    checks, wanted = Checks(), item.calendar.outcomes
    if not result.text.strip():
        checks.add(Refused("Đề nghị ghi tóm tắt kết quả thực hiện.", field="text"))
    outcomes = checks.run(
        lambda: check_outcomes(wanted, result.outcomes), dict[str, OutcomeFiled]()
    )
    named += _outcome_papers(wanted, outcomes)
    if not named and len(outcomes) == len(wanted):
        msg = "Cần ít nhất một tài liệu kiểm chứng: số và ngày văn bản, hoặc một tệp đính kèm."
        checks.add(Refused(msg, field="document"))
    checks.run(lambda: _check_papers(named), None)
    checks.run(lambda: check_figures(item.calendar.figures, result.figures), None)
    checks.done()
    return replace(result, papers=named, outcomes=outcomes)


def asks_for_this_year(item: Item) -> bool:
    """Whether a result of ``item`` has something of its own year to say, each year."""
    required = any(figure.required for figure in item.calendar.figures)
    return required or bool(item.calendar.outcomes)


def _check_may_be_unchanged(item: Item) -> None:
    if asks_for_this_year(item):
        msg = (
            f"Nhiệm vụ {item.key} cần số liệu hoặc kết quả của chính năm nay, nên không dùng “không "
            "thay đổi so với năm trước”; đề nghị cập nhật kết quả."
        )
        raise Refused(msg)


def check_outcomes(
    required: Sequence[RequiredOutcome], given: Mapping[str, OutcomeFiled]
) -> dict[str, OutcomeFiled]:
    """Each outcome with its document, normalised, or with the reason why there is none.

    Raises:
        Refused: names each outcome that is wrong and says what is missing.
    """
    known = {one.key: one for one in required}
    for key in given:
        if key not in known:
            msg = f"Nhiệm vụ này không có kết quả “{key}”. Các kết quả: {', '.join(known) or 'không có'}."
            raise Refused(msg, field=f"outcome.{key}.document")
    checks, empty = Checks(), OutcomeFiled()
    found = {
        key: checks.run(partial(_outcome, one, given.get(key, empty)), empty)
        for key, one in known.items()
    }
    checks.done()
    return found


def _outcome(asked: RequiredOutcome, given: OutcomeFiled) -> OutcomeFiled:
    place = f"outcome.{asked.key}"
    code, reason = clean_document(given.code), (given.none_because or "").strip()
    if code and reason:
        msg = f"“{asked.label}”: đã ghi văn bản thì để trống lý do không phát sinh, hoặc ngược lại."
        raise Refused(msg, field=f"{place}.none")
    if not code and not reason:
        msg = f"“{asked.label}”: đề nghị ghi số, ký hiệu văn bản, hoặc lý do không phát sinh."
        raise Refused(msg, field=f"{place}.document")
    if code and given.issued_on is None:
        msg = f"Đề nghị ghi ngày ban hành của văn bản {code}, dạng ngày/tháng/năm."
        raise Refused(msg, field=f"{place}.issued_on")
    if reason:
        return OutcomeFiled(none_because=reason)
    return OutcomeFiled(code=code, issued_on=given.issued_on)


def _outcome_papers(
    required: Sequence[RequiredOutcome], given: Mapping[str, OutcomeFiled]
) -> tuple[Paper, ...]:
    filed = ((one.label, given[one.key]) for one in required if one.key in given)
    return tuple(
        Paper(code=one.code, issued_on=one.issued_on, title=label)
        for label, one in filed
        if one.code
    )


def _check_papers(papers: Sequence[Paper]) -> None:
    for paper in papers:
        if paper.code and not paper.issued_on and not paper.sha256:
            msg = f"Đề nghị ghi ngày ban hành của văn bản {paper.code}, dạng ngày/tháng/năm."
            raise Refused(msg, field="issued_on")


def check_figures(figures: Sequence[Figure], given: Mapping[str, str]) -> None:
    """Refuse figures that are missing, unknown or no numbers (rule 20).

    Raises:
        Refused: names each figure that is wrong.
    """
    known = {figure.key: figure for figure in figures}
    for key in given:
        if key not in known:
            msg = f"Nhiệm vụ này không có số liệu “{key}”. Các số liệu: {', '.join(known) or 'không có'}."
            raise Refused(msg, field=f"figure.{key}")
    checks = Checks()
    for figure in figures:
        text = given.get(figure.key, "").strip()
        msg = f"“{figure.label}”: cần một số không âm, ví dụ 1.234 hoặc 12,5; đã nhập “{text}”."
        if not text:
            msg = f"Đề nghị nhập số liệu “{figure.label}”."
        if figure.required if not text else read_number(text) is None:
            checks.add(Refused(msg, field=f"figure.{figure.key}"))
    checks.done()
    if (found := above_whole(figures, given)) is not None:
        part, whole = found
        msg = (
            f"“{part.label}” là một phần của “{whole.label}” nên không thể lớn hơn: đã nhập "
            f"{given[part.key]} trên {given.get(whole.key) or 'chưa nhập'}. Đề nghị kiểm tra lại."
        )
        raise Refused(msg, field=f"figure.{part.key}")


_SUBMISSION: Final = Base.metadata.tables[Submission.__tablename__]
_BEFORE: Final = _SUBMISSION.alias("before")
_ADDED: Final = (
    insert(_SUBMISSION)
    .values(
        revision=select(func.coalesce(func.max(_BEFORE.c.revision), 0) + 1)
        .where(
            _BEFORE.c.assignment_id == bindparam("of_work"),
            _BEFORE.c.round == bindparam("of_round"),
        )
        .scalar_subquery()
    )
    .returning(_SUBMISSION.c.id)
)
"""The next revision of its round; whoever writes one holds the assignment's lock."""


def store_result(
    session: Session, stamp: Stamp, work: Work, result: Result, completed: Completion
) -> int:
    """Add the result as a new revision with its evidence; nothing is overwritten (rule 25).

    Returns the number of the submission.
    """
    row, actor = work.assignment, stamp.actor
    values = {
        "of_work": row.id,
        "of_round": row.round,
        "assignment_id": row.id,
        "round": row.round,
        "text": result.text.strip(),
        "unchanged": result.unchanged,
        "figures": canonical_json(dict(result.figures)),
        "outcomes": canonical_json(outcomes_snapshot(result)),
        "submitted_at": stamp.at,
        "submitted_on": stamp.as_of,
        "completed_on": completed.completed_on,
        "late_entry": completed.late_entry,
        "identity": actor.identity,
        "stated_name": actor.name,
        "stated_post": actor.post,
        "entered_channel": result.entered_channel,
        "entered_number": result.entered_number,
    }
    session.flush()
    number: int = session.connection().execute(_ADDED, values).scalar_one()
    _store_papers(session, number, result)
    return number


_PAPER = ("document_code", "issued_on", "title", "sha256", "file_name", "scan")


def _store_papers(session: Session, submission: int, result: Result) -> None:
    for paper in result.papers:
        if paper.sha256 is not None and session.get(StoredFile, paper.sha256) is None:
            msg = f"Tệp “{paper.file_name}” chưa được lưu; đề nghị tải lên lại."
            raise Refused(msg, field="file")
    kept = [paper for paper in result.papers if paper.code or paper.sha256]
    insert_rows(
        session,
        Base.metadata.tables[Evidence.__tablename__],
        ("submission_id", *_PAPER),
        (
            (
                submission,
                paper.code,
                paper.issued_on,
                paper.title,
                paper.sha256,
                paper.file_name,
                paper.scan,
            )
            for paper in kept
        ),
    )


_STANDING: Final = (
    select(_BEFORE.c.id)
    .where(
        _BEFORE.c.assignment_id == bindparam("of_work"), _BEFORE.c.round == bindparam("of_round")
    )
    .order_by(_BEFORE.c.revision.desc())
    .limit(1)
    .scalar_subquery()
)
_ENDED: Final = (
    update(_SUBMISSION)
    .where(_SUBMISSION.c.id == _STANDING)
    .values(outcome=bindparam("word"))
    .returning(_SUBMISSION.c.id)
)


def set_outcome(session: Session, work: Work, word: str) -> None:
    """Say what became of the newest revision of this round, where there is one."""
    row = work.assignment
    asked = {"of_work": row.id, "of_round": row.round, "word": word}
    session.flush()
    number = session.connection().execute(_ENDED, asked).scalar_one_or_none()
    read_before = session.identity_map.get(identity_key(Submission, number))
    if read_before is not None:
        session.expire(read_before, ["outcome"])


def outcomes_snapshot(result: Result) -> dict[str, dict[str, str]]:
    """The outcomes of a result as they are stored: ``code``, ``issued_on``, or ``none``."""
    found: dict[str, dict[str, str]] = {}
    for key, one in result.outcomes.items():
        values = {
            "code": one.code,
            "issued_on": one.issued_on.isoformat() if one.issued_on else None,
            "none": one.none_because,
        }
        found[key] = {name: value for name, value in values.items() if value}
    return found


def evidence_snapshot(result: Result) -> list[dict[str, object]]:
    """The papers of a result as they stand in the history."""
    return [
        {
            "code": paper.code,
            "issued_on": paper.issued_on,
            "sha256": paper.sha256,
            "file_name": paper.file_name,
            "scan": paper.scan,
        }
        for paper in result.papers
    ]
