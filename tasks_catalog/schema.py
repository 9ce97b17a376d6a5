"""The shape of the catalog's files, checked strictly: no unknown field, no silent conversion.

Field names are those of ``rules.values``, where their meaning stands.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic import model_validator as validator
from pydantic_core import PydanticCustomError

from rules.added import is_added, is_beside
from rules.values import (
    ADDED_GROUP,
    BESIDE_GROUP,
    Audience,
    Certainty,
    Confirmation,
    DateAuthority,
    ItemKind,
    LeadMode,
    PeriodKind,
    Policies,
    Roll,
)


def _filled(text: str) -> str:
    if not text or text != text.strip():
        raise PydanticCustomError("blank", "blank, or space at an end")
    return text


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise PydanticCustomError("time_zone", "unknown time zone") from error
    return name


def _not_added(key: str) -> str:
    if key in {ADDED_GROUP, BESIDE_GROUP} or is_added(key) or is_beside(key):
        raise PydanticCustomError("added_key", "kept for work outside the appendix")
    return key


def _beside(key: str) -> str:
    if not is_beside(key):
        raise PydanticCustomError("beside_key", "of another form")
    return key


def _month_day(text: str) -> str:
    try:
        date.fromisoformat(f"2001-{text}")
    except ValueError as error:
        raise PydanticCustomError("month_day", "no such day") from error
    return text


Text = Annotated[str, AfterValidator(_filled)]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Ref = Annotated[str, StringConstraints(pattern=r"^@?[a-z][a-z0-9_]*$")]
ItemKey = Annotated[
    str, StringConstraints(pattern=r"^[A-Z0-9][A-Za-z0-9./-]*$"), AfterValidator(_not_added)
]
BesideKey = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z0-9][A-Za-z0-9./-]*$"),
    AfterValidator(_beside),
]
AnyItemKey = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Za-z0-9./-]*$")]
MonthDay = Annotated[Text, AfterValidator(_month_day)]
Count = Annotated[int, Field(ge=0)]
Loose = Field(strict=False)
"""For enumerations: a file can only hold their text."""

_DEFAULTS = Policies()


class Strict(BaseModel):
    """What all have in common."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class DocumentModel(Strict):
    code: Text
    issued_on: date | None = None
    title: Text | None = None


class ItemTextModel(Strict):
    key: ItemKey
    number: Text | None = None
    task: Text
    activity_intro: Text | None = None
    activity_bullets: list[Text] = []
    lead: Annotated[list[Text], Field(min_length=1)]
    partners: list[Text] = []
    timing: Text
    oddities: list[Text] = []


class GroupTextModel(Strict):
    key: ItemKey
    title: Text
    items: Annotated[list[ItemTextModel], Field(min_length=1)]


class PlanFile(Strict):
    """``plan.yaml``: the decision's words, and how the plan is called here (rule 6)."""

    key: Key
    short_code: Text
    version: Annotated[int, Field(ge=1)]
    effective_from: date
    title: Text
    decision: DocumentModel
    issued_by: Text
    time_zone: Annotated[Text, AfterValidator(_time_zone)]
    first_year: Annotated[int, Field(ge=1990, le=2200)]
    last_year: Annotated[int, Field(ge=1990, le=2200)]
    agencies_file: Key
    groups: Annotated[list[GroupTextModel], Field(min_length=1)]


class RungModel(Strict):
    offset: Annotated[int, Field(ge=-250, le=250)]
    audience: Annotated[list[Annotated[Audience, Loose]], Field(min_length=1)]


class LadderModel(Strict):
    rungs: Annotated[list[RungModel], Field(min_length=1)]
    basis: Text


class FigureModel(Strict):
    key: Key
    label: Text
    unit: Text | None = None
    required: bool = True
    of: Key | None = None
    target: Annotated[int, Field(ge=1, le=100)] | None = None
    goal: Text | None = None


class OutcomeModel(Strict):
    key: Key
    label: Text


class ItemCalendarModel(Strict):
    kind: Annotated[ItemKind, Loose] = ItemKind.TASK
    period: Annotated[PeriodKind, Loose] = PeriodKind.YEAR
    every: Annotated[int, Field(ge=1)] = 1
    first_period: Text | None = None
    last_period: Text | None = None
    opens: Text
    due: Text
    due_in_next: Count = 0
    roll: Annotated[Roll, Loose] = Roll.NEXT
    authority: Annotated[DateAuthority, Loose] = DateAuthority.PROVISIONAL
    fixed_by: Text | None = None
    confirmation: Annotated[Confirmation, Loose] = Confirmation.ACCEPT
    ladder: Key = "standard"
    milestones: dict[str, Key] = {}
    expected: list[Text] = []
    figures: list[FigureModel] = []
    cutoff: MonthDay | None = None
    outcomes: list[OutcomeModel] = []
    asks_contact: bool = False
    basis: Text


