"""The flow of each item, made from the plans in the database: the engine knows no item by name.

``flows.items.<plan>__<item>`` is the flow of an item, e.g. ``qd_1718_2023__ii_3``. Prefect's child
process imports this module and asks it for that name; the module then makes this one flow
(:pep:`562`). See ``docs/decisions/0004-flows.md``.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

from prefect import Flow, flow
from sqlalchemy.orm import Session

from flows.naming import ItemFlow, item_flows
from flows.reporting import finish, perform_here, run_name
from flows.shell import BusinessDate, Outcome, opened
from flows.standing import item_figures, item_message, item_periods
from operations.opening import open_due
from operations.reminding import remind
from operations.stamp import Stamp
from rules.run_state import run_state
from rules.shards import Shard
from runtime.wiring import Runtime


def work_on(
    one: ItemFlow,
    session: Session,
    stamp: Stamp,
    day: BusinessDate,
    *,
    shard: Shard | None = None,
) -> Outcome:
    """Open what is due, queue what is owed (to a share of the agencies), say how the item stands."""
    plan, item = one.plan.key, one.item.key
    opened_now = open_due(session, stamp, plan, only_item=item)
    reminded = remind(session, stamp, plan=plan, item=item, shard=shard, sending_allowed=day.sends)
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
    async def item_flow(as_of: date | None = None, shard: str | None = None) -> Any:
        share = None if shard is None else Shard.parse(shard)

        def work(_: Runtime, session: Session, stamp: Stamp, day: BusinessDate) -> Outcome:
            return work_on(one, session, stamp, day, shard=share)

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
