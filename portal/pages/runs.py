"""Lượt chạy: what the engine ran by itself, what it should have run, and a run now.

Our own record is shown whether or not Prefect answers; Prefect adds what goes on right now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from operations.access import log_access
from operations.backups import standing
from operations.queries_runs import (
    ITEM_JOB,
    JOB_WORDS,
    RunView,
    item_runs,
    last_of_jobs,
    run_detail,
    run_list,
)
from operations.state import load_plan, plan_keys
from portal.errors import NotThere, PageError
from portal.exporting import MOST, takes_away
from portal.forms import Posted, posted
from portal.letter_tables import item_runs_table, runs_table
from portal.portal import Portal, address_of, portal_of
from portal.throttle import POSTS
from portal.told import say, told
from portal.visitors import person_of
from reports.tables import Table
from rules.actors import AccountRole
from runtime.backup_shelf import shelf
from runtime.prefect_client import TIMEOUT_SECONDS, Deployment, PrefectClient, PrefectDown, Run

router = APIRouter()
_READ = ["GET", "HEAD"]
BASE: Final = "/luot-chay"
LISTED: Final = 50
LOG_LINES: Final = 200
GOING_ON: Final = ("PENDING", "RUNNING", "CANCELLING", "PAUSED")
MAY_START: Final = frozenset({AccountRole.COORDINATOR, AccountRole.ADMIN})

TYPE_WORDS: Final = {
    "SCHEDULED": "đang chờ đến lượt",
    "PENDING": "sắp chạy",
    "RUNNING": "đang chạy",
    "COMPLETED": "đã chạy xong",
    "FAILED": "lỗi kỹ thuật",
    "CRASHED": "dừng giữa chừng",
    "CANCELLING": "đang hủy",
    "CANCELLED": "đã hủy",
    "PAUSED": "tạm dừng",
}
"""What people read for Prefect's own words."""


