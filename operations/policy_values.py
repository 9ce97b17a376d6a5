"""The policies that were set in the system, laid over those of the plan's version (rules 8, 20)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.tables import PolicySetting
from rules.values import Confirmation, Item, Plan

TWO_STEPS = ("extend", "waive", "reopen", "cancel")
"""Decisions that can ask for two steps (rule 20)."""
TWO_STEP = "two_step."
"""Begins the name of a policy that says whether a decision takes two steps."""
CONFIRMATION = "confirmation."
"""Begins the name of a policy that says how one item is confirmed."""


def policies_set(session: Session, key: str) -> dict[str, PolicySetting]:
    """The newest setting of each policy of a plan, by name; those given back left out."""
    newest = (
        select(func.max(PolicySetting.id))
        .where(PolicySetting.plan_key == key)
        .group_by(PolicySetting.name)
    )
    rows = session.scalars(select(PolicySetting).where(PolicySetting.id.in_(newest)))
    return {row.name: row for row in rows if row.value is not None}


def with_policies(plan: Plan, settings: Mapping[str, PolicySetting]) -> Plan:
    """``plan`` under the policies that were set; ``confirmation.<item>`` is an item's own."""
    return laid_over(plan, {name: row.value or "null" for name, row in settings.items()})


def laid_over(plan: Plan, settings: Mapping[str, str]) -> Plan:
    """The same from the values alone, as JSON."""
    if not settings:
        return plan
    values = {name: json.loads(value) for name, value in settings.items()}
    before = plan.policies.two_step
    two_step = frozenset(one for one in TWO_STEPS if values.pop(TWO_STEP + one, one in before))
    items = {
        name.removeprefix(CONFIRMATION): Confirmation(values.pop(name))
        for name in list(values)
        if name.startswith(CONFIRMATION)
    }
    return replace(
        plan,
        policies=replace(plan.policies, two_step=two_step, **values),
        items=tuple(_confirmed_as(item, items) for item in plan.items),
        beside=tuple(_confirmed_as(item, items) for item in plan.beside),
    )


def _confirmed_as(item: Item, found: Mapping[str, Confirmation]) -> Item:
    if item.key not in found:
        return item
    return replace(item, calendar=replace(item.calendar, confirmation=found[item.key]))
