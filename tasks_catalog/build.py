"""From the files' shapes to the values of ``rules``, and back (rule 8)."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from rules.directory import Directory
from rules.values import (
    BESIDE_GROUP,
    Agency,
    Budget,
    Document,
    Figure,
    Group,
    Item,
    ItemCalendar,
    ItemParties,
    ItemText,
    Ladder,
    Member,
    PartySpan,
    Plan,
    Policies,
    RequiredOutcome,
    Rung,
    Succession,
    TaskGroup,
)
from tasks_catalog import schema as s
from tasks_catalog.daysoff import Correction


def build_corrections(file: s.DaysOffFile) -> tuple[Correction, ...]:
    """The corrections of the library of public holidays."""
    return tuple(Correction(**_values(c)) for c in file.corrections)


def build_agencies(
    file: s.AgenciesFile,
) -> tuple[tuple[Agency, ...], tuple[Group, ...], tuple[Succession, ...]]:
    """The agencies, groups and successions, not yet checked against each other."""
    return (
        tuple(Agency(**_values(a)) for a in file.agencies),
        tuple(
            Group(**_values(g) | {"members": tuple(Member(**_values(m)) for m in g.members)})
            for g in file.groups
        ),
        tuple(Succession(**_values(x)) for x in file.successions),
    )


def build_plan(
    plan: s.PlanFile,
    calendar: s.CalendarFile,
    parties: s.PartiesFile,
    obligations: s.ObligationsFile | None = None,
) -> Plan:
    """The plan; every item of ``plan`` must stand in the next two files."""
    outside = obligations or s.ObligationsFile()
    rows = [(group.key, row) for group in plan.groups for row in group.items]
    return Plan(
        **_values(plan)
        | {
            "decision": Document(**_values(plan.decision)),
            "coordinator": parties.coordinator.agency,
            "coordinator_basis": parties.coordinator.basis,
            "groups": tuple(TaskGroup(key=g.key, title=g.title) for g in plan.groups),
            "items": tuple(
                Item(
                    key=row.key,
                    group=group,
                    position=position,
                    text=ItemText(**{k: v for k, v in _values(row).items() if k != "key"}),
                    calendar=_calendar(calendar.items[row.key]),
                    parties=_parties(parties.items[row.key]),
                )
                for position, (group, row) in enumerate(rows, start=1)
            ),
            "beside": tuple(
                _beside(one, len(rows) + n) for n, one in enumerate(outside.items, start=1)
            ),
            "cost_lines": tuple(Budget(**_values(one)) for one in outside.cost_lines),
            "cost_sources": tuple(Budget(**_values(one)) for one in outside.cost_sources),
            "ladders": {k: _ladder(k, ladder) for k, ladder in calendar.ladders.items()},
            "policies": Policies(
                **_values(calendar.policies)
                | {"two_step": frozenset[str](calendar.policies.two_step)}
            ),
        }
    )


def _calendar(model: s.ItemCalendarModel) -> ItemCalendar:
    figures = tuple(Figure(**_values(f)) for f in model.figures)
    outcomes = tuple(RequiredOutcome(**_values(o)) for o in model.outcomes)
    return ItemCalendar(**_values(model) | {"figures": figures, "outcomes": outcomes})


def _beside(model: s.ObligationModel, position: int) -> Item:
    return Item(
        key=model.key,
        group=BESIDE_GROUP,
        position=position,
        text=ItemText(
            number=None,
            task=model.title,
            activity_intro=None,
            activity_bullets=tuple(model.quotes),
            lead=tuple(model.lead),
            partners=tuple(model.partners),
            timing=model.timing,
            section=model.section,
        ),
        calendar=_calendar(model.calendar),
        parties=_parties(model.parties),
    )


def _parties(model: s.ItemPartiesModel) -> ItemParties:
    return ItemParties(
        lead_mode=model.lead_mode,
        leads=tuple(PartySpan(**_values(span)) for span in model.leads),
        partners=tuple(PartySpan(**_values(span)) for span in model.partners),
        basis=model.basis,
    )


def _ladder(key: str, model: s.LadderModel) -> Ladder:
    rungs = (Rung(**_values(rung)) for rung in model.rungs)
    return Ladder(key=key, rungs=tuple(sorted(rungs, key=lambda r: r.offset)), basis=model.basis)


def _values(model: s.Strict) -> dict[str, Any]:
    """The fields of a model by name, lists as tuples."""
    pairs = ((name, getattr(model, name)) for name in type(model).model_fields)
    return {name: tuple(v) if isinstance(v, list) else v for name, v in pairs}


def to_agencies_file(directory: Directory) -> s.AgenciesFile:
    """The file that gives this directory."""
    return s.AgenciesFile(
        agencies=[s.AgencyModel(**_plain(a)) for a in directory.agencies],
        groups=[
            s.GroupModel(**_plain(g) | {"members": [s.MemberModel(**_plain(m)) for m in g.members]})
            for g in directory.groups
        ],
        successions=[s.SuccessionModel(**_plain(x)) for x in directory.successions],
    )


def to_plan_file(plan: Plan) -> s.PlanFile:
    """The file with the decision's words."""
    rows = {
        group.key: [
            s.ItemTextModel(
                key=item.key, **{k: v for k, v in _plain(item.text).items() if k != "section"}
            )
            for item in plan.items
            if item.group == group.key
        ]
        for group in plan.groups
    }
    values = _plain(plan)
    return s.PlanFile(
        **{name: values[name] for name in s.PlanFile.model_fields}
        | {
            "decision": s.DocumentModel(**_plain(plan.decision)),
            "groups": [
                s.GroupTextModel(key=g.key, title=g.title, items=rows[g.key]) for g in plan.groups
            ],
        }
    )


