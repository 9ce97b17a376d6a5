"""What is wrong with a system, as its database shows it, and what to do about it.

Read by ``tiendo doctor`` and asked before a database goes live. The surroundings (mail server,
Prefect, the clock) are looked at by whoever calls, and said in the same values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.tables import (
    Account,
    AgencyRow,
    Contact,
    Letter,
    LetterState,
    Mailbox,
    Occurrence,
)
from notifications.addresses import is_sample_address
from notifications.formats import vn_datetime
from operations.address_book import contact_gaps
from operations.catalog import preview_catalog
from operations.guards import vn_date
from operations.outbox import HeldReason
from operations.restored import held_after_restore
from operations.state import is_trial, load_state, plan_keys
from rules.actors import AccountRole
from tasks_catalog.loader import LoadedCatalog

LETTERS_SINCE = timedelta(days=30)
"""How far back letters that never arrived are still worth a word."""
NAMED = 5
"""How many agencies or addresses are named before the rest is a number."""


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    NOTE = "note"
    """Good to know; nothing has to be done now."""
    WRONG = "wrong"
    """Has to be mended: the command ends with 1, and a database does not go live."""


class Check(StrEnum):
    """What was looked at: the closed list of ``doctor --json``."""

    SETTINGS = "settings"
    DATABASE = "database"
    MAIL = "mail"
    SIGN_ON = "sign_on"
    PREFECT = "prefect"
    CLOCK = "clock"
    TRIAL = "trial"
    CATALOG = "catalog"
    DAYS = "days"
    CONTACTS = "contacts"
    SAMPLES = "samples"
    ACCOUNTS = "accounts"
    LETTERS = "letters"
    RUNS = "runs"
    WORK = "work"
    LOG = "log"
    BACKUP = "backup"
    LIMITS = "limits"
    """The storage of the portal's rate limits."""
    DISK = "disk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One answer: what was looked at, what was found, and what to do (None: nothing).

    ``blocks_live`` says that a trial database does not go live with it, though it is no fault of
    a trial.
    """

    check: Check
    level: Level
    text: str
    remedy: str | None = None
    blocks_live: bool = False

    @property
    def stops_live(self) -> bool:
        """Whether a database with this finding stays a trial."""
        return self.blocks_live or self.level is Level.WRONG


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the database cannot know: the day, the mail server, the files."""

    as_of: date
    real_mail_server: bool
    catalogs: Sequence[LoadedCatalog] = ()


def examine(session: Session, around: Surroundings) -> list[Finding]:
    """All findings about the database's content; each check says at least that it is in order."""
    return [found for check in CHECKS for found in check(session, around)]


def _catalog(session: Session, around: Surroundings) -> Iterator[Finding]:
    keys = plan_keys(session)
    if not keys:
        yield Finding(
            check=Check.CATALOG,
            level=Level.WRONG,
            text="Chưa có đề án nào",
            remedy="nạp danh mục: tiendo catalog apply",
        )
    for one in around.catalogs:
        key = one.plan.key
        if key not in keys:
            yield Finding(
                check=Check.CATALOG,
                level=Level.NOTE,
                text=f"Đề án {key} có trong tệp nhưng chưa nạp",
                remedy="tiendo catalog apply",
            )
        elif changes := preview_catalog(session, one):
            yield Finding(
                check=Check.CATALOG,
                level=Level.NOTE,
                text=f"{key}: tệp danh mục và cơ sở dữ liệu khác nhau ở {len(changes)} chỗ",
                remedy="xem khác biệt: tiendo catalog apply (hỏi trước khi ghi)",
            )
        else:
            yield Finding(check=Check.CATALOG, level=Level.OK, text=f"{key}: khớp với tệp danh mục")


