"""A row of the outbox into a letter: what is true now, in the words of ``notifications``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from models.queries_delivery import lines_of
from models.queries_mail import in_parts
from models.tables import AgencyRow, Assignment, Evidence, Letter, Occurrence, Submission
from notifications.compose import (
    render_checkpoint,
    render_digest,
    render_extension_decision,
    render_handover,
    render_link,
    render_operator_notice,
    render_receipt,
    render_returned,
)
from notifications.formats import LINK_PLACEHOLDER, vn_date
from notifications.values import (
    Calendar,
    CheckpointLetter,
    DigestLetter,
    ExtensionLetter,
    Fact,
    HandoverLetter,
    ItemRef,
    LinkLetter,
    OperatorNotice,
    ReceiptLetter,
    Rendered,
    ReturnedLetter,
    Sender,
)
from operations.digest_lines import LetterLines, LineReader, plan_refs
from operations.outbox import LetterKind
from operations.remembered import Before
from operations.state import load_plan, plan_keys
from operations.summary import render_summary
from rules.digest import NoticeKind, worth_saying
from rules.lifecycle import STATUS_WORDS, Status
from rules.periods import Period
from rules.values import Audience, DateAuthority

PREVIEW_MARK = "[Bản xem trước] "
DEFAULT_ZONE = "Asia/Ho_Chi_Minh"


@dataclass(frozen=True, slots=True)
class Composed:
    """A letter that can go, or None when nothing of it is owed any more.

    ``gone`` are the assignments whose lines fell away.
    """

    rendered: Rendered | None
    gone: tuple[int, ...] = ()


_WITHOUT_LINK = frozenset({LetterKind.OPERATOR, LetterKind.MONDAY, LetterKind.CHECKPOINT})
"""Letters to people who sign in, or to nobody of an agency."""


_MET = select(AgencyRow).where(AgencyRow.key.in_(bindparam("part", expanding=True)))
_PAPERS = select(Evidence).where(Evidence.submission_id == bindparam("filed")).order_by(Evidence.id)
_PERIOD_OF = (
    select(Occurrence.item_key, Occurrence.period_key)
    .join(Assignment, Assignment.occurrence_id == Occurrence.id)
    .where(Assignment.id == bindparam("number"))
)


class Composer:
    """Composes letters for one business date at one instant; reads what it needs in bulk.

    ``link_days`` is how long the links of these letters hold; ``before`` as for
    :func:`operations.state.states_of`.
    """

    def __init__(
        self,
        session: Session,
        *,
        sender: Sender,
        as_of: date,
        at: datetime,
        link_days: int,
        before: Before | None = None,
    ) -> None:
        self._session, self._sender = session, sender
        self._as_of, self._at = as_of, at
        self._expires = at + timedelta(days=link_days)
        self._lines = LineReader(session, before)
        self._agencies: dict[str, AgencyRow] = {}
        self._by_kind: Mapping[str, Callable[[Letter], Composed]] = {
            LetterKind.RETURNED: self._returned,
            LetterKind.EXTENSION: self._extension,
            LetterKind.RECEIPT: self._receipt,
            LetterKind.LINK: self._link,
            LetterKind.HANDOVER: self._handover,
            LetterKind.OPERATOR: self._operator,
            LetterKind.MONDAY: self._monday,
            LetterKind.CHECKPOINT: self._checkpoint,
        }

    def compose(self, letters: Sequence[Letter]) -> dict[int, Composed]:
        """Each letter by its id."""
        self._meet(one.agency_key for one in letters if one.agency_key is not None)
        digests = [one.id for one in letters if one.kind == LetterKind.DIGEST]
        lines = self._lines.read(digests, self._as_of)
        found: dict[int, Composed] = {}
        for letter in letters:
            if letter.kind == LetterKind.DIGEST:
                found[letter.id] = self._digest(letter, lines.get(letter.id, LetterLines()))
            elif letter.kind == LetterKind.PREVIEW:
                found[letter.id] = self._preview(letter)
            else:
                found[letter.id] = self._by_kind[letter.kind](letter)
        return found

    def _meet(self, keys: Iterable[str]) -> None:
        """Read the agencies of many letters at once."""
        for part in in_parts(sorted(set(keys) - self._agencies.keys())):
            found = self._session.scalars(_MET, {"part": part})
            self._agencies.update((row.key, row) for row in found)

    def _agency(self, key: str) -> AgencyRow:
        self._meet([key])
        return self._agencies[key]

    def name_of(self, agency: str | None) -> str:
        """The short name of an agency whose letter was composed; empty for nobody's."""
        return "" if agency is None else self._agency(agency).name

    def links_to(self, letter: Letter) -> bool:
        """Whether the letter carries a live link; the coordinator signs in instead (rule 34)."""
        if letter.agency_key is None or letter.kind in _WITHOUT_LINK:
            return False
        if letter.kind == LetterKind.HANDOVER and not json.loads(letter.payload)["receiving"]:
            # Whoever has handed over opens the agency's work no more.
            return False
        return self._agency(letter.agency_key).name != self._sender.office_name

    def _address(self, letter: Letter) -> dict[str, Any]:
        """What every letter begins with."""
        agency = self._agency(letter.agency_key or "")
        linked = self.links_to(letter)
        name = agency.name
        return {
            "to_address": letter.mailbox,
            "formal_name": name if name == self._sender.office_name else agency.formal_name or name,
            "short_name": name,
            "sender": self._sender,
            "day": self._as_of,
            "hour": self._hour(),
            "link": LINK_PLACEHOLDER if linked else self._sender.portal_url,
            "link_expires_on": self._local(self._expires).date() if linked else None,
        }

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(self._zone)

    @cached_property
    def _zone(self) -> ZoneInfo:
        keys = plan_keys(self._session)
        return ZoneInfo(load_plan(self._session, keys[0]).time_zone if keys else DEFAULT_ZONE)

    def _hour(self) -> int:
        local = self._local(self._at)
        return local.hour if local.date() == self._as_of else 8

    def _digest(self, letter: Letter, found: LetterLines, *, day: date | None = None) -> Composed:
        if not found.lines:
            return Composed(None, found.gone)
        payload = json.loads(letter.payload)
        value = DigestLetter(
            **(self._address(letter) | {"day": day or self._as_of}),
            plans=found.plans,
            agency=letter.agency_key or "",
            lines=found.lines,
            audience=Audience(payload.get("audience", Audience.MAILBOX)),
            calendar=Calendar(events=found.events, stamp=self._at) if found.events else None,
        )
        return Composed(render_digest(value), found.gone)

    def _preview(self, letter: Letter) -> Composed:
        day = date.fromisoformat(json.loads(letter.payload)["shown_day"])
        lines = self._lines.read([letter.id], day, previews=True)
        found = self._digest(letter, lines.get(letter.id, LetterLines()), day=day)
        if found.rendered is None:
            return found
        subject = f"{PREVIEW_MARK}{found.rendered.subject}"
        return Composed(replace(found.rendered, subject=subject))

    def _about(self, letter: Letter) -> tuple[Any, dict[str, Any]]:
        """The single line of a letter of its own, and what its notice holds."""
        row: Any = lines_of(self._session, [letter.id])[0]
        return row, json.loads(row.notice_payload or "{}")

    def _single(self, letter: Letter, row: Any) -> dict[str, Any]:
        state = self._lines.state(row.plan_key)
        item = ItemRef(
            item=row.item_key,
            item_task=self._lines.item(row).text.task,
            period_label=Period.parse(row.period_key).label,
            due_on=row.due_on,
            provisional=row.authority == DateAuthority.PROVISIONAL,
        )
        return self._address(letter) | {"plans": plan_refs([state.plan]), "item": item}

    def _returned(self, letter: Letter) -> Composed:
        row, said = self._about(letter)
        if not worth_saying(NoticeKind.RETURNED, Status(row.status)):
            return Composed(None)
        value = ReturnedLetter(
            **self._single(letter, row),
            reason=said["reason"],
            respond_by=date.fromisoformat(said["respond_by"]),
        )
        return Composed(render_returned(value))

    def _extension(self, letter: Letter) -> Composed:
        row, said = self._about(letter)
        events = (self._lines.event(row),) if said["granted"] else ()
        value = ExtensionLetter(
            **self._single(letter, row),
            granted=said["granted"],
            asked_for=date.fromisoformat(said["asked_for"]),
            previous_due_on=date.fromisoformat(said["previous_due_on"]),
            reason=said["reason"] or "",
            document=said.get("document"),
            calendar=Calendar(events=events, stamp=self._at) if events else None,
        )
        return Composed(render_extension_decision(value))

    def _receipt(self, letter: Letter) -> Composed:
        row, said = self._about(letter)
        session = self._session
        filed = session.get_one(Submission, said["submission_id"])
        papers = session.scalars(_PAPERS, {"filed": filed.id}).all()
        value = ReceiptLetter(
            **self._single(letter, row),
            received_at=filed.submitted_at,
            receipt_code=receipt_code(session, filed),
            submitted_by=", ".join(filter(None, (filed.stated_name, filed.stated_post))),
            summary=filed.text,
            status_word=STATUS_WORDS[Status(row.status)],
            documents=tuple(_document(one) for one in papers if one.document_code),
            files=tuple(one.file_name or "tệp" for one in papers if one.sha256),
            channel=filed.entered_channel,
        )
        return Composed(render_receipt(value))

    def _link(self, letter: Letter) -> Composed:
        plans = plan_refs(load_plan(self._session, key) for key in plan_keys(self._session))
        value = LinkLetter(**self._address(letter), plans=plans, requested_at=letter.queued_at)
        return Composed(render_link(value))

    def _handover(self, letter: Letter) -> Composed:
        said = json.loads(letter.payload)
        plans = plan_refs(load_plan(self._session, key) for key in plan_keys(self._session))
        value = HandoverLetter(
            **self._address(letter),
            plans=plans,
            new_name=said["new_name"],
            new_post=said["new_post"],
            previous_name=said["previous_name"],
            since=date.fromisoformat(said["since"]),
            receiving=said["receiving"],
        )
        return Composed(render_handover(value))

    def _operator(self, letter: Letter) -> Composed:
        said = json.loads(letter.payload)
        value = OperatorNotice(
            to_address=letter.mailbox,
            sender=self._sender,
            title=said["title"],
            happened_at=letter.queued_at,
            summary=said["summary"],
            facts=tuple(Fact(label=label, value=text) for label, text in said["facts"]),
            steps=tuple(said["steps"]),
            url=self._sender.portal_url,
        )
        return Composed(render_operator_notice(value))

    def _checkpoint(self, letter: Letter) -> Composed:
        said = json.loads(letter.payload)
        verified = said["verified_at"]
        value = CheckpointLetter(
            to_address=letter.mailbox,
            sender=self._sender,
            at=datetime.fromisoformat(said["at"]),
            size=said["size"],
            pending=said["pending"],
            note=said["note"],
            link=f"{self._sender.portal_url}/kiem-tra/lich-su",
            verified_at=None if verified is None else datetime.fromisoformat(verified),
            wrong=said["wrong"],
            summary=said["said"],
        )
        return Composed(render_checkpoint(value))

    def _monday(self, letter: Letter) -> Composed:
        return Composed(
            render_summary(self._session, self._address(letter), letter, as_of=self._as_of)
        )


def receipt_code(session: Session, filed: Submission) -> str:
    """What the agency can cite: ``I.1-2027-15-1`` (item, period, assignment, revision)."""
    item, period = session.execute(_PERIOD_OF, {"number": filed.assignment_id}).one()
    return f"{item}-{period}-{filed.assignment_id}-{filed.revision}"


def _document(paper: Evidence) -> str:
    issued = "" if paper.issued_on is None else f" ngày {vn_date(paper.issued_on)}"
    title = f" {paper.title}" if paper.title else ""
    return f"{paper.document_code}{issued}{title}"