def to_calendar_file(plan: Plan) -> s.CalendarFile:
    """The file with dates, ladders and policies."""
    return s.CalendarFile(
        policies=s.PoliciesModel(
            **_plain(plan.policies) | {"two_step": sorted(plan.policies.two_step)}
        ),
        ladders={
            key: s.LadderModel(
                rungs=[s.RungModel(**_plain(rung)) for rung in ladder.rungs], basis=ladder.basis
            )
            for key, ladder in plan.ladders.items()
        },
        items={item.key: _calendar_model(item.calendar) for item in plan.items},
    )


def _calendar_model(calendar: ItemCalendar) -> s.ItemCalendarModel:
    return s.ItemCalendarModel(
        **_plain(calendar)
        | {
            "figures": [s.FigureModel(**_plain(f)) for f in calendar.figures],
            "outcomes": [s.OutcomeModel(**_plain(o)) for o in calendar.outcomes],
        }
    )


def to_parties_file(plan: Plan) -> s.PartiesFile:
    """The file with the parties."""
    return s.PartiesFile(
        coordinator=s.CoordinatorModel(agency=plan.coordinator, basis=plan.coordinator_basis),
        items={item.key: _parties_model(item.parties) for item in plan.items},
    )


def _parties_model(parties: ItemParties) -> s.ItemPartiesModel:
    return s.ItemPartiesModel(
        lead_mode=parties.lead_mode,
        leads=[s.PartySpanModel(**_plain(span)) for span in parties.leads],
        partners=[s.PartySpanModel(**_plain(span)) for span in parties.partners],
        basis=parties.basis,
    )


def to_obligations_file(plan: Plan) -> s.ObligationsFile | None:
    """The file with what stands outside the appendix; None when there is nothing."""
    if not (plan.beside or plan.cost_lines or plan.cost_sources):
        return None
    return s.ObligationsFile(
        items=[
            s.ObligationModel(
                key=item.key,
                section=item.text.section or "",
                title=item.text.task,
                quotes=list(item.text.activity_bullets),
                lead=list(item.text.lead),
                partners=list(item.text.partners),
                timing=item.text.timing,
                calendar=_calendar_model(item.calendar),
                parties=_parties_model(item.parties),
            )
            for item in plan.beside
        ],
        cost_lines=[s.BudgetModel(**_plain(one)) for one in plan.cost_lines],
        cost_sources=[s.BudgetModel(**_plain(one)) for one in plan.cost_sources],
    )


def _plain(value: object) -> dict[str, Any]:
    """The fields of a frozen value by name, tuples as lists."""
    pairs = ((f.name, getattr(value, f.name)) for f in fields(value))  # type: ignore[arg-type]
    return {name: list(v) if isinstance(v, tuple) else v for name, v in pairs}
