"""The flow of each item, made from the plans in the database: the engine knows no item by name.

``flows.items.<plan>__<item>`` is the flow of an item, e.g. ``qd_1718_2023__ii_3``. Prefect's child
process imports this module and asks it for that name; the module then makes this one flow
(:pep:`562`). See ``docs/decisions/0004-flows.md``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from prefect import Flow, flow
from sqlalchemy.orm import Session

from flows.reporting import finish, perform_here, run_name
from flows.shell import BusinessDate, Job, Outcome, opened
from flows.standing import item_figures, item_message, item_periods
from notifications.formats import shorten
from operations.opening import open_due
from operations.reminding import remind
from operations.stamp import Stamp
from operations.state import load_plan, plan_keys
from rules.run_state import run_state
from rules.values import Item, Plan
from runtime.wiring import Runtime

_BANNED = str.maketrans({"/": "-", "%": " ", "&": "và", "<": "(", ">": ")"})
"""Signs that Prefect takes in no name."""
_NAME_LENGTH = 120


@dataclass(frozen=True, slots=True)
class ItemFlow:
    """An item that has a flow."""

    plan: Plan
    item: Item

    @property
    def name(self) -> str:
        """The name of the flow in this module."""
        slug = re.sub(r"[^a-z0-9]+", "_", self.item.key.lower()).strip("_")
        return f"{self.plan.key}__{slug}"

    @property
    def title(self) -> str:
        """What people read: the item's code and task."""
        return shorten(f"{self.item.key} · {self.item.text.task}".translate(_BANNED), _NAME_LENGTH)

    @property
    def deployment(self) -> str:
        """The name of the item's deployment, below its flow's."""
        return self.plan.short_code.translate(_BANNED)

    @property
    def job(self) -> Job:
        """What its runs are logged as."""
        return Job(
            word="item",
            title=self.title,
            time_zone=self.plan.time_zone,
            plan=self.plan.key,
            item=self.item.key,
        )


def item_flows(session: Session) -> list[ItemFlow]:
    """Every item of every active plan, in the order of the plans. ValueError: two of one name."""
    found = [
        ItemFlow(plan, item)
        for plan in (load_plan(session, key) for key in plan_keys(session))
        for item in plan.items
    ]
    names = [one.name for one in found]
    for one in found:
        if names.count(one.name) > 1:
            raise ValueError(f"two items would have the flow {one.name!r}; give one another key")
    return found


def work_on(one: ItemFlow, session: Session, stamp: Stamp, day: BusinessDate) -> Outcome:
    """Open what is due, queue what is owed, and say how the item stands."""
    plan, item = one.plan.key, one.item.key
    opened_now = open_due(session, stamp, plan, only_item=item)
    reminded = remind(session, stamp, plan=plan, item=item, sending_allowed=day.sends)
    periods = item_periods(session, plan, item)
    state = run_state(periods, stamp.as_of)
    found = item_figures(periods, stamp.as_of, opened_now, reminded)
    return Outcome(state=state.value, message=item_message(state, found), figures=found)


def make_flow(one: ItemFlow) -> Flow[Any, Any]:
    """The flow of an item."""

    @flow(
        name=one.title,
        description=one.item.text.task,
        flow_run_name=lambda: run_name(one.item.key, one.plan.time_zone),
    )
    async def item_flow(as_of: date | None = None) -> Any:
        def work(_: Runtime, session: Session, stamp: Stamp, day: BusinessDate) -> Outcome:
            return work_on(one, session, stamp, day)

        return await finish(one.job, await perform_here(one.job, work, as_of))

    return item_flow


@cache
def _known() -> dict[str, ItemFlow]:
    with opened() as runtime, runtime.database.read() as session:
        return {one.name: one for one in item_flows(session)}


def __getattr__(name: str) -> Flow[Any, Any]:
    if "__" not in name.strip("_") or (one := _known().get(name)) is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return make_flow(one)
