"""The shipped plan in the middle of a year, served over a real socket for browsers.

The clock is ours: everything was prepared in January 2026, a year has gone by, and it is
Tuesday 6 April 2027, a week after the due date of I.1.
"""

from __future__ import annotations

import socket
import threading
import time as clock_time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

import uvicorn
from pydantic import SecretStr
from sqlalchemy import select

from models.history_tables import RunLog
from models.tables import Assignment, LinkToken, Occurrence
from notifications.mailbox import LocalMailbox
from operations.account_links import issue_password_link
from operations.accounts import NewAccount, add_account
from operations.act import act
from operations.acting import ActRequest
from operations.added import AddedInput, add_work
from operations.dates import fix_year_dates
from operations.extensions import ask_extension
from operations.findings import NewFinding, record_finding
from operations.links import LINK_PATH, LinkPurpose, issue
from operations.money import MoneyInput, set_money
from operations.obstacles import raise_obstacle
from operations.opening import open_due
from operations.partners import PartnerRequest, request_contribution
from operations.reminding import remind
from operations.results import Paper, Result
from operations.stamp import Stamp
from portal.app import create_app
from rules.actors import AccountRole, Actor, ActorKind, flow_actor
from rules.lifecycle import Action
from rules.values import Document, Role
from runtime.clock import FixedClock
from runtime.delivery import deliver
from runtime.preparing import prepare
from runtime.sealing import seal_now
from runtime.settings import Settings
from runtime.wiring import Runtime, open_runtime

PLAN = "qd_1718_2023"
AGENCY, LATE, CENTRE = "xa_van_ninh", "phuong_nha_trang", "so_noi_vu"
TODAY = date(2027, 4, 6)
PASSWORD = "mat-khau-rat-dai-2027"
SECRET = "a-secret-for-tests-that-is-long-enough-indeed"
ACCOUNTS = (
    ("quantri", AccountRole.ADMIN, None, "Phạm Văn Quản"),
    ("dieuphoi", AccountRole.COORDINATOR, CENTRE, "Lê Thị Điều"),
    ("lanhdao", AccountRole.LEADERSHIP, CENTRE, "Trần Văn Lãnh"),
    ("vanninh", AccountRole.AGENCY, AGENCY, "Nguyễn Thị Hoa"),
    ("kiemtra", AccountRole.AUDITOR, None, "Đỗ Văn Kiểm"),
)


@dataclass
class Live:
    """A portal that browsers can open at ``url``."""

    runtime: Runtime
    clock: FixedClock
    url: str

    def work(self, agency: str, item: str, period: str, role: Role = Role.LEAD) -> int:
        """The id of an assignment."""
        with self.runtime.database.read() as session:
            return session.scalars(
                select(Assignment.id)
                .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
                .where(
                    Assignment.agency_key == agency,
                    Assignment.role == role.value,
                    Occurrence.item_key == item,
                    Occurrence.period_key == period,
                )
            ).one()

    def link(self, agency: str = AGENCY, *, days: int = 30) -> str:
        """The path of a fresh link of an agency's letter."""
        box = f"{agency.replace('_', '-')}@khanh-hoa.test"
        with self.runtime.database.write() as session:
            text = issue(
                session,
                self.stamp(flow_actor("delivery")),
                mailbox=box,
                agency=agency,
                purpose=LinkPurpose.WORK,
                secret=SECRET,
                days=days,
            )
        return f"{LINK_PATH}{text}"

    def password_link(self, username: str) -> str:
        """The path of a fresh link that sets the password of an account."""
        operator = self.stamp(Actor(kind=ActorKind.OPERATOR, name="Người vận hành"))
        with self.runtime.database.write() as session:
            return issue_password_link(session, operator, username, secret=SECRET)

    def stamp(self, actor: Actor) -> Stamp:
        """An act of ``actor``, now."""
        today = self.clock.today("Asia/Ho_Chi_Minh")
        return Stamp(at=self.clock.now(), as_of=today, actor=actor)

    def act(self, actor: Actor, work: int, action: Action, request: ActRequest) -> None:
        """Take an action."""
        with self.runtime.database.write() as session:
            act(session, self.stamp(actor), work, action, request)

    def tokens(self) -> int:
        """How many links there are."""
        with self.runtime.database.read() as session:
            return len(session.scalars(select(LinkToken.id)).all())


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _at(day: date) -> datetime:
    return datetime.combine(day, time(1, 30), UTC)


