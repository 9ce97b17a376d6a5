"""Reading: the token itself, plans, items, agencies, occurrences, assignments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, TypeVar

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from operations.api_reading import Asked, assignments_page, occurrences_page
from operations.errors import NotFound
from operations.plans_seen import agencies_elsewhere
from operations.queries_detail import WorkDetail, work_detail
from operations.state import load_directory, load_plan, plan_keys
from portal.api.door import BASE, By, Caller
from portal.api.parameters import (
    After,
    AgencyKey,
    ItemKey,
    Key,
    Limit,
    PeriodKey,
    PlanKey,
    RoleIs,
    StatusIs,
    WorkId,
    Year,
)
from portal.api.shapes import (
    ActionOut,
    AgencyOut,
    AssignmentDetail,
    AssignmentOut,
    ExtensionOut,
    FigureOut,
    ItemOut,
    Me,
    ObstacleOut,
    OccurrenceOut,
    OutcomeOut,
    Page,
    PaperOut,
    PlanOut,
    ResultOut,
    assignment_fields,
)
from portal.views import offer
from rules.actors import capacities
from rules.lifecycle import ACTION_WORDS, Action
from rules.values import Item, Plan

router = APIRouter(prefix=BASE)
_T = TypeVar("_T")
NO_SUCH: Final = "Không có nội dung này, hoặc không dành cho mã này."
"""The same words for what is not there and for another agency's (rule 46)."""


class ApiAction(StrEnum):
    """What an agency's program may do with its work; decisions are people's (rule 20)."""

    START = "start"
    SUBMIT = "submit"
    NO_CHANGE = "no_change"
    """"Không thay đổi so với năm trước", citing the document in force."""
    WITHDRAW = "withdraw"
    AWAIT_ISSUANCE = "await_issuance"
    RESUME = "resume"
    COVER = "cover"
    CONTRIBUTE = "contribute"


def page_of(rows: Sequence[_T], numbers: Iterable[int], limit: int) -> Page[_T]:
    """A page from ``limit`` rows and one more, where there is one."""
    shown = list(rows[:limit])
    last = list(numbers)[:limit]
    return Page(items=shown, next=last[-1] if len(rows) > limit else None)


def own_or_asked(by: Caller, asked: str | None) -> str | None:
    """The agency to narrow to: its own for an agency's token, whatever it asks for.

    Raises:
        NotFound: it asks for another's (rule 46).
    """
    if by.agency is None:
        return asked
    if asked not in {None, by.agency}:
        raise NotFound(NO_SUCH)
    return by.agency


@router.get("/me", name="v1_me")
def me(by: By) -> Me:
    """Mã đang dùng: cơ quan, phạm vi, ngày cuối; ngày làm việc hiện nay."""
    token = by.token
    return Me(
        id=token.id,
        name=token.name,
        kind=token.kind,
        agency=token.agency,
        agency_name=by.agency_name,
        scopes=list(token.scopes),
        valid_to=token.valid_to,
        today=by.portal.today,
    )


@router.get("/plans", name="v1_plans")
def plans(by: By) -> list[PlanOut]:
    """Các đề án đang theo dõi."""
    with by.portal.runtime.database.read() as session:
        found = [load_plan(session, key) for key in plan_keys(session)]
    return [
        PlanOut(
            key=one.key,
            short_code=one.short_code,
            title=one.title,
            decision=one.decision.code,
            decided_on=one.decision.issued_on,
            issued_by=one.issued_by,
            first_year=one.first_year,
            last_year=one.last_year,
            version=one.version,
            coordinator=one.coordinator,
        )
        for one in found
    ]


@router.get("/items", name="v1_items")
def items(by: By, plan: PlanKey = None) -> list[ItemOut]:
    """Các nhiệm vụ, nguyên văn theo quyết định."""
    with by.portal.runtime.database.read() as session:
        found = [load_plan(session, key) for key in plan_keys(session) if plan in {None, key}]
    return [_item(one, item) for one in found for item in one.decided]


@router.get("/items/{key:path}", name="v1_item")
def item(by: By, key: Key, plan: PlanKey = None) -> ItemOut:
    """Một nhiệm vụ, kể cả giao bổ sung (BS-2027/01); “plan” chỉ cần khi nhiều đề án có cùng mã nhiệm vụ."""
    with by.portal.runtime.database.read() as session:
        found = [load_plan(session, name) for name in plan_keys(session) if plan in {None, name}]
    for one in found:
        for each in one.every_item:
            if each.key == key:
                return _item(one, each)
    raise NotFound(NO_SUCH)


def _item(plan: Plan, one: Item) -> ItemOut:
    text = one.text
    return ItemOut(
        plan=plan.key,
        key=one.key,
        group=one.group,
        group_title=plan.group_title(one),
        section=one.text.section,
        task=text.task,
        activity_intro=text.activity_intro,
        activities=list(text.activity_bullets),
        lead=list(text.lead),
        partners=list(text.partners),
        timing=text.timing,
        kind=one.calendar.kind,
        expected=list(one.calendar.expected),
        figures=figures_of(one),
        outcomes=outcomes_of(one),
    )


def figures_of(one: Item) -> list[FigureOut]:
    """The figures that results of an item carry."""
    return [
        FigureOut(
            key=figure.key,
            label=figure.label,
            unit=figure.unit,
            required=figure.required,
            of=figure.of,
            target=figure.target,
        )
        for figure in one.calendar.figures
    ]


