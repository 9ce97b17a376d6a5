"""Whether a plan's three files fit together and with the agencies (rule 9)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from rules.directory import Directory
from rules.recurrence import (
    BadCron,
    DueBeforeOpening,
    NeverFires,
    PeriodOutsidePlan,
    RecurrenceError,
    Scheduled,
    expand,
)
from rules.values import Item, LeadMode, PartySpan, PeriodKind, Plan
from tasks_catalog import schema
from tasks_catalog.checks_agencies import check_dates, check_ref
from tasks_catalog.wording import nearest
from tasks_catalog.yaml_source import Loc, YamlSource

ENGINE_LADDERS = ("standard", "check_in", "provisional", "request", "record")
"""Ladders that the engine itself falls back on, so every plan has them (rules 16, 17, 19, 27)."""

_PERIODS = {
    PeriodKind.YEAR: "năm, dạng 2027",
    PeriodKind.QUARTER: "quý, dạng 2027-Q4",
    PeriodKind.MONTH: "tháng, dạng 2027-03",
}


@dataclass(frozen=True)
class PlanSources:
    """The three files of a plan, as read."""

    plan: YamlSource
    calendar: YamlSource
    parties: YamlSource
    obligations: YamlSource | None = None

    def place(self, item: Item, plan: Plan) -> ItemPlace:
        """Where an item's dates and parties stand."""
        if not item.is_beside or self.obligations is None:
            rest: Loc = ("items", item.key)
            return ItemPlace(self.calendar, rest, self.parties, rest)
        at: Loc = ("items", plan.beside.index(item))
        return ItemPlace(self.obligations, (*at, "calendar"), self.obligations, (*at, "parties"))


@dataclass(frozen=True)
class ItemPlace:
    """Where the dates and the parties of one item stand in the files."""

    dates: YamlSource
    dates_at: Loc
    parties: YamlSource
    parties_at: Loc


def check_structure(
    sources: PlanSources,
    plan: schema.PlanFile,
    calendar: schema.CalendarFile,
    parties: schema.PartiesFile,
    obligations: schema.ObligationsFile | None = None,
) -> None:
    """Note keys that are missing, doubled or unknown between the three files."""
    if plan.last_year < plan.first_year:
        problem = f"{plan.last_year} trước first_year {plan.first_year}"
        sources.plan.refuse(("last_year",), problem, "ghi năm cuối của kế hoạch")
    seen: set[str] = set()
    for g, group in enumerate(plan.groups):
        if group.key in {other.key for other in plan.groups[:g]}:
            remedy = "mỗi nhóm nhiệm vụ một khóa riêng"
            sources.plan.refuse(("groups", g, "key"), f"trùng khóa “{group.key}”", remedy)
        for i, row in enumerate(group.items):
            if row.key in seen:
                remedy = "mỗi nhiệm vụ một khóa riêng, dạng nhóm.số"
                place: Loc = ("groups", g, "items", i, "key")
                sources.plan.refuse(place, f"trùng khóa “{row.key}”", remedy)
            seen.add(row.key)
    for source, keys in ((sources.calendar, calendar.items), (sources.parties, parties.items)):
        for key in sorted(seen - set(keys)):
            remedy = f"thêm mục “{key}:” dưới “items”"
            source.refuse(("items",), f"thiếu nhiệm vụ “{key}” của plan.yaml", remedy)
        for key in sorted(set(keys) - seen):
            remedy = nearest(key, seen, otherwise="bỏ mục này")
            source.refuse(("items", key), f"plan.yaml không có nhiệm vụ “{key}”", remedy)
    _check_ladders(sources.calendar, calendar)
    _check_items(sources, calendar, obligations)


def _check_ladders(source: YamlSource, calendar: schema.CalendarFile) -> None:
    for key in ENGINE_LADDERS:
        if key not in calendar.ladders:
            remedy = f"thêm “{key}:” với rungs và basis"
            source.refuse(("ladders",), f"thiếu bậc nhắc “{key}”", remedy)
    for key, ladder in calendar.ladders.items():
        offsets = [rung.offset for rung in ladder.rungs]
        for n, offset in enumerate(offsets):
            if offset in offsets[:n]:
                place: Loc = ("ladders", key, "rungs", n, "offset")
                source.refuse(place, f"trùng bậc {offset}", "gộp audience vào một bậc")