class PoliciesModel(Strict):
    extension_cap: Count = _DEFAULTS.extension_cap
    respond_workdays: Count = _DEFAULTS.respond_workdays
    late_entry_workdays: Count = _DEFAULTS.late_entry_workdays
    confirm_workdays: Count = _DEFAULTS.confirm_workdays
    sample_percent: Annotated[int, Field(ge=0, le=100)] = _DEFAULTS.sample_percent
    blast_factor: Annotated[float, Field(gt=0)] = _DEFAULTS.blast_factor
    full_tracking_cutoff: MonthDay = _DEFAULTS.full_tracking_cutoff
    link_days: Annotated[int, Field(ge=1)] = _DEFAULTS.link_days
    two_step: list[Literal["extend", "waive", "reopen", "cancel"]] = []
    own_work_confirmer: Key = _DEFAULTS.own_work_confirmer
    basis: Text


class CalendarFile(Strict):
    """``calendar.yaml``: dates, rungs and policies that the decision leaves open (rule 7)."""

    policies: PoliciesModel
    ladders: dict[str, LadderModel]
    items: dict[str, ItemCalendarModel]


class PartySpanModel(Strict):
    refs: list[Ref]
    valid_from: date | None = None
    valid_to: date | None = None


class ItemPartiesModel(Strict):
    lead_mode: Annotated[LeadMode, Loose]
    leads: Annotated[list[PartySpanModel], Field(min_length=1)]
    partners: list[PartySpanModel] = []
    basis: Text


class CoordinatorModel(Strict):
    agency: Key
    basis: Text


class PartiesFile(Strict):
    """``parties.yaml``: whom each phrase of the decision means, by date (rules 7, 12)."""

    coordinator: CoordinatorModel
    items: dict[str, ItemPartiesModel]


class ObligationModel(Strict):
    """Work outside the appendix; ``quotes``, ``lead`` and ``partners`` are verbatim."""

    key: BesideKey
    section: Text
    title: Text
    quotes: Annotated[list[Text], Field(min_length=1)]
    lead: Annotated[list[Text], Field(min_length=1)]
    partners: list[Text] = []
    timing: Text
    calendar: ItemCalendarModel
    parties: ItemPartiesModel


class BudgetModel(Strict):
    key: Key
    label: Text
    section: Text
    quote: Text


class ObligationsFile(Strict):
    """``obligations.yaml``: what the decision asks for outside its appendix (rules 41, 43)."""

    items: list[ObligationModel] = []
    cost_lines: list[BudgetModel] = []
    cost_sources: list[BudgetModel] = []


class AgencyModel(Strict):
    key: Key
    name: Text
    formal_name: Text | None = None
    kind: Key
    code: Text | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    letters: bool = True
    certainty: Annotated[Certainty, Loose] = Certainty.SEEN
    note: Text | None = None


class MemberModel(Strict):
    ref: Ref
    valid_from: date | None = None
    valid_to: date | None = None

    @validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return {"ref": value} if isinstance(value, str) else value


class GroupModel(Strict):
    key: Key
    name: Text
    members: list[MemberModel] = []
    letters: bool = True
    certainty: Annotated[Certainty, Loose] = Certainty.SEEN
    note: Text | None = None


class SuccessionModel(Strict):
    predecessor: Key
    successor: Key | None
    effective_on: date
    document: Text | None = None
    items: list[AnyItemKey] = []
    certainty: Annotated[Certainty, Loose] = Certainty.SEEN
    note: Text | None = None


class AgenciesFile(Strict):
    """``agencies/<name>.yaml``: agencies with their days of validity, groups, successions."""

    agencies: Annotated[list[AgencyModel], Field(min_length=1)]
    groups: list[GroupModel] = []
    successions: list[SuccessionModel] = []


class CorrectionModel(Strict):
    day: date
    working: bool
    name: Text
    document: Text


class DaysOffFile(Strict):
    """``days_off.yaml``: corrections of the library of public holidays (rule 3)."""

    corrections: list[CorrectionModel]