def _person(agency: str, name: str, post: str) -> Actor:
    box = f"{agency.replace('_', '-')}@khanh-hoa.test"
    return Actor(kind=ActorKind.MAILBOX, name=name, post=post, mailbox=box, agency=agency)


def _clerk(role: AccountRole = AccountRole.COORDINATOR) -> Actor:
    return Actor(
        kind=ActorKind.PERSON, name="Lê Thị Điều", role=role, account="dieuphoi", agency=CENTRE
    )


@contextmanager
def live(folder: Path, database_url: str | None = None) -> Iterator[Live]:
    """Serve the portal with work in every state, until the block ends."""
    port, clock = _free_port(), FixedClock(_at(date(2026, 1, 5)))
    settings = Settings(
        _env_file=None,
        data_dir=folder,
        database_url=database_url or f"sqlite:///{folder / 'live.sqlite'}",
        link_secret=SecretStr(SECRET),
        portal_port=port,
        local_mail_port=_free_port(),
    )
    runtime = open_runtime(settings, clock=clock)
    site = Live(runtime=runtime, clock=clock, url=settings.portal_url)
    try:
        prepare(runtime)
        play(site)
        server = uvicorn.Server(
            uvicorn.Config(create_app(runtime), host="127.0.0.1", port=port, log_level="warning")
        )
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            clock_time.sleep(0.02)
        yield site
        server.should_exit = True
        thread.join(timeout=10)
    finally:
        runtime.close()


def play(site: Live) -> None:
    """Play 2026 and the first months of 2027, so that every page has something on it."""
    _open(site, date(2026, 3, 16))
    _file(site, "2026", date(2026, 3, 16))
    _open(site, date(2027, 1, 4))
    _fix_dates(site)
    _open(site, date(2027, 3, 15))
    _states_of_march(site)
    _open(site, TODAY)
    with site.runtime.database.write() as session:
        for username, role, agency, name in ACCOUNTS:
            new = NewAccount(
                username=username,
                name=name,
                role=role,
                password=PASSWORD,
                agency=agency,
                basis="Quyết định số 15/QĐ-TTr",
                valid_to=date(2027, 12, 31),
            )
            admin = Actor(kind=ActorKind.OPERATOR, name="Người vận hành")
            add_account(session, site.stamp(admin), new)
    _letters(site)
    _checked(site)
    seal_now(site.runtime)


def _open(site: Live, day: date) -> None:
    site.clock.instant = _at(day)
    with site.runtime.database.write() as session:
        open_due(session, site.stamp(flow_actor("hàng ngày")), PLAN)


def _fix_dates(site: Live) -> None:
    dates = {
        ("I.1", "2027"): date(2027, 3, 31),
        ("I.2", "2027"): date(2027, 6, 30),
        ("II.3", "2027"): date(2027, 3, 31),
    }
    document = Document(code="12/SNV-CCHC", issued_on=date(2027, 1, 4))
    with site.runtime.database.write() as session:
        fix_year_dates(session, site.stamp(_clerk()), PLAN, 2027, dates, document=document)


def _file(site: Live, year: str, day: date, agency: str = AGENCY) -> None:
    """An agency files I.1 of a year, and it is confirmed."""
    work = site.work(agency, "I.1", year)
    paper = Paper(
        code="45/QĐ-UBND", issued_on=day, title="Về việc phân công nhiệm vụ cải cách hành chính"
    )
    result = Result(text="Đã ban hành quyết định phân công 3 công chức.", papers=[paper])
    hoa = _person(agency, "Nguyễn Thị Hoa", "Công chức Văn phòng - Thống kê")
    site.act(hoa, work, Action.SUBMIT, ActRequest(result=result))
    site.act(_clerk(), work, Action.CONFIRM, ActRequest())


