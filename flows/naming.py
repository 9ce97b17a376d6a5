"""Which flows there are and what they are called; nothing of Prefect, so that asking is cheap."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy.orm import Session

from flows.shell import Job
from notifications.formats import shorten
from operations.backups import BACKUP_JOB, TRIAL_JOB
from operations.state import load_plan, plan_keys
from rules.values import Item, Plan

DELIVERY = Job(word="delivery", title="Gửi thư nhắc")
SUMMARY = Job(word="summary", title="Tổng hợp đầu tuần")
NIGHTLY = Job(word="nightly", title="Kiểm tra hằng đêm")
BACKUP = Job(word=BACKUP_JOB, title="Sao lưu hằng đêm")
RESTORE_TRIAL = Job(word=TRIAL_JOB, title="Khôi phục thử")
SEALING = Job(word="sealing", title="Niêm phong lịch sử")
VERIFYING = Job(word="verifying", title="Kiểm chứng lịch sử")

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
        for item in plan.decided
    ]
    names = [one.name for one in found]
    for one in found:
        if names.count(one.name) > 1:
            raise ValueError(f"two items would have the flow {one.name!r}; give one another key")
    return found
