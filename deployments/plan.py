"""What runs when: every deployment with its flow, its schedules and its tags, as values.

Plain cron without a year: an expression that runs out never fires, and nobody would see it. Which
year is whose is decided by the catalog, in the flow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from flows.naming import (
    BACKUP,
    DELIVERY,
    NIGHTLY,
    SEALING,
    SUMMARY,
    VERIFYING,
    ItemFlow,
    item_flows,
)
from runtime.settings import Settings

ITEM_TAG = "nhiệm vụ"
MAIL_TAG = "thư"
CARE_TAG = "vận hành"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """A deployment: ``entrypoint`` is a module path that any folder can load."""

    entrypoint: str
    flow_name: str
    name: str
    crons: tuple[str, ...]
    time_zone: str
    tags: tuple[str, ...]
    description: str
    item: str | None = None

    @property
    def full_name(self) -> str:
        """As Prefect names it: the flow, then the deployment."""
        return f"{self.flow_name}/{self.name}"


def later(cron: str, minutes: int) -> str:
    """``cron`` some minutes later, where its minute and hour are plain numbers; else itself.

    So that the flows of the items do not all start at once. It stays within the day.
    """
    minute, hour, *rest = cron.split()
    if not (minute.isdecimal() and hour.isdecimal()):
        return cron
    whole = min(int(hour) * 60 + int(minute) + minutes, 24 * 60 - 1)
    return " ".join((str(whole % 60), str(whole // 60), *rest))


def deployed(session: Session, settings: Settings) -> list[Deployed]:
    """All deployments: one for each item of the plans in the database, then those for all."""
    return [*_items(item_flows(session), settings), *_common(settings)]


def _items(found: Sequence[ItemFlow], settings: Settings) -> Iterable[Deployed]:
    for position, one in enumerate(found):
        yield Deployed(
            entrypoint=f"flows.items.{one.name}",
            flow_name=one.title,
            name=one.deployment,
            crons=(later(settings.items_cron, position),),
            time_zone=one.plan.time_zone,
            tags=(ITEM_TAG, one.plan.key, one.item.key),
            description=one.item.text.task,
            item=one.item.key,
        )


def _common(settings: Settings) -> Iterable[Deployed]:
    for entrypoint, job, crons, tag, description in (
        (
            "flows.mail.summary",
            SUMMARY,
            (settings.summary_cron,),
            MAIL_TAG,
            "Lập thư tổng hợp của tuần cho cơ quan điều phối.",
        ),
        (
            "flows.mail.delivery",
            DELIVERY,
            (settings.delivery_cron, settings.delivery_again_cron),
            MAIL_TAG,
            "Lập thư nhắc của ngày và gửi những thư chờ gửi.",
        ),
        (
            "flows.nightly.nightly",
            NIGHTLY,
            (settings.nightly_cron,),
            CARE_TAG,
            "Tìm những gì có thể đã sai mà chưa ai thấy.",
        ),
        (
            "flows.backup.backup",
            BACKUP,
            (settings.backup_cron,),
            CARE_TAG,
            "Sao lưu, khôi phục thử, bỏ bớt bản cũ theo thiết lập.",
        ),
        (
            "flows.log.sealing",
            SEALING,
            (settings.seal_cron,),
            CARE_TAG,
            "Niêm phong những sự kiện mới của lịch sử.",
        ),
        (
            "flows.log.verifying",
            VERIFYING,
            (settings.verify_cron,),
            CARE_TAG,
            "Kiểm chứng toàn bộ lịch sử, gửi niêm phong của ngày cho nơi kiểm tra.",
        ),
    ):
        yield Deployed(
            entrypoint=entrypoint,
            flow_name=job.title,
            name=COMMON,
            crons=crons,
            time_zone=settings.time_zone,
            tags=(tag,),
            description=description,
        )


COMMON = "chung"
"""The name of the deployments that belong to no plan."""
