"""Everything ``tiendo doctor`` looks at: the settings, what stands around, and the database."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from cli.surroundings import disks, flows_in_prefect, limits, postgresql
from flows.checks import Finding as NightlyFinding
from flows.checks import run_checks
from models.revision import (
    NewerDatabase,
    OlderDatabase,
    check_revision,
    database_revision,
)
from models.tables import Event
from notifications.addresses import is_sample_address
from notifications.answers import NotConnected
from notifications.formats import vn_number
from operations.backups import standing
from operations.doctor import Check, Finding, Level, Surroundings, examine
from operations.sealing import ages
from operations.state import is_trial, plan_keys
from tasks_catalog.errors import CatalogErrors
from tasks_catalog.loader import LoadedCatalog, load_plan, plan_folders

if TYPE_CHECKING:
    from cli.edge import Here
    from models.engine import Database
    from runtime.settings import Settings
    from runtime.wiring import Runtime

_CLASS = re.compile(r"^\w+(Error|Exception): (\[Errno -?\d+\] )?")
"""The name of a Python class before what it says."""
VERIFIED_WITHIN = timedelta(hours=36)
"""The history is verified every night."""
CLOCK_SLACK = timedelta(seconds=60)

_NIGHTLY = {
    "letters_stuck": Check.LETTERS,
    "letters_waiting": Check.LETTERS,
    "letters_unknown": Check.LETTERS,
    "runs_missing": Check.RUNS,
    "runs_failed": Check.RUNS,
    "periods_unopened": Check.WORK,
    "days_unresolved": Check.DAYS,
    "events_unsealed": Check.LOG,
    "history_wrong": Check.LOG,
}
"""Findings of the nightly checks that are said here too; the others have a check of their own."""


def look_at_everything(here: Here) -> list[Finding]:
    """All findings, in the order in which things depend on one another."""
    runtime = here.runtime
    found = [
        *_settings(runtime.settings),
        *_database(runtime),
        *_mail(runtime),
        *_sign_on(runtime),
        *_prefect(runtime),
        limits(runtime.settings),
        *disks(runtime.settings),
    ]
    catalogs: list[LoadedCatalog] = []
    found += _catalog_files(here, catalogs)
    now = runtime.clock.now()
    around = Surroundings(
        as_of=here.today(),
        real_mail_server=not runtime.settings.uses_local_mailbox,
        catalogs=catalogs,
    )
    with runtime.database.read() as session:
        found += [*_clock(session, now), *_trial(session), *examine(session, around)]
        found += _log(runtime, session, now)
        found += _backups(session, now)
        nightly = run_checks(session, around.as_of, now)
    return [*found, *_from_nightly(nightly)]


def _log(runtime: Runtime, session: Session, now: datetime) -> Iterator[Finding]:
    """The key that signs the history, and how old seal and verification are (rule 38)."""
    told, folder = ages(session, now), runtime.key_folder
    if not folder.private_file.is_file():
        yield Finding(
            check=Check.LOG,
            level=Level.WRONG if told.sealed else Level.NOTE,
            text=f"Không thấy khóa niêm phong ở {folder.path}",
            remedy="đặt TIENDO_SEAL_DIR đúng thư mục có tệp seal.key"
            if told.sealed
            else "khóa được tạo khi niêm phong lần đầu: tiendo seal",
        )
        return
    if not folder.private:
        yield Finding(
            check=Check.LOG,
            level=Level.WRONG,
            text=f"Khóa niêm phong {folder.private_file} có thể bị người khác đọc",
            remedy=f"chmod 600 {folder.private_file}, rồi đổi khóa: tiendo checkpoint rotate",
        )
    verified = (
        "chưa kiểm chứng lần nào"
        if told.verify_age is None
        else (f"kiểm chứng cách đây {_hours(told.verify_age)}")
    )
    sealed = (
        "chưa niêm phong lần nào"
        if told.seal_age is None
        else (f"niêm phong cách đây {_hours(told.seal_age)}")
    )
    late = told.verify_age is None or told.verify_age > VERIFIED_WITHIN
    yield Finding(
        check=Check.LOG,
        level=Level.NOTE if late else Level.OK,
        text=f"Lịch sử: {sealed}, {verified}; {vn_number(told.sealed)} sự kiện đã niêm phong, "
        f"{vn_number(told.pending)} chờ",
        remedy="tiendo verify" if late else None,
    )


def _hours(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    return f"{minutes} phút" if minutes < 120 else f"{minutes // 60} giờ"


def _backups(session: Session, now: datetime) -> Iterator[Finding]:
    stand = standing(session, now)
    if not stand.troubles:
        yield Finding(check=Check.BACKUP, level=Level.OK, text=stand.told)
        return
    words = "; ".join(stand.troubles)
    yield Finding(
        check=Check.BACKUP,
        level=Level.NOTE if stand.never and is_trial(session) else Level.WRONG,
        text=stand.told if stand.never else f"{words[:1].upper()}{words[1:]}. {stand.told}",
        remedy="chạy tiendo backup và xem nó báo gì (docs/backups.md)",
    )


def _from_nightly(nightly: Sequence[NightlyFinding]) -> Iterator[Finding]:
    told: set[Check] = set()
    for one in nightly:
        check = _NIGHTLY.get(one.word)
        if check is None:
            continue
        told.add(check)
        yield Finding(
            check=check,
            level=Level.NOTE if one.word == "letters_unknown" else Level.WRONG,
            text=one.text,
            remedy=one.remedy,
        )
    for check, words in (
        (Check.DAYS, "Lịch ngày nghỉ có đủ cho hơn một năm tới"),
        (Check.RUNS, "Các luồng chạy đều"),
    ):
        if check not in told:
            yield Finding(check=check, level=Level.OK, text=words)


def _settings(settings: Settings) -> Iterator[Finding]:
    """What works for a trial and would be wrong in earnest."""
    wanting = [
        (settings.uses_local_mailbox, "chưa có máy chủ thư", "TIENDO_SMTP_HOST"),
        (is_sample_address(settings.mail_from), "thư gửi từ địa chỉ mẫu", "TIENDO_MAIL_FROM"),
        (
            settings.portal_public_url is None,
            "liên kết trong thư chỉ mở được trên máy này",
            "TIENDO_PORTAL_PUBLIC_URL",
        ),
        (
            settings.contact_phone is None,
            "thư chưa có số điện thoại đầu mối",
            "TIENDO_CONTACT_PHONE",
        ),
    ]
    missing = [(words, name) for lacking, words, name in wanting if lacking]
    for words, name in missing:
        yield Finding(
            check=Check.SETTINGS,
            level=Level.NOTE,
            text=f"{words[:1].upper()}{words[1:]}",
            remedy=f"đặt {name} (docs/settings.md)",
            blocks_live=True,
        )
    if not missing:
        yield Finding(check=Check.SETTINGS, level=Level.OK, text="Các thiết lập đọc được và đủ")


def differing(database: Database) -> Finding | None:
    """What is wrong when code and database are of different releases; nothing else can be asked.

    An empty database is none: any command makes it ready.
    """
    try:
        if database_revision(database) is not None:
            check_revision(database)
    except (NewerDatabase, OlderDatabase) as error:
        words = f"{database.shown_url}: {error}"
        remedy = (
            "cập nhật phần mềm"
            if isinstance(error, NewerDatabase)
            else "tiendo backup, rồi tiendo up"
        )
        return Finding(check=Check.DATABASE, level=Level.WRONG, text=words, remedy=remedy)
    except SQLAlchemyError as error:
        return _unreachable(error)
    return None


def _unreachable(error: SQLAlchemyError) -> Finding:
    return Finding(
        check=Check.DATABASE,
        level=Level.WRONG,
        text=" ".join(str(error).split())[:200],
        remedy="kiểm tra địa chỉ, quyền truy cập và máy chủ cơ sở dữ liệu",
    )


def _database(runtime: Runtime) -> Iterator[Finding]:
    database = runtime.database
    try:
        found = database_revision(database)
        yield Finding(
            check=Check.DATABASE, level=Level.OK, text=f"{database.shown_url}, phiên bản {found}"
        )
        yield from _database_clock(runtime)
        with runtime.database.read() as session:
            yield from postgresql(session)
    except SQLAlchemyError as error:
        yield _unreachable(error)


def _database_clock(runtime: Runtime) -> Iterator[Finding]:
    if runtime.database.is_sqlite:
        return
    with runtime.database.read() as session:
        there = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    if abs(there - runtime.clock.now()) > CLOCK_SLACK:
        yield Finding(
            check=Check.CLOCK,
            level=Level.WRONG,
            text="Đồng hồ máy này và máy chủ cơ sở dữ liệu lệch nhau hơn một phút",
            remedy="bật đồng bộ giờ (NTP) cho cả hai máy",
        )


def _mail(runtime: Runtime) -> Iterator[Finding]:
    settings = runtime.settings
    local = settings.uses_local_mailbox
    where = (
        f"hộp thư thử ở cổng {settings.local_mail_port}"
        if local
        else f"máy chủ thư {settings.smtp_host}:{settings.smtp_port}"
    )
    with runtime.open_mail() as mail:
        trouble = mail.connect()
    if trouble is None:
        yield Finding(check=Check.MAIL, level=Level.OK, text=f"Kết nối được {where}")
        return
    said = (
        trouble.error if isinstance(trouble, NotConnected) else f"{trouble.code} {trouble.answer}"
    )
    yield Finding(
        check=Check.MAIL,
        level=Level.WRONG,
        text=f"Không dùng được {where} ({_CLASS.sub('', said)})",
        remedy="chạy tiendo up" if local else "kiểm tra tên máy, cổng, tài khoản, mật khẩu gửi thư",
    )


def _sign_on(runtime: Runtime) -> Iterator[Finding]:
    """Whether the provider of single sign-on answers, where one is set."""
    provider = runtime.provider()
    if provider is None:
        text = "Không đặt đăng nhập một lần; mọi người đăng nhập bằng mật khẩu"
        yield Finding(check=Check.SIGN_ON, level=Level.OK, text=text)
        return
    from runtime.sign_on import ProviderSilent

    where = f"nơi đăng nhập một lần {runtime.settings.oidc_issuer}"
    try:
        provider.begin(runtime.settings.portal_url)
    except ProviderSilent as error:
        yield Finding(
            check=Check.SIGN_ON,
            level=Level.WRONG,
            text=f"Chưa dùng được {where} ({_CLASS.sub('', str(error))})",
            remedy="kiểm tra TIENDO_OIDC_ISSUER, đường mạng và chứng thư (TIENDO_OIDC_CA_FILE)",
        )
        return
    yield Finding(check=Check.SIGN_ON, level=Level.OK, text=f"Kết nối được {where}")


def _prefect(runtime: Runtime) -> Iterator[Finding]:
    from runtime.prefect_client import PrefectClient

    url = _running_prefect(runtime.settings)
    with PrefectClient(url, timeout=5.0) as client:
        healthy = client.healthy()
        if healthy:
            yield Finding(check=Check.PREFECT, level=Level.OK, text=f"Trả lời ở {url}")
            with runtime.database.read() as session:
                yield from flows_in_prefect(runtime, session, client, runtime.clock.now())
    if not healthy:
        yield Finding(
            check=Check.PREFECT,
            level=Level.WRONG,
            text=f"Không trả lời ở {url}",
            remedy="chạy tiendo up, hoặc khởi động máy chủ Prefect",
        )


def _running_prefect(settings: Settings) -> str:
    """Where Prefect is: ``tiendo up`` moves a port that is taken, and writes where it went."""
    try:
        told = json.loads((settings.data_dir / "up.lock").read_text(encoding="utf-8"))
        return f"{told['prefect']}/api"
    except (OSError, ValueError, KeyError, TypeError):
        return settings.prefect_url


def _trial(session: Session) -> Iterator[Finding]:
    trial = is_trial(session)
    text_ = "Cơ sở dữ liệu thử nghiệm" if trial else "Cơ sở dữ liệu dùng thật"
    remedy = "khi sẵn sàng dùng thật: tiendo go-live" if trial else None
    yield Finding(check=Check.TRIAL, level=Level.OK, text=text_, remedy=remedy)


def _clock(session: Session, now: datetime) -> Iterator[Finding]:
    last = session.scalar(select(func.max(Event.at)))
    if last is not None and last > now + CLOCK_SLACK:
        yield Finding(
            check=Check.CLOCK,
            level=Level.WRONG,
            text=f"Đồng hồ máy chậm hơn lịch sử: sự kiện mới nhất ghi {last:%d/%m/%Y %H:%M} UTC",
            remedy="bật đồng bộ giờ (NTP) cho máy chủ",
        )
    else:
        yield Finding(
            check=Check.CLOCK, level=Level.OK, text=f"Bây giờ là {now:%d/%m/%Y %H:%M} UTC"
        )


def _catalog_files(here: Here, loaded: list[LoadedCatalog]) -> Iterator[Finding]:
    """Read the files into ``loaded``; what is wrong with them is a finding like any other."""
    with here.runtime.database.read() as session:
        keys = plan_keys(session)
    for folder in here.runtime.settings.plan_folders or plan_folders():
        try:
            one = load_plan(folder)
        except CatalogErrors as errors:
            yield Finding(
                check=Check.CATALOG,
                level=Level.WRONG,
                text=f"{folder.name}: {len(errors.errors)} lỗi trong tệp danh mục",
                remedy=f"tiendo catalog check {folder}",
            )
            continue
        loaded.append(one)
    for key in keys:
        if key not in {one.plan.key for one in loaded}:
            yield Finding(
                check=Check.CATALOG, level=Level.OK, text=f"{key}: chỉ có trong cơ sở dữ liệu"
            )