def _check_items(
    sources: PlanSources,
    calendar: schema.CalendarFile,
    obligations: schema.ObligationsFile | None,
) -> None:
    for key, item in calendar.items.items():
        _check_item(sources.calendar, ("items", key), item, calendar)
    if sources.obligations is not None and obligations is not None:
        for n, one in enumerate(obligations.items):
            if one.key in {other.key for other in obligations.items[:n]}:
                remedy = "mỗi nhiệm vụ một khóa riêng"
                at: Loc = ("items", n, "key")
                sources.obligations.refuse(at, f"trùng khóa “{one.key}”", remedy)
            at = ("items", n, "calendar")
            _check_item(sources.obligations, at, one.calendar, calendar)


def _check_item(
    source: YamlSource, at: Loc, item: schema.ItemCalendarModel, calendar: schema.CalendarFile
) -> None:
    """Note an unknown ladder, doubled keys, and figures that are a part of none."""
    if item.ladder not in calendar.ladders:
        remedy = nearest(item.ladder, calendar.ladders, otherwise="khai báo dưới “ladders”")
        source.refuse((*at, "ladder"), f"không có bậc nhắc “{item.ladder}”", remedy)
    for field, keys in (
        ("figures", [one.key for one in item.figures]),
        ("outcomes", [one.key for one in item.outcomes]),
    ):
        for n, key in enumerate(keys):
            if key in keys[:n]:
                source.refuse((*at, field, n, "key"), f"trùng khóa “{key}”", "đặt khóa khác")
    wholes = [one.key for one in item.figures if one.of is None]
    for n, figure in enumerate(item.figures):
        if figure.of is not None and figure.of not in wholes:
            remedy = nearest(figure.of, wholes, otherwise="nêu khóa của số liệu làm mẫu số")
            source.refuse((*at, "figures", n, "of"), f"không có mẫu số “{figure.of}”", remedy)
        if figure.target is not None and figure.of is None:
            remedy = "ghi “of:” là khóa của số liệu làm mẫu số"
            source.refuse((*at, "figures", n, "target"), "chỉ tiêu thiếu mẫu số", remedy)


def check_meaning(sources: PlanSources, plan: Plan, directory: Directory) -> None:
    """Note dates that do not work out and parties that mean nobody."""
    refs = {a.key for a in directory.agencies} | {f"@{g.key}" for g in directory.groups}
    check_ref(sources.parties, ("coordinator", "agency"), plan.coordinator, refs)
    for item in plan.decided:
        place = sources.place(item, plan)
        schedule = _check_schedule(place, item, plan)
        named = _check_spans(place, item, refs)
        if named:
            _check_leads(place, item, directory, schedule)
            _check_partners(place, item, directory, schedule)


def _check_schedule(at: ItemPlace, item: Item, plan: Plan) -> tuple[Scheduled, ...]:
    try:
        return expand(item.calendar, plan.first_year, plan.last_year)
    except RecurrenceError as error:
        field, problem, remedy = _explain(error)
        place: Loc = (*at.dates_at, field)
        if isinstance(error, PeriodOutsidePlan) and error.field == "milestones":
            place = (*place, error.written)
        at.dates.refuse(place, problem, remedy)
        return ()


