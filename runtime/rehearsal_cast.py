"""The people of a rehearsal: agencies that act on time, and the coordinator that confirms."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Assignment, Occurrence
from operations.act import ActRequest, act
from operations.results import OutcomeFiled, Paper, Result
from operations.stamp import Stamp
from operations.state import PlanState
from rules.actors import AccountRole, Actor, ActorKind
from rules.lifecycle import OPEN, Action, Status
from rules.values import Role

DAYS_BEFORE = 3
"""Working days before its due date on which an agency that acts on time files its result."""


def acting(day: date, actor: Actor) -> Stamp:
    """An act of ``actor`` at eight in the morning of ``day``, local time."""
    return Stamp(at=datetime.combine(day, time(1), UTC), as_of=day, actor=actor)


def clerk(coordinator: str) -> Actor:
    """Somebody of the coordinator's staff."""
    return _person("Chuyên viên điều phối", AccountRole.COORDINATOR, coordinator)


def _person(name: str, role: AccountRole, agency: str) -> Actor:
    return Actor(
        kind=ActorKind.PERSON, name=name, role=role, account=f"{role}.{agency}", agency=agency
    )


def act_on_time(session: Session, state: PlanState, day: date) -> None:
    """Every lead whose date is near files its result, and it is confirmed the same day."""
    rows = session.execute(
        select(Assignment.id, Assignment.agency_key, Occurrence.item_key)
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .where(
            Occurrence.plan_key == state.plan.key,
            Assignment.role == Role.LEAD.value,
            Assignment.status.in_([status.value for status in OPEN]),
            Assignment.due_on <= state.calendar.add(day, DAYS_BEFORE),
        )
        .order_by(Assignment.id)
    ).all()
    centre = state.coordinator(day)
    for number, agency, item in rows:
        own = agency == centre
        filer = _person(
            "Cán bộ đầu mối", AccountRole.COORDINATOR if own else AccountRole.AGENCY, agency
        )
        figures = {one.key: "0" for one in state.plan.item(item).calendar.figures}
        result = Result(
            text="Đã hoàn thành (diễn tập).",
            papers=(Paper(code="01/BC-UBND", issued_on=day),),
            figures=figures,
            outcomes={
                one.key: OutcomeFiled(none_because="Diễn tập")
                for one in state.plan.item(item).calendar.outcomes
            },
        )
        done = act(session, acting(day, filer), number, Action.SUBMIT, ActRequest(result=result))
        if done.status is Status.SUBMITTED:
            decider = _person("Lãnh đạo", AccountRole.LEADERSHIP, centre) if own else clerk(centre)
            act(session, acting(day, decider), number, Action.CONFIRM)
