"""What stands around the engine and is asked by ``tiendo doctor``: flows and their workers, the
shared limits, PostgreSQL's release and roles, the disks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.orm import Session

from deployments.plan import Deployed, deployed
from models.roles import ADDED_TO
from notifications.formats import vn_number
from operations.doctor import Check, Finding, Level
from portal.throttle import LimitsUnreachable, open_throttle
from runtime.prefect_client import Deployment, PrefectClient, PrefectDown
from runtime.prefect_pools import workers

if TYPE_CHECKING:
    from datetime import datetime

    from runtime.settings import Settings
    from runtime.wiring import Runtime

POSTGRESQL_LEAST = 14
"""Prefect's least; each release before it has reached its end."""
GIGABYTE = 10**9
FREE_LEAST = 2 * GIGABYTE
FREE_WANTED = 10 * GIGABYTE
"""Bytes: below the first something stops soon, below the second it is time to look."""


def _ok(check: Check, words: str) -> Finding:
    return Finding(check=check, level=Level.OK, text=words)


def _wrong(check: Check, words: str, remedy: str) -> Finding:
    return Finding(check=check, level=Level.WRONG, text=words, remedy=remedy)


def flows_in_prefect(
    runtime: Runtime, session: Session, client: PrefectClient, now: datetime
) -> Iterator[Finding]:
    """Whether Prefect has every flow with its schedules, and somebody takes the pool's runs."""
    settings = runtime.settings
    plan = deployed(session, settings)
    remedy = "tiendo deploy" if settings.work_pool else "chạy lại tiendo up"
    try:
        there = {one.entrypoint: one for one in client.deployments()}
        if settings.work_pool:
            yield _of_workers(client, settings.work_pool, now)
    except PrefectDown as error:
        yield _wrong(Check.PREFECT, f"Không đọc được các luồng ở Prefect ({error})", remedy)
        return
    lacking = _lacking(plan, settings, there)
    if lacking:
        words = f"{len(lacking)} luồng thiếu hoặc sai lịch ở Prefect: {'; '.join(lacking[:3])}"
        yield _wrong(Check.PREFECT, words, remedy)
    else:
        yield _ok(Check.PREFECT, f"Đủ {len(plan)} luồng với lịch chạy")


def _lacking(
    plan: Sequence[Deployed], settings: Settings, there: Mapping[str, Deployment]
) -> list[str]:
    found = []
    for one in plan:
        made = there.get(one.entrypoint)
        fits = (
            made is not None
            and not made.paused
            and set(made.crons) == set(one.crons)
            and made.pool == settings.work_pool
        )
        if not fits:
            found.append(one.item or one.flow_name)
    return found


def _of_workers(client: PrefectClient, pool: str, now: datetime) -> Finding:
    alive = [one for one in workers(client, pool) if one.alive(now)]
    if alive:
        return _ok(Check.PREFECT, f"Nhóm “{pool}” có {len(alive)} tiến trình chạy luồng")
    return _wrong(
        Check.PREFECT,
        f"Nhóm “{pool}” không có tiến trình nào chạy luồng",
        "systemctl start tiendo-worker@1",
    )


def limits(settings: Settings) -> Finding:
    """Whether the storage of the rate limits answers."""
    if settings.limits_storage == "memory://":
        return _ok(Check.LIMITS, "Giới hạn truy cập được đếm trong từng tiến trình cổng")
    try:
        open_throttle(settings.limits_storage)
    except LimitsUnreachable as error:
        return _wrong(Check.LIMITS, str(error), "systemctl status redis-server")
    return _ok(Check.LIMITS, "Kết nối được Redis, nơi các tiến trình cổng cùng đếm giới hạn")


def postgresql(session: Session) -> Iterator[Finding]:
    """PostgreSQL's release, and whether this role could change history."""
    if session.get_bind().dialect.name == "sqlite":
        return
    release = int(session.execute(text("SHOW server_version_num")).scalar_one()) // 10000
    if release < POSTGRESQL_LEAST:
        words = f"PostgreSQL {release} quá cũ; cần bản {POSTGRESQL_LEAST} trở lên"
        yield _wrong(Check.DATABASE, words, "nâng cấp máy chủ cơ sở dữ liệu")
    owned = session.execute(
        text(
            "SELECT count(*) FROM pg_class WHERE relname = ANY(:names) AND relkind = 'r' "
            "AND pg_has_role(current_user, relowner, 'USAGE')"
        ),
        {"names": list(ADDED_TO)},
    ).scalar_one()
    yield Finding(
        check=Check.DATABASE,
        level=Level.NOTE if owned else Level.OK,
        text="Vai trò đang kết nối sở hữu các bảng lịch sử, nên có thể tắt các chốt bảo vệ"
        if owned
        else f"PostgreSQL {release}; vai trò đang kết nối không sửa, không xóa được lịch sử",
        remedy="tiendo database roles (docs/history.md)" if owned else None,
    )


def disks(settings: Settings) -> Iterator[Finding]:
    """Room where data and backups lie, and whether backups can be written."""
    folders = {settings.data_dir: "dữ liệu", settings.backups_dir: "sao lưu"}
    for folder, words in folders.items():
        yield _disk(folder, words)


def _disk(folder: Path, words: str) -> Finding:
    standing = folder
    while not standing.exists():
        standing = standing.parent
    if not os.access(standing, os.W_OK):
        remedy = "cấp quyền ghi thư mục này cho người chạy hệ thống"
        return _wrong(Check.DISK, f"Không ghi được thư mục {words} {folder}", remedy)
    free = shutil.disk_usage(standing).free
    told = f"Ổ đĩa của thư mục {words} còn trống {vn_number(free / GIGABYTE, 1)} GB"
    if free < FREE_LEAST:
        return _wrong(Check.DISK, told, f"dọn hoặc mở rộng ổ đĩa chứa {folder}")
    if free < FREE_WANTED:
        return Finding(
            check=Check.DISK, level=Level.NOTE, text=told, remedy="chuẩn bị mở rộng ổ đĩa"
        )
    return _ok(Check.DISK, told)