class PrefectSilent(PageError):
    """Prefect does not answer, so nothing can be started."""

    status, title = 503, "Chưa chạy được"

    def __init__(self) -> None:
        super().__init__(
            "Bộ chạy luồng (Prefect) không trả lời nên chưa đặt được lần chạy. Nội dung khác của "
            "hệ thống vẫn dùng bình thường; đề nghị thử lại sau hoặc báo người vận hành."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A line that a run wrote into Prefect's log."""

    at: datetime
    level: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AtPrefect:
    """What Prefect says right now. ``up`` is whether it answered."""

    up: bool
    runs: tuple[Run, ...] = ()
    deployments: tuple[Deployment, ...] = ()

    def of_item(self, plan: str, item: str) -> Deployment | None:
        """The deployment of an item: it carries both keys as tags."""
        return next((one for one in self.deployments if {plan, item} <= set(one.tags)), None)

    def others(self, plans: Iterable[str]) -> list[tuple[str, Deployment]]:
        """The deployments that belong to no plan, with what people call them."""
        keys = set(plans)
        return [
            (JOB_WORDS.get(one.entrypoint.rpartition(".")[2], one.name), one)
            for one in self.deployments
            if not keys & set(one.tags)
        ]


@lru_cache(maxsize=4)
def client_of(url: str, seconds: float = TIMEOUT_SECONDS) -> PrefectClient:
    """The one connection that is kept to the Prefect at ``url`` by those who wait so long."""
    return PrefectClient(url, timeout=seconds)


def ask_prefect(portal: Portal) -> AtPrefect:
    """What goes on at Prefect, asked with a short wait; its last answer when asked just now."""
    client = client_of(portal.runtime.settings.prefect_url)
    going_on = client.recent_runs(types=GOING_ON, limit=LISTED)
    if going_on.stale:
        return AtPrefect(up=False, runs=going_on.runs)
    try:
        return AtPrefect(up=True, runs=going_on.runs, deployments=tuple(client.deployments()))
    except PrefectDown:
        return AtPrefect(up=False, runs=going_on.runs)


@router.api_route(BASE, methods=_READ, name="runs")
def runs(request: Request) -> Response:
    """Every item with its last run; alarms first."""
    portal, person = portal_of(request), person_of(request)
    settings = portal.runtime.settings
    with portal.runtime.database.read() as session:
        found = item_runs(
            session, now=portal.runtime.clock.now(), as_of=portal.today, cron=settings.items_cron
        )
        others = last_of_jobs(session)
        kept = standing(session, portal.runtime.clock.now())
        trial = portal.is_trial(session)
    at = ask_prefect(portal)
    return portal.pages(
        request,
        "runs.html",
        items=found,
        unopened=[one for one in found if one.unopened],
        missed=[one for one in found if one.missed and not one.unopened],
        faults=[one for one in found if one.last is not None and one.last.fault],
        others=others,
        backups=kept,
        shelf=shelf(settings.backups_dir),
        quiet=kept.never and trial,
        common=at.others({one.plan.key for one in found}),
        several=len({one.plan.key for one in found}) > 1,
        at=at,
        type_words=TYPE_WORDS,
        may_start=person.role in MAY_START,
        prefect=settings.prefect_url.removesuffix("/api"),
        said=told(request),
    )


@router.api_route(BASE + "/tat-ca", methods=_READ, name="runs_all")
def runs_all(request: Request) -> Response:
    """Every run that was recorded, filtered in the address, the newest first."""
    portal, asked = portal_of(request), request.query_params
    before = asked.get("truoc", "")
    with portal.runtime.database.read() as session:
        plans = [load_plan(session, key) for key in plan_keys(session)]
        place = int(before) if before.isdecimal() and len(before) < 19 else None
        found = _asked_runs(session, request, before=place, limit=LISTED + 1)
    return portal.pages(
        request,
        "runs_all.html",
        runs=found[:LISTED],
        more=found[LISTED - 1].id if len(found) > LISTED else None,
        plans=plans,
        asked={name: asked.get(name, "") for name in ("de-an", "nhiem-vu", "loai")},
        jobs=JOB_WORDS,
    )


def _asked_runs(
    session: Session, request: Request, *, before: int | None = None, limit: int
) -> list[RunView]:
    names = ("de-an", "nhiem-vu", "loai")
    plan, item, job = (request.query_params.get(name) or None for name in names)
    return run_list(
        session,
        plan=plan,
        item=item,
        job=job or (ITEM_JOB if item else None),
        before=before,
        limit=limit,
    )


def _runs_file(request: Request) -> Table:
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        cron, now = portal.runtime.settings.items_cron, portal.runtime.clock.now()
        found = item_runs(session, now=now, as_of=portal.today, cron=cron)
        return item_runs_table(found, last_of_jobs(session))


def _all_runs_file(request: Request) -> Table:
    with portal_of(request).runtime.database.read() as session:
        return runs_table(_asked_runs(session, request, limit=max(MOST.values()) + 1))


takes_away(router, "runs", _runs_file)
takes_away(router, "runs_all", _all_runs_file, words={"loai": JOB_WORDS})


@router.api_route(BASE + "/{number}", methods=_READ, name="run")
def run(request: Request, number: int) -> Response:
    """One run: its figures, what it wrote, its log, and the way to Prefect."""
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        found = run_detail(session, number)
    if found is None:
        raise NotThere("Không có lượt chạy này.")
    log, up = _log_of(portal, found.view.run)
    return portal.pages(
        request,
        "run.html",
        detail=found,
        one=found.view,
        log=log,
        up=up,
        prefect=portal.runtime.settings.prefect_url.removesuffix("/api"),
    )


def _log_of(portal: Portal, run_id: str | None) -> tuple[Sequence[LogLine], bool]:
    """The log lines of a run, and whether Prefect answered."""
    if run_id is None:
        return (), True
    body = {
        "logs": {"flow_run_id": {"any_": [run_id]}},
        "sort": "TIMESTAMP_ASC",
        "limit": LOG_LINES,
    }
    try:
        rows: Any = client_of(portal.runtime.settings.prefect_url).post("/logs/filter", body)
    except PrefectDown:
        return (), False
    return [
        LogLine(
            at=datetime.fromisoformat(str(one["timestamp"])),
            level=int(one["level"]),
            text=str(one["message"]),
        )
        for one in rows
    ], True


@router.post(BASE + "/chay-ngay", name="run_now")
def run_now(request: Request, form: Annotated[Posted, Depends(posted)]) -> Response:
    """Ask Prefect for a run of one deployment; who asked is logged.

    Raises:
        PrefectSilent: Prefect does not answer.
        NotThere: it has no such deployment.
    """
    portal, person = portal_of(request), person_of(request)
    portal.throttle.hit(POSTS, f"account:{person.account}")
    client, wanted = client_of(portal.runtime.settings.prefect_url), form.line("deployment")
    try:
        chosen = next((one for one in client.deployments() if one.id == wanted), None)
        if chosen is None:
            raise NotThere("Không còn luồng này ở bộ chạy; đề nghị tải lại trang.")
        started = client.start_run(chosen.id)
    except PrefectDown:
        raise PrefectSilent from None
    with portal.runtime.database.write() as session:
        log_access(
            session,
            at=portal.runtime.clock.now(),
            actor=f"account:{person.username}",
            method="POST",
            path=f"{BASE}/chay-ngay?run={started}",
            address=address_of(request),
        )
    title = form.line("title") or chosen.name
    return RedirectResponse(
        say(request, BASE, f"Đã đặt chạy ngay: {title}. Kết quả hiện ở đây khi chạy xong."),
        status_code=303,
    )
