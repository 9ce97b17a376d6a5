"""The doctor: what is wrong, what to do; and going live, which asks it first."""

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select

from cli.system_commands import CHECKS
from models.tables import Event, Letter, Mailbox, RunLog
from operations.doctor import Check, Finding, Level, Surroundings, examine
from operations.errors import NotPermitted, Refused
from operations.golive import NotReady, go_live
from operations.state import is_trial
from rules.actors import AccountRole
from tasks_catalog.loader import load_plan
from tests import engine
from tests.command_line import NOW, SMALL, CommandLine, command_line
from tests.providers import lying_provider


@pytest.fixture
def tiendo(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    # The test's clock stands still in 2027, PostgreSQL's does not.
    monkeypatch.setattr("cli.examination._database_clock", lambda _runtime: iter(()))
    # What answers for Prefect here only says that it is there; test_flows.py asks a real one.
    monkeypatch.setattr("cli.examination.flows_in_prefect", lambda *_: iter(()))
    return command_line(database_url, tmp_path, monkeypatch)


def found(tiendo: CommandLine, *, real: bool = False) -> dict[Check, list[Finding]]:
    """What the database's own checks say, by check."""
    around = Surroundings(as_of=NOW.date(), real_mail_server=real, catalogs=[load_plan(SMALL)])
    with tiendo.database() as database, database.read() as session:
        every = examine(session, around)
    return {check: [one for one in every if one.check is check] for check in Check}


def test_a_machine_on_which_nothing_runs_is_told_what_to_start(tiendo: CommandLine) -> None:
    tiendo.good("open")
    answer = tiendo("doctor", "--json")
    assert answer.code == 1
    by_check = {one["check"]: one for one in answer.lines if one["level"] == "wrong"}
    assert set(by_check) == {"mail", "prefect", "runs"}
    assert by_check["mail"]["remedy"] == "chạy tiendo up"
    for one in answer.lines:
        assert tuple(one) == ("check", "level", "text", "remedy")
        assert one["check"] in set(Check)
        assert one["level"] in set(Level)
    assert "điều sai cần sửa" in tiendo("doctor").out


def test_everything_is_looked_at(tiendo: CommandLine) -> None:
    tiendo.good("open")
    assert {one["check"] for one in tiendo("doctor", "--json").lines} == set(Check)


def test_sample_mailboxes_are_wrong_beside_a_real_mail_server(tiendo: CommandLine) -> None:
    tiendo.good("open")
    (trial,) = found(tiendo)[Check.SAMPLES]
    (real,) = found(tiendo, real=True)[Check.SAMPLES]
    assert (trial.level, real.level) == (Level.NOTE, Level.WRONG)
    assert "cần hộp thư thật" in real.text
    count = int(real.text.split()[0])
    samples = [one for one in tiendo.json("contacts", "list") if one["agency"] != "xa_dao"]
    living = {one["agency"] for one in tiendo.json("agencies", "list")}
    assert count == sum(1 for one in samples if one["agency"] in living)
    tiendo.good("contacts", "drop-samples", "--yes")
    assert found(tiendo, real=True)[Check.SAMPLES][0].level is Level.OK
    assert found(tiendo)[Check.CONTACTS][0].level is Level.WRONG


def test_a_mailbox_that_refuses_letters_is_named(tiendo: CommandLine) -> None:
    tiendo.good("open")
    with tiendo.database() as database, database.write() as session:
        session.add(Mailbox(address="xa-dong@co-quan.test", state="undeliverable", updated_at=NOW))
    (one,) = found(tiendo)[Check.LETTERS]
    assert one.level is Level.WRONG
    assert "xa-dong@co-quan.test" in one.text


def test_a_catalog_that_differs_is_a_note_with_the_way_to_see_it(tiendo: CommandLine) -> None:
    tiendo.good("open")
    assert found(tiendo)[Check.CATALOG][0].level is Level.OK
    tiendo.good("agencies", "letters", "xa_dao", "--on", "--reason", "Đã có hộp thư")
    (one,) = found(tiendo)[Check.CATALOG]
    assert one.level is Level.NOTE
    assert "catalog apply" in (one.remedy or "")


def test_work_of_the_future_keeps_a_trial_a_trial(tiendo: CommandLine) -> None:
    tiendo.good("open", "--as-of", "2027-06-01")
    (one,) = found(tiendo)[Check.WORK]
    assert one.level is Level.NOTE
    assert one.stops_live


def test_a_clock_that_went_back_is_seen(tiendo: CommandLine) -> None:
    tiendo.good("open")
    tiendo.clock.instant = NOW - timedelta(hours=3)
    wrong = [one for one in tiendo("doctor", "--json").lines if one["level"] == "wrong"]
    assert "clock" in {one["check"] for one in wrong}


def test_only_an_administrator_or_operator_goes_live(database_url: str) -> None:
    made = engine.Engine(database_url)
    ordinary = engine.stamp(NOW.date(), engine.person(AccountRole.COORDINATOR, "phong_mot"))
    with made.database.write() as session, pytest.raises(NotPermitted):
        go_live(session, ordinary, [])


def test_going_live_is_refused_with_every_reason(database_url: str) -> None:
    made = engine.Engine(database_url)
    admin = engine.stamp(NOW.date(), engine.person(AccountRole.ADMIN, "phong_mot"))
    wrong = Finding(check=Check.MAIL, level=Level.WRONG, text="Không gửi được", remedy="sửa")
    blocks = Finding(check=Check.SAMPLES, level=Level.NOTE, text="Mẫu", blocks_live=True)
    note = Finding(check=Check.LETTERS, level=Level.NOTE, text="Ghi chú")
    with made.database.write() as session:
        with pytest.raises(NotReady) as refused:
            go_live(session, admin, [wrong, note, blocks])
        assert refused.value.findings == (wrong, blocks)
        assert is_trial(session)
        go_live(session, admin, [note])
        assert not is_trial(session)
        with pytest.raises(Refused, match="đã dùng thật"):
            go_live(session, admin, [])


class _Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"true")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        return