def outcomes_of(one: Item) -> list[OutcomeOut]:
    """The outcomes that results of an item must name."""
    return [OutcomeOut(key=out.key, label=out.label) for out in one.calendar.outcomes]


@router.get("/agencies", name="v1_agencies")
def agencies(by: By) -> list[AgencyOut]:
    """Các cơ quan, đơn vị, kể cả những cơ quan đã kết thúc."""
    with by.portal.runtime.database.read() as session:
        hidden = agencies_elsewhere(session)
        found = [one for one in load_directory(session).agencies if one.key not in hidden]
    return [
        AgencyOut(**{name: getattr(one, name) for name in AgencyOut.model_fields}) for one in found
    ]


@router.get("/occurrences", name="v1_occurrences")
def occurrences(
    by: By,
    *,
    plan: PlanKey = None,
    item: ItemKey = None,
    period: PeriodKey = None,
    year: Year = None,
    after: After = 0,
    limit: Limit = 50,
) -> Page[OccurrenceOut]:
    """Các kỳ thực hiện; mã của cơ quan chỉ thấy những kỳ có cơ quan mình."""
    asked = Asked(plan=plan, item=item, period=period, year=year, agency=by.agency)
    renamed = {"plan": "plan_key", "item": "item_key", "period": "period_key"}
    with by.portal.runtime.database.read() as session:
        rows = occurrences_page(session, asked, after=after, limit=limit + 1)
        shown = [
            OccurrenceOut(
                **{n: getattr(row, renamed.get(n, n)) for n in OccurrenceOut.model_fields}
            )
            for row in rows
        ]
    return page_of(shown, (one.id for one in shown), limit)


@router.get("/assignments", name="v1_assignments")
def assignments(
    by: By,
    *,
    plan: PlanKey = None,
    item: ItemKey = None,
    period: PeriodKey = None,
    year: Year = None,
    agency: AgencyKey = None,
    status: StatusIs = None,
    role: RoleIs = None,
    after: After = 0,
    limit: Limit = 50,
) -> Page[AssignmentOut]:
    """Các phân công; mã của cơ quan chỉ thấy việc của cơ quan mình."""
    asked = Asked(
        plan=plan,
        item=item,
        period=period,
        year=year,
        agency=own_or_asked(by, agency),
        status=status,
        role=role,
    )
    with by.portal.runtime.database.read() as session:
        rows = assignments_page(session, asked, as_of=by.portal.today, after=after, limit=limit + 1)
    shown = [AssignmentOut.model_validate(assignment_fields(row)) for row in rows]
    return page_of(shown, (one.id for one in shown), limit)


@router.get("/assignments/{assignment}", name="v1_assignment")
def assignment(by: By, assignment: WorkId, response: Response) -> AssignmentDetail:
    """Một phân công: thao tác được phép lúc này, kết quả, gia hạn, vướng mắc."""
    with by.portal.runtime.database.read() as session:
        detail = detail_for(session, by, assignment)
    response.headers["etag"] = f'"{detail.row.version}"'
    return _detail(by, detail)


def detail_for(session: Session, by: Caller, number: int) -> WorkDetail:
    """One assignment, for whom it is (rule 46).

    Raises:
        NotFound: there is none, or it is another agency's; both read alike.
    """
    try:
        detail = work_detail(session, number, as_of=by.portal.today)
    except NotFound:
        raise NotFound(NO_SUCH) from None
    if by.agency not in {None, detail.row.agency}:
        raise NotFound(NO_SUCH)
    return detail


def _detail(by: Caller, detail: WorkDetail) -> AssignmentDetail:
    held = capacities(by.stamp().actor, detail.standing)
    offered = offer(detail, held, by_link=False)
    return AssignmentDetail.model_validate(
        assignment_fields(detail.row)
        | {
            "actions": list(_actions(detail, offered.actions, unchanged=offered.unchanged)),
            "may_ask_extension": offered.extension,
            "may_raise_obstacle": offered.obstacle,
            "request_text": detail.row.request_text,
            "figures": figures_of(detail.item),
            "outcomes": outcomes_of(detail.item),
            "results": [
                ResultOut(
                    **{n: getattr(one, n) for n in ResultOut.model_fields if n != "documents"},
                    documents=[
                        PaperOut(**{n: getattr(paper, n) for n in PaperOut.model_fields})
                        for paper in one.papers
                    ],
                )
                for one in detail.results
            ],
            "extension_requests": [
                ExtensionOut(**{n: getattr(one, n) for n in ExtensionOut.model_fields})
                for one in detail.extensions
            ],
            "obstacles": [
                ObstacleOut(**{n: getattr(one, n) for n in ObstacleOut.model_fields})
                for one in detail.obstacles
            ],
        }
    )


def _actions(
    detail: WorkDetail, allowed: frozenset[Action], *, unchanged: bool
) -> Iterable[ActionOut]:
    path = f"{BASE}/assignments/{detail.row.id}/actions"
    for one in ApiAction:
        if one is ApiAction.NO_CHANGE:
            if unchanged:
                said = "Không thay đổi so với năm trước"
                yield ActionOut(action=one.value, text=said, path=f"{path}/{one.value}")
        elif Action(one.value) in allowed:
            said = ACTION_WORDS[Action(one.value)]
            yield ActionOut(action=one.value, text=said, path=f"{path}/{one.value}")