def _states_of_march(site: Live) -> None:
    day = site.clock.today("Asia/Ho_Chi_Minh")
    for agency in ("phuong_ninh_hoa", "xa_dien_khanh"):
        _file(site, "2027", day, agency)
    paper = Paper(code="118/QĐ-UBND", issued_on=day)
    waiting = _person("xa_cam_lam", "Võ Thị Lan", "Công chức")
    result = ActRequest(result=Result(text="Đã phân công, kèm danh sách.", papers=[paper]))
    site.act(waiting, site.work("xa_cam_lam", "I.1", "2027"), Action.SUBMIT, result)
    returned = site.work("so_tai_chinh", "I.1", "2027")
    site.act(_person("so_tai_chinh", "Bùi An", "Chuyên viên"), returned, Action.SUBMIT, result)
    more = ActRequest(reason="Thiếu danh sách công chức được phân công.")
    site.act(_clerk(), returned, Action.RETURN, more)
    mine = site.work(AGENCY, "I.1", "2027")
    hoa = _person(AGENCY, "Nguyễn Thị Hoa", "Công chức Văn phòng - Thống kê")
    with site.runtime.database.write() as session:
        stamp = site.stamp(hoa)
        ask_extension(
            session,
            stamp,
            mine,
            until=date(2027, 4, 29),
            reason="Đang sắp xếp lại nhân sự sau khi bổ nhiệm Phó Chủ tịch, chưa phân công được.",
        )
        text = "Xã chưa có biên chế chuyên trách; đề nghị hướng dẫn việc kiêm nhiệm."
        raise_obstacle(session, stamp, text=text, assignment_id=mine)
        request = PartnerRequest(
            content="Cung cấp số lượng công chức cần bồi dưỡng năm 2027, theo mẫu kèm theo.",
            respond_by=date(2027, 3, 26),
            form="Bảng tổng hợp",
            document="88/SNV-CCHC",
        )
        lead = site.work(CENTRE, "II.3", "2027")
        partner = site.work(AGENCY, "II.3", "2027", Role.PARTNER)
        request_contribution(session, site.stamp(_clerk()), lead, [partner], request)


def _checked(site: Live) -> None:
    """A run in the log, a finding of an inspection, work outside the appendix, and money."""
    money = (
        MoneyInput(line="classes", source="province", planned=180_000_000, spent=42_500_000),
        MoneyInput(line="materials", source="own_budget", planned=15_000_000, spent=12_000_000),
    )
    added = AddedInput(
        basis_code="512/UBND-NC",
        basis_on=date(2027, 3, 15),
        task="Rà soát thủ tục nội bộ",
        product="Báo cáo kết quả rà soát",
        due_on=date(2027, 5, 8),
        leads=("so_tu_phap",),
    )
    finding = NewFinding(
        document="15/KL-TTr",
        issued_on=date(2027, 3, 1),
        text="Bổ sung hồ sơ phân công công chức.",
        agency=AGENCY,
        due_on=date(2027, 4, 30),
    )
    with site.runtime.database.write() as session:
        record_finding(session, site.stamp(_clerk()), finding)
        add_work(session, site.stamp(_clerk()), PLAN, added)
        for amount in money:
            set_money(session, site.stamp(_clerk()), site.work(CENTRE, "II.3", "2027"), amount)
        session.add(
            RunLog(
                job="item",
                plan_key=PLAN,
                item_key="I.1",
                as_of=TODAY,
                started_at=_at(TODAY),
                finished_at=_at(TODAY),
                state="Đang thực hiện",
                figures='{"Kỳ mở trong lần chạy này":1,"Thư lập mới":0}',
            )
        )


def _letters(site: Live) -> None:
    """The letters of today, in the local mailbox."""
    settings = site.runtime.settings
    with LocalMailbox(settings.mailbox_dir, port=settings.local_mail_port, clock=site.clock.now):
        with site.runtime.database.write() as session:
            remind(session, site.stamp(flow_actor("nhắc việc")))
        deliver(site.runtime.post_office(), as_of=TODAY)