def _contacts(session: Session, around: Surroundings) -> Iterator[Finding]:
    gaps = contact_gaps(session, around.as_of)
    silent = [gap for gap in gaps if not gap.mailbox]
    if silent:
        yield Finding(
            check=Check.CONTACTS,
            level=Level.WRONG,
            text=f"{len(silent)} cơ quan chưa có hộp thư dùng được: {_some(silent)}",
            remedy="tiendo contacts import; tạm thời thư gửi về cơ quan điều phối",
        )
    headless = [gap for gap in gaps if gap.mailbox]
    if headless:
        yield Finding(
            check=Check.CONTACTS,
            level=Level.NOTE,
            text=f"{len(headless)} cơ quan chưa có đầu mối: {_some(headless)}",
            remedy="tiendo contacts import; tạm thời thư gửi vào hộp thư cơ quan",
        )
    if not gaps:
        yield Finding(
            check=Check.CONTACTS, level=Level.OK, text="Mọi cơ quan có hộp thư và đầu mối"
        )


def _some(gaps: Sequence[object]) -> str:
    names = [str(getattr(gap, "agency_name", gap)) for gap in gaps]
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" và {rest} nơi khác" if rest > 0 else "")


def sample_addresses(session: Session, as_of: date) -> int:
    """How many active contacts of agencies that get letters have a made-up address (``.test``).

    While some agencies are pilots, only theirs and the coordinators' count (rule 19).
    """
    pilots = set(session.scalars(select(AgencyRow.key).where(AgencyRow.pilot)))
    rows = session.execute(
        select(Contact.agency_key, Contact.email)
        .join(AgencyRow, AgencyRow.key == Contact.agency_key)
        .where(
            Contact.active,
            Contact.email.is_not(None),
            AgencyRow.letters,
            AgencyRow.valid_to.is_(None) | (AgencyRow.valid_to >= as_of),
        )
    )
    coordinators = {load_state(session, key).coordinator(as_of) for key in plan_keys(session)}
    counted = pilots | coordinators
    return sum(
        1
        for agency, email in rows
        if is_sample_address(email or "") and (not pilots or agency in counted)
    )


def _samples(session: Session, around: Surroundings) -> Iterator[Finding]:
    count = sample_addresses(session, around.as_of)
    if count == 0:
        yield Finding(check=Check.SAMPLES, level=Level.OK, text="Không còn địa chỉ thư mẫu (.test)")
        return
    real = around.real_mail_server
    yield Finding(
        check=Check.SAMPLES,
        level=Level.WRONG if real else Level.NOTE,
        text=f"{count} địa chỉ thư mẫu (.test)"
        + (": cần hộp thư thật, máy chủ thư không gửi được" if real else ", chỉ để dùng thử"),
        remedy="tiendo contacts import, rồi bỏ phần mẫu còn lại: tiendo contacts drop-samples",
        blocks_live=True,
    )


def _accounts(session: Session, around: Surroundings) -> Iterator[Finding]:
    found = dict(
        session.execute(
            select(Account.role, func.count())
            .where(
                Account.active,
                Account.valid_to.is_(None) | (Account.valid_to >= around.as_of),
            )
            .group_by(Account.role)
        )
        .tuples()
        .all()
    )
    words = {
        AccountRole.COORDINATOR: "điều phối (xác nhận kết quả)",
        AccountRole.LEADERSHIP: "lãnh đạo (quyết định việc của chính cơ quan điều phối)",
    }
    missing = [(role, word) for role, word in words.items() if not found.get(role.value)]
    for role, word in missing:
        yield Finding(
            check=Check.ACCOUNTS,
            level=Level.NOTE,
            text=f"Chưa có tài khoản {word}",
            remedy=f"tiendo accounts add TÊN --role {role.value}",
            blocks_live=True,
        )
    bare = session.scalar(
        select(func.count()).where(
            Account.active,
            Account.role == AccountRole.ADMIN.value,
            Account.password_hash.is_not(None),
            Account.totp_secret.is_(None),
        )
    )
    if bare:
        yield Finding(
            check=Check.ACCOUNTS,
            level=Level.NOTE,
            text=f"{bare} tài khoản quản trị vào chỉ bằng mật khẩu",
            remedy="bật mã xác thực một lần tại Tài khoản của tôi",
        )
    if not missing:
        total = sum(found.values())
        yield Finding(check=Check.ACCOUNTS, level=Level.OK, text=f"{total} tài khoản đang dùng")


