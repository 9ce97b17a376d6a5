"""What comes out: JSON keys in English, Vietnamese where people read it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Generic, TypeVar

from pydantic import BaseModel, Field

from operations.api_tokens import Scope
from operations.queries import WorkRow
from rules.lifecycle import Status
from rules.timeliness import CELL_WORDS, Cell
from rules.values import DateAuthority, ItemKind, LeadMode, Role, TrackingMode

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """Some of a list. ``next`` is the ``after`` of what follows, null at the end."""

    items: list[T]
    next: int | None


class Me(BaseModel):
    """The token behind this request."""

    id: str
    name: str
    kind: str
    agency: str | None
    agency_name: str | None
    scopes: list[Scope]
    valid_to: date
    today: date
    """The business date in Asia/Ho_Chi_Minh."""


class PlanOut(BaseModel):
    """A plan (Đề án)."""

    key: str
    short_code: str
    title: str
    decision: str
    decided_on: date | None
    issued_by: str
    first_year: int
    last_year: int
    version: int
    coordinator: str


class FigureOut(BaseModel):
    """A number that a result has to carry."""

    key: str
    label: str
    unit: str | None
    required: bool
    of: str | None
    """The figure that this one is a part of, and never above."""
    target: int | None
    """Percent of ``of`` that the decision wants."""


class OutcomeOut(BaseModel):
    """An outcome that wants a document of its own, or a reason why there is none."""

    key: str
    label: str


class ItemOut(BaseModel):
    """An item (nhiệm vụ): the decision's words beside what is expected."""

    plan: str
    key: str
    group: str
    group_title: str
    section: str | None
    """Where the decision asks for it, when that is outside its appendix."""
    task: str
    activity_intro: str | None
    activities: list[str]
    lead: list[str]
    partners: list[str]
    timing: str
    kind: ItemKind
    expected: list[str]
    figures: list[FigureOut]
    outcomes: list[OutcomeOut]


class AgencyOut(BaseModel):
    """An agency (cơ quan, đơn vị) with its days of validity."""

    key: str
    name: str
    kind: str
    code: str | None
    valid_from: date | None
    valid_to: date | None


class OccurrenceOut(BaseModel):
    """An item in a period (kỳ thực hiện)."""

    id: int
    plan: str
    item: str
    period: str
    kind: ItemKind
    mode: TrackingMode
    lead_mode: LeadMode
    milestone: str | None
    opens_on: date
    nominal_due_on: date
    original_due_on: date
    due_on: date


class AssignmentOut(BaseModel):
    """One agency's part of an occurrence (phân công)."""

    id: int
    occurrence: int
    plan: str
    item: str
    period: str
    period_text: str
    agency: str
    agency_name: str
    role: Role
    status: Status
    status_text: str
    timeliness: Cell | None = Field(description="Ô theo dõi; null với việc ngoài bốn ô.")
    timeliness_text: str | None
    opens_on: date
    nominal_due_on: date
    original_due_on: date
    due_on: date
    authority: DateAuthority
    provisional: bool
    respond_by: date | None
    submitted_at: datetime | None
    completed_on: date | None
    late_entry: bool
    confirmed_at: datetime | None
    extensions: int
    round: int
    returns: int
    version: int = Field(description="Tăng mỗi lần thay đổi; gửi lại khi cập nhật.")
    updated_at: datetime


def assignment_fields(row: WorkRow) -> dict[str, object]:
    """The fields of :class:`AssignmentOut` from a row of a list."""
    said = {"period_text", "status_text", "timeliness_text"}
    same = {name: getattr(row, name) for name in AssignmentOut.model_fields if name not in said}
    return same | {
        "period_text": row.period_label,
        "status_text": row.status_word,
        "timeliness_text": None if row.timeliness is None else CELL_WORDS[row.timeliness],
    }


class ActionOut(BaseModel):
    """Something that may be done now, as the table of transitions says."""

    action: str
    text: str
    path: str


class PaperOut(BaseModel):
    """A document or file behind a result."""

    code: str | None
    issued_on: date | None
    title: str | None
    sha256: str | None
    file_name: str | None
    size: int | None


class ResultOut(BaseModel):
    """One revision of a result; ``outcome`` is null while it stands undecided."""

    id: int
    round: int
    revision: int
    text: str
    unchanged: bool
    figures: Mapping[str, str]
    outcomes: Mapping[str, Mapping[str, str]]
    submitted_at: datetime
    completed_on: date
    late_entry: bool
    stated_name: str
    stated_post: str | None
    outcome: str | None
    documents: list[PaperOut]


class ExtensionOut(BaseModel):
    """A request for another date (đề nghị gia hạn) and what became of it."""

    id: int
    asked_at: datetime
    requested_due_on: date
    reason: str
    explanation: str | None
    state: str
    decided_at: datetime | None
    decision_reason: str | None
    granted_due_on: date | None


class ObstacleOut(BaseModel):
    """An obstacle (vướng mắc) and its answer."""

    id: int
    assignment: int | None
    text: str
    raised_at: datetime
    state: str
    answer: str | None
    answered_at: datetime | None
    answer_document: str | None


class AssignmentDetail(AssignmentOut):
    """One assignment with everything around it."""

    actions: list[ActionOut]
    may_ask_extension: bool
    may_raise_obstacle: bool
    request_text: str | None
    figures: list[FigureOut]
    outcomes: list[OutcomeOut]
    results: list[ResultOut]
    extension_requests: list[ExtensionOut]
    obstacles: list[ObstacleOut]


class Done(BaseModel):
    """What became of an action. ``version`` is the assignment's new one."""

    assignment: int
    status: Status
    status_text: str
    version: int
    submission: int | None = None


class ExtensionDone(BaseModel):
    """A request that was stored; ``due_on`` is the day asked for, on a working day."""

    id: int
    asked_for: date
    due_on: date
    beyond_cap: bool


class ObstacleDone(BaseModel):
    """An obstacle that was stored."""

    id: int


class FileDone(BaseModel):
    """A file that was checked and stored; results cite it by ``sha256``."""

    sha256: str
    name: str
    size: int
    media_type: str


class FindingOut(BaseModel):
    """A finding of an inspection (kiến nghị kiểm tra)."""

    id: int
    document: str
    issued_on: date | None
    text: str
    agency: str
    assignment: int | None
    due_on: date | None
    state: str
    state_text: str
    overdue: bool


class CellsOut(BaseModel):
    """The four cells (bốn ô); a passed provisional date counts as in time, and by itself too."""

    total: int
    done_in_time: int
    done_late: int
    open_in_time: int
    open_overdue: int
    past_provisional: int


class SummaryOut(CellsOut):
    """The four cells of a period, and how they were counted."""

    plan: str | None
    year: int | None
    quarter: int | None
    cutoff: date
    original: bool
    known_at: datetime | None
    agency: str | None
    by_agency: dict[str, CellsOut] | None = None


class EventOut(BaseModel):
    """A line of history. ``digest`` is SHA-256(0x00 ‖ ``canonical`` in UTF-8) (RFC 6962)."""

    id: int
    at: datetime
    effective_on: date
    entity: str
    entity_id: str
    action: str
    plan: str | None
    item: str | None
    period: str | None
    agency: str | None
    actor_kind: str
    actor_name: str
    actor_agency: str | None
    canonical_version: int
    canonical: str
    digest: str
