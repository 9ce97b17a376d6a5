"""Editing the calendar of an item, as a new version of its plan (rules 7, 8, 15, 17)."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from models.tables import Occurrence, PlanRow
from operations.guards import clean_document
from operations.history import Change, record, snapshot_of
from operations.item_calendar_effects import (
    CalendarEdit,
    CalendarEffects,
    OpenPeriod,
    check_calendar,
    open_rows,
)
from operations.opening import lock_plan
from operations.plan_versions import need_remembered, store_version, with_calendar
from operations.policies import set_policy
from operations.policy_values import CONFIRMATION
from operations.reminder_days import count_anew
from operations.rescheduling import move_date
from operations.stamp import Stamp
from operations.state import PlanState, load_applied, load_state
from operations.transition import Work
from rules.recurrence import expand
from rules.values import DateAuthority


def edit_calendar(
    session: Session, stamp: Stamp, plan_key: str, item_key: str, edit: CalendarEdit
) -> CalendarEffects:
    """Give an item another calendar from now on, as a new version of the plan.

    Raises:
        NotPermitted, NotFound, Refused: see :func:`check_calendar`; who confirms is a policy, which
            the leadership changes.
    """
    lock_plan(session, plan_key)
    edit = replace(edit, document=clean_document(edit.document))
    found = check_calendar(session, stamp, plan_key, item_key, edit)
    if found.confirmation is not None:
        set_policy(
            session,
            stamp,
            plan_key,
            CONFIRMATION + item_key,
            value=found.confirmation.value,
            basis=edit.basis,
            reason=edit.reason,
        )
    applied = load_applied(session, plan_key)
    kept = applied.item(item_key).calendar.confirmation  # a policy lies over it, see above
    version = found.version + 1
    need_remembered(session, stamp, applied)
    store_version(
        session,
        stamp,
        replace(
            with_calendar(applied, item_key, replace(found.calendar, confirmation=kept)),
            version=version,
        ),
        effective_from=stamp.as_of,
        action="edit_calendar",
        item=item_key,
        reason=edit.reason,
        document=edit.document,
    )
    session.get_one(PlanRow, plan_key).current_version = version
    session.flush()
    state = load_state(session, plan_key)
    for one in found.opened:
        if one.why is None:
            _follow(session, stamp, state, one, edit)
    count_anew(session, state)
    return found


def _follow(
    session: Session, stamp: Stamp, state: PlanState, one: OpenPeriod, edit: CalendarEdit
) -> None:
    """Let an untouched period follow; it stays untouched, for nobody acted on the work."""
    row = session.get_one(Occurrence, one.occurrence, with_for_update=True)
    calendar = state.plan.item(row.item_key).calendar
    nominal = next(
        found.nominal_due_on
        for found in expand(calendar, state.plan.first_year, state.plan.last_year)
        if found.period.key == one.period
    )
    row.ladder = calendar.ladder
    bound = False
    for work_row in open_rows(session, row.id) if one.before != one.after else ():
        changes: dict[str, object] = {"due_on": one.after, "nominal_due_on": nominal}
        if work_row.authority == DateAuthority.PROVISIONAL:  # nobody was bound by it (rule 17)
            changes["original_due_on"] = one.after
        else:
            bound = True
        work = Work(state=state, occurrence=row, assignment=work_row)
        move_date(
            session,
            stamp,
            work,
            "follow_calendar",
            changes=changes,
            reason=edit.reason,
            document=edit.document,
        )
    if one.before != one.after:
        row.nominal_due_on, row.due_on = nominal, one.after
        row.original_due_on = row.original_due_on if bound else one.after
    row.touched = False
    row.version += 1
    session.flush()
    change = Change(
        entity="occurrence",
        entity_id=str(row.id),
        action="follow_calendar",
        snapshot=snapshot_of(row),
        plan=row.plan_key,
        item=row.item_key,
        period=row.period_key,
        reason=edit.reason,
        document=edit.document,
    )
    record(session, stamp, [change])