@pytest.fixture
def surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A mail server and a Prefect that answer, and settings as in earnest."""
    web = HTTPServer(("127.0.0.1", 0), _Healthy)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    mail = Controller(object(), hostname="127.0.0.1", port=port)
    mail.start()
    settings = {
        "PREFECT_API_URL": f"http://127.0.0.1:{web.server_port}/api",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(port),
        "SMTP_SECURITY": "none",
        "MAIL_FROM": "nhacviec@example.gov.vn",
        "PORTAL_PUBLIC_URL": "https://tiendo.example.gov.vn",
        "CONTACT_PHONE": "0258 3822 001",
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"TIENDO_{name}", value)
    yield
    mail.stop()
    web.shutdown()
    web.server_close()


def test_a_trial_goes_live_once_everything_is_in_order(
    tiendo: CommandLine, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    tiendo.people()
    request.getfixturevalue("surroundings")
    agencies = [one["agency"] for one in tiendo.json("agencies", "list") if one["letters"]]
    lines = ["Cơ quan;Loại liên hệ;Họ và tên;Thư điện tử"]
    for number, key in enumerate(agencies):
        lines.append(f"{key};Hộp thư cơ quan;;hop{number}@example.gov.vn")
        lines.append(f"{key};Đầu mối chính;Người {number};nguoi{number}@example.gov.vn")
    file = tiendo.folder / "that.csv"
    file.write_text("\n".join(lines), encoding="utf-8")
    refused = tiendo("go-live", "--yes")
    assert refused.code == 1
    assert "địa chỉ thư mẫu" in refused.err
    tiendo.good("contacts", "import", file)
    tiendo.good("contacts", "drop-samples", "--yes")
    with tiendo.database() as database, database.write() as session:
        for item in ("A.1", "A.2"):
            session.add(
                RunLog(
                    job="item",
                    plan_key="huyen_mau",
                    item_key=item,
                    as_of=NOW.date(),
                    started_at=NOW,
                    finished_at=NOW,
                    state="Đang thực hiện",
                    figures="{}",
                )
            )
    examined = tiendo.good("doctor")
    assert "Không có điều gì sai" in examined.out
    assert tiendo("go-live", typed="k\n").code == 1
    assert tiendo.good("go-live", "--yes", "--json").lines[0]["trial"] is False
    assert tiendo("go-live", "--yes").code == 1
    assert tiendo("open", "--as-of", "2027-12-01").code == 1
    with tiendo.database() as database, database.read() as session:
        event = session.scalars(select(Event).where(Event.action == "go_live")).one()
        assert event.actor_kind == "operator"
        assert session.scalars(select(Letter)).first() is None


def test_single_sign_on_is_looked_at_where_it_is_set(
    tiendo: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said() -> dict[str, str]:
        lines = tiendo("doctor", "--json").lines
        (found,) = [one for one in lines if one["check"] == "sign_on"]
        return dict(found)

    assert said()["level"] == "ok"
    with lying_provider(lambda: datetime.now(UTC)) as liar:
        monkeypatch.setenv("TIENDO_OIDC_ISSUER", liar.issuer)
        monkeypatch.setenv("TIENDO_OIDC_CLIENT_ID", "tiendo")
        assert liar.issuer in said()["text"]
        assert said()["level"] == "ok"
        liar.raw["/.well-known/openid-configuration"] = (404, b"{}")
        assert said()["level"] == "wrong"
        assert "TIENDO_OIDC_ISSUER" in said()["remedy"]


def test_everything_that_is_looked_at_has_a_word_for_people(tiendo: CommandLine) -> None:
    assert set(CHECKS) == {one.value for one in Check}
    told = tiendo("doctor").out
    assert "đăng nhập một lần" in told
    assert "sign_on" not in told