def _explain(error: RecurrenceError) -> tuple[str, str, str]:
    """Field, problem and remedy of a calendar that gives no dates."""
    match error:
        case BadCron():
            remedy = "ghi năm trường: phút giờ ngày tháng thứ, ví dụ 0 17 31 3 *"
            return error.field, f"cron “{error.expression}” không hợp lệ", remedy
        case NeverFires():
            return (
                error.field,
                f"cron “{error.expression}” không rơi vào ngày nào trong {error.period.label}",
                "chọn ngày có thật (L là ngày cuối tháng), hoặc sửa period, first_period, every",
            )
        case DueBeforeOpening():
            return (
                "due",
                f"{error.period.label} có hạn {error.due_on}, trước ngày mở {error.opens_on}",
                "mở sớm hơn, hoặc ghi due_in_next: 1 nếu hạn rơi vào kỳ sau",
            )
        case PeriodOutsidePlan():
            return (
                error.field,
                f"“{error.written}” không phải là kỳ của nhiệm vụ này",
                f"ghi {_PERIODS[error.kind]}, từ {error.first_year} đến {error.last_year}",
            )
        case _:
            return "opens", str(error), "xem lại lịch của nhiệm vụ"


def _check_spans(at: ItemPlace, item: Item, refs: Iterable[str]) -> bool:
    source = at.parties
    before = len(source.errors)
    for field, spans in (("leads", item.parties.leads), ("partners", item.parties.partners)):
        for n, span in enumerate(spans):
            place: Loc = (*at.parties_at, field, n)
            check_dates(source, place, span.valid_from, span.valid_to)
            for r, ref in enumerate(span.refs):
                check_ref(source, (*place, "refs", r), ref, refs)
            for other in spans[:n]:
                if _overlap(span, other):
                    remedy = "cho đoạn trước kết thúc (valid_to) một ngày trước đoạn sau"
                    source.refuse(place, "hai đoạn thời gian chồng lên nhau", remedy)
    return len(source.errors) == before


def _overlap(one: PartySpan, two: PartySpan) -> bool:
    first = max(one.valid_from or date.min, two.valid_from or date.min)
    return first <= min(one.valid_to or date.max, two.valid_to or date.max)


@dataclass(frozen=True)
class _Phrase:
    """The leads or the partners of an item, as they stand in the file."""

    at: ItemPlace
    item: Item
    field: str
    spans: Sequence[PartySpan]

    def resolve(self, directory: Directory, one: Scheduled) -> tuple[str, ...] | None:
        """Whom it means on an opening day; None, and noted, when that is nobody."""
        where, day = f"kỳ {one.period.label} mở ngày {one.opens_on}", one.opens_on
        place: Loc = (*self.at.parties_at, self.field)
        n = next((n for n, span in enumerate(self.spans) if span.valid_on(day)), None)
        if n is None:
            remedy = "kéo dài valid_from, valid_to cho liền nhau (refs: [] nếu đúng là không có ai)"
            self.at.parties.refuse(place, f"không đoạn thời gian nào phủ {where}", remedy)
            return None
        refs = self.spans[n].refs
        found = directory.resolve(refs, day, item_key=self.item.key)
        if found or (self.field == "partners" and not refs):
            return found
        remedy = "nêu cơ quan đang hoạt động vào ngày đó, hoặc bổ sung nhóm"
        problem = f"không chỉ cơ quan nào còn hiệu lực khi {where}"
        self.at.parties.refuse((*place, n, "refs"), problem, remedy)
        return None


def _check_leads(
    at: ItemPlace, item: Item, directory: Directory, schedule: Sequence[Scheduled]
) -> None:
    leads = _Phrase(at, item, "leads", item.parties.leads)
    for one in schedule:
        found = leads.resolve(directory, one)
        if found is None:
            return
        if item.parties.lead_mode is LeadMode.SINGLE and len(found) > 1:
            names = ", ".join(directory.agency(key).name for key in found)
            problem = f"ngày {one.opens_on} có {len(found)} cơ quan chủ trì ({names})"
            remedy = "dùng joint hoặc each, hoặc chỉ nêu một cơ quan"
            at.parties.refuse((*at.parties_at, "lead_mode"), problem, remedy)
            return


def _check_partners(
    at: ItemPlace, item: Item, directory: Directory, schedule: Sequence[Scheduled]
) -> None:
    partners = _Phrase(at, item, "partners", item.parties.partners)
    for one in schedule if partners.spans else ():
        if partners.resolve(directory, one) is None:
            return