def _letters(session: Session, around: Surroundings) -> Iterator[Finding]:
    since = around.as_of - LETTERS_SINCE
    states = dict(
        session.execute(
            select(Letter.state, func.count()).where(Letter.day >= since).group_by(Letter.state)
        )
        .tuples()
        .all()
    )
    broken = session.scalars(
        select(Mailbox.address).where(Mailbox.state != "ok").order_by(Mailbox.address)
    ).all()
    if broken:
        yield Finding(
            check=Check.LETTERS,
            level=Level.WRONG,
            text=f"{len(broken)} hộp thư không nhận được thư: {_some(broken)}",
            remedy="sửa địa chỉ: tiendo contacts import; bậc nhắc sau gửi đến địa chỉ mới",
        )
    if lost := states.get(LetterState.UNDELIVERABLE.value, 0):
        yield Finding(
            check=Check.LETTERS,
            level=Level.NOTE,
            text=f"{lost} thư không gửi được trong 30 ngày qua",
            remedy="xem câu trả lời của máy chủ thư trên trang “Thư đã gửi”",
        )
    waiting = list(_held(session, since))
    yield from waiting
    if not (broken or lost or waiting):
        text = f"Thư đi bình thường; {states.get(LetterState.QUEUED.value, 0)} thư chờ gửi"
        yield Finding(check=Check.LETTERS, level=Level.OK, text=text)


def _held(session: Session, since: date) -> Iterator[Finding]:
    """Letters that wait for a person; those of a restore however old they are."""
    restored = held_after_restore(session)
    if restored is not None:
        count, gap = restored
        yield Finding(
            check=Check.LETTERS,
            level=Level.WRONG,
            text=f"{count} thư tạm giữ sau khi khôi phục bản sao lưu lúc {vn_datetime(gap.made_at)}: "
            "có thể đã gửi trước khi khôi phục",
            remedy="đối chiếu nhật ký máy chủ thư; chưa gửi thì tiendo release --restored, đã gửi "
            "thì thêm --close; từng thư: trên trang “Thư”",
        )
    held = session.scalar(
        select(func.count())
        .select_from(Letter)
        .where(
            Letter.day >= since,
            Letter.state == LetterState.HELD.value,
            Letter.held_reason != HeldReason.RESTORED.value,
        )
    )
    if held:
        yield Finding(
            check=Check.LETTERS,
            level=Level.NOTE,
            text=f"{held} thư đang tạm giữ",
            remedy="nếu số thư đúng là phải gửi: tiendo release",
        )


def _work(session: Session, around: Surroundings) -> Iterator[Finding]:
    """Rows that lie ahead of today: left over from trying a future date (rule 1)."""
    opened = session.scalar(select(func.max(Occurrence.opens_on)))
    letter = session.scalar(select(func.max(Letter.day)))
    ahead = max((day for day in (opened, letter) if day is not None), default=around.as_of)
    if ahead <= around.as_of:
        count = session.scalar(select(func.count()).select_from(Occurrence)) or 0
        yield Finding(check=Check.WORK, level=Level.OK, text=f"{count} kỳ thực hiện đã mở")
        return
    trial = is_trial(session)
    yield Finding(
        check=Check.WORK,
        level=Level.NOTE if trial else Level.WRONG,
        text=f"Đã chạy thử đến ngày {vn_date(ahead)}, sau hôm nay",
        remedy="dùng thật thì bắt đầu bằng một cơ sở dữ liệu mới",
        blocks_live=True,
    )


CHECKS: tuple[Callable[[Session, Surroundings], Iterator[Finding]], ...] = (
    _catalog,
    _contacts,
    _samples,
    _accounts,
    _letters,
    _work,
)
"""Every check of the content; a new one is added here."""
