"""The commands on both databases: what they do, what they print, what they leave behind."""

import json
import os
import socket
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from sqlalchemy import func, select

from deployments.pool import Registered
from flows.naming import item_flows
from models.tables import Account, Event, Letter, StoredFile
from operations.backups import record_restored
from operations.stamp import Stamp
from rules.actors import flow_actor
from rules.events import leaf_digest
from runtime.settings import Settings
from tests.command_line import SMALL, CommandLine, command_line

TIENDO = Path(sys.executable).with_name("tiendo")


@pytest.fixture
def tiendo(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return command_line(database_url, tmp_path, monkeypatch)


def test_any_command_makes_an_empty_database_ready(tiendo: CommandLine) -> None:
    answer = tiendo.good("work", "list")
    assert "0 phân công" in answer.out
    assert "Đã khởi tạo cơ sở dữ liệu thử nghiệm" in answer.err
    assert "khởi tạo" not in tiendo.good("work", "list").err


def test_deploying_makes_an_empty_database_ready(
    tiendo: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the flows of its items would be missing until somebody deploys again."""
    found: list[str] = []

    def register(settings: Settings, pool: str) -> Registered:
        with tiendo.database() as database, database.read() as session:
            found.extend(one.item.key for one in item_flows(session))
        return Registered(pool=pool, deployments=(), paused=())

    monkeypatch.setattr("deployments.pool.register", register)
    tiendo.good("deploy", "--pool", "tinh")
    assert found


def test_a_database_without_tables_is_migrated(
    bare_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiendo = command_line(bare_database_url, tmp_path, monkeypatch)
    assert tiendo.json("agencies", "list")


def test_opening_twice_opens_once(tiendo: CommandLine) -> None:
    first = tiendo.json("open")
    assert first[0]["plan"] == "huyen_mau"
    assert {"item": "A.1", "period": "2027-03"} in first[0]["opened"]
    assert tiendo.json("open")[0]["opened"] == []


def test_one_item_opens_alone(tiendo: CommandLine) -> None:
    opened = tiendo.json("open", "--item", "A.2")[0]["opened"]
    assert {one["item"] for one in opened} == {"A.2"}


def test_a_future_date_writes_into_a_trial_only(tiendo: CommandLine) -> None:
    tiendo.good("open", "--as-of", "2027-06-01")
    with tiendo.database() as database, database.write() as session:
        from models.tables import DatabaseFact

        session.get_one(DatabaseFact, "trial").value = "false"
    refused = tiendo("open", "--as-of", "2027-07-01", "--json")
    assert refused.code == 1
    assert refused.errors[0]["field"] == "as_of"
    assert tiendo("remind", "--as-of", "1/7/2027").code == 1
    assert tiendo("deliver", "--as-of", "1/7/2027").code == 1


def test_a_past_date_sends_nothing(tiendo: CommandLine) -> None:
    tiendo.good("open")
    assert tiendo.json("remind", "--as-of", "2027-02-26")[0]["sends"] is False
    assert tiendo.json("deliver", "--as-of", "2027-02-26") == [
        {"as_of": "2027-02-26", "sends": False}
    ]
    with tiendo.database() as database, database.read() as session:
        assert session.scalar(select(func.count()).select_from(Letter)) == 0


def test_reminding_queues_and_delivering_says_that_no_mailbox_runs(tiendo: CommandLine) -> None:
    tiendo.good("open")
    told = tiendo.json("remind")[0]
    assert told["letters"] > 0
    answer = tiendo("deliver")
    assert answer.code == 1
    assert "tiendo up" in answer.err


class _Sink:
    """Takes every letter."""

    def __init__(self) -> None:
        self.letters: list[str] = []

    async def handle_DATA(  # noqa: N802 - the library's name
        self, _server: object, _session: object, envelope: Envelope
    ) -> str:
        self.letters += envelope.rcpt_tos
        return "250 OK"


def test_delivering_sends_what_is_queued(
    tiendo: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiendo.good("open")
    queued = tiendo.json("remind")[0]["letters"]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    sink = _Sink()
    mail = Controller(sink, hostname="127.0.0.1", port=port)
    mail.start()
    try:
        monkeypatch.setenv("TIENDO_LOCAL_MAIL_PORT", str(port))
        told = tiendo.json("deliver")[0]
        assert (told["sent"], told["trouble"]) == (queued, None)
        assert len(sink.letters) == queued
        assert tiendo.json("deliver")[0]["sent"] == 0
    finally:
        mail.stop()


def test_the_life_of_a_result(tiendo: CommandLine, tmp_path: Path) -> None:
    tiendo.people()
    number = tiendo.assignment("A.1", "2027-03", "xa_dong")
    paper = tmp_path / "bao-cao.pdf"
    paper.write_bytes(b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n")
    filed = tiendo.good(
        *("act", number, "submit", "--as", "dong", "--text", "Đã báo cáo"),
        *("--document", "15/BC-UBND", "--issued-on", "1/3/2027"),
        *("--file", paper, "--figure", "ho_so=12", "--json"),
    ).lines[0]
    assert filed["submission"] is not None
    row = tiendo.json("work", "show", number)[0]
    assert row["status"] == "confirmed"
    assert row["completed_on"] == "2027-03-01"
    with tiendo.database() as database, database.read() as session:
        stored = session.scalars(select(StoredFile)).one()
        event = session.scalars(select(Event).where(Event.action == "submit")).one()
    kept = tmp_path / "var" / "uploads" / stored.sha256[:2] / stored.sha256
    assert kept.read_bytes() == paper.read_bytes()
    assert (event.actor_account, event.actor_agency, event.address) == ("dong", "xa_dong", "cli")


def test_an_extension_is_asked_proposed_and_approved(tiendo: CommandLine) -> None:
    tiendo.people()
    number = tiendo.assignment("A.1", "2027-03", "xa_dong")
    words = ("act", number, "extension-ask", "--as", "dong", "--due-on", "2027-04-15")
    asked = tiendo.good(*words, "--reason", "Chờ số liệu", "--json").lines[0]
    assert asked["extension"] is not None
    own = tiendo("act", number, "extension_grant", "--as", "dong", "--reason", "tự duyệt")
    assert own.code == 1
    tiendo.good("act", number, "extension_grant", "--as", "dieuphoi", "--reason", "Được")
    tiendo.good("act", number, "extension_approve", "--as", "lanhdao")
    row = tiendo.json("work", "show", number)[0]
    assert (row["due_on"], row["extensions"]) == ("2027-04-15", 1)
    assert row["original_due_on"] != row["due_on"]


def test_a_partner_is_asked_and_answers(tiendo: CommandLine) -> None:
    tiendo.people()
    partner = tiendo.assignment("A.1", "2027-03", "phong_mot", role="partner")
    words = ("act", partner, "request", "--as", "dong", "--text", "Cho số liệu")
    assert "--respond-by" in tiendo(*words).err
    tiendo.good(*words, "--respond-by", "2027-03-10")
    tiendo.good("act", partner, "contribute", "--as", "dieuphoi", "--text", "Gửi số liệu")
    assert tiendo.json("work", "show", partner)[0]["status"] == "contributed"


def test_entering_for_an_agency_names_the_channel(tiendo: CommandLine) -> None:
    tiendo.people()
    number = tiendo.assignment("A.1", "2027-03", "xa_dao")
    words = (
        *("act", number, "submit", "--as", "dieuphoi", "--text", "Báo cáo giấy"),
        *("--document", "7/BC-UBND", "--issued-on", "2027-03-01", "--figure", "ho_so=3"),
    )
    assert tiendo(*words).code == 1
    tiendo.good(*words, "--channel", "văn bản giấy", "--number", "123")
    with tiendo.database() as database, database.read() as session:
        event = session.scalars(select(Event).where(Event.action == "submit")).one()
    assert event.on_behalf_of == "xa_dao"


def test_a_row_that_changed_since_is_not_acted_on(tiendo: CommandLine) -> None:
    tiendo.people()
    number = tiendo.assignment("A.1", "2027-03", "xa_dong")
    tiendo.good("act", number, "start", "--as", "dong", "--expected-version", "1")
    late = tiendo(
        "act", number, "await_issuance", "--as", "dong", "--expected-version", "1", "--json"
    )
    assert late.code == 1
    assert "đã được cập nhật bởi Phạm Thị Đông" in late.errors[0]["error"]


def test_an_unknown_act_lists_what_is_allowed_here(tiendo: CommandLine) -> None:
    tiendo.people()
    number = tiendo.assignment("A.1", "2027-03", "xa_dong")
    answer = tiendo("act", number, "finish", "--as", "dong")
    assert answer.code == 2
    assert "submit" in answer.err
    assert "confirm" not in answer.err
    nothing = tiendo("act", number, "finish", "--as", "kiemtra")
    assert nothing.code == 2
    assert "không có việc nào" in nothing.err


def test_an_act_that_is_not_allowed_names_those_that_are(tiendo: CommandLine) -> None:
    tiendo.people()
    number = tiendo.assignment("A.1", "2027-03", "xa_dong")
    answer = tiendo("act", number, "confirm", "--as", "dieuphoi", "--json")
    assert answer.code == 1
    assert "submit" in answer.errors[0]["allowed"]


def test_history_can_be_narrowed_and_its_digests_checked(tiendo: CommandLine) -> None:
    tiendo.people()
    number = tiendo.assignment("A.1", "2027-03", "xa_dong")
    tiendo.good("act", number, "start", "--as", "dong")
    rows = tiendo.json("history", "--assignment", number)
    assert [one["action"] for one in rows] == ["assign", "start"]
    assert tiendo.json("history", "--assignment", number, "--action", "start") == rows[1:]
    assert len(tiendo.json("history", "--limit", "2")) == 2
    assert tiendo.json("history", "--limit", "1")[0]["id"] == rows[-1]["id"]
    assert tiendo.json("history", "--since", "2027-03-02") == []
    assert (
        tiendo.json("history", "--since", "2027-03-01T02:00:00Z", "--action", "start") == rows[1:]
    )
    fields = {
        ("plan_key" if key == "plan" else f"{key}_key" if key in _KEYS else key): value
        for key, value in rows[-1].items()
        if key != "digest"
    }
    canonical = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert leaf_digest(canonical.encode()).hex() == rows[-1]["digest"]


_KEYS = {"item", "period", "agency"}


def test_people_see_the_newest_events_only(tiendo: CommandLine) -> None:
    for month in ("2027-04-01", "2027-05-04", "2027-06-01", "2027-07-01", "2027-08-02"):
        tiendo.good("open", "--as-of", month)
    assert len(tiendo.json("history")) > 50
    assert "50 sự kiện" in tiendo.good("history").out


def test_work_can_be_narrowed(tiendo: CommandLine) -> None:
    tiendo.good("open")
    everything = tiendo.json("work", "list")
    leads = tiendo.json("work", "list", "--role", "lead", "--status", "not-started")
    assert {one["role"] for one in leads} == {"lead"}
    assert 0 < len(leads) < len(everything)
    assert tiendo.json("work", "list", "--overdue") == []
    later = tiendo.json("work", "list", "--overdue", "--as-of", "2027-06-01", "--item", "A.1")
    assert {one["timeliness"] for one in later} == {"open_overdue"}


def test_rehearsing_tells_letters_and_keeps_nothing(tiendo: CommandLine) -> None:
    tiendo.good("open")
    before = len(tiendo.json("history"))
    words = ("rehearse", "--from", "2026-01-05", "--to", "2026-03-20")
    silent = tiendo.good(*words, "--json")
    assert silent.lines
    assert "03/2026" in silent.err
    assert all("2026-01-05" <= one["date"] <= "2026-03-20" for one in silent.lines)
    on_time = tiendo.json(*words, "--assume", "on-time", "--dates", "provisional")
    assert len(on_time) < len(silent.lines)
    assert len(tiendo.json("history")) == before
    people = tiendo.good(*words)
    assert f"{len(silent.lines)} thư; không thư nào được gửi" in people.out


def test_catalog_check_needs_no_database(tiendo: CommandLine) -> None:
    rows = tiendo.json("catalog", "check", "--on", "2027-01-15")
    assert [one["item"] for one in rows] == ["A.1", "A.2"]
    assert rows[0]["leads"] == ["Xã Đông", "Xã Đảo"]
    assert rows[0]["next_opening"]["day"] == "2027-02-01"
    assert not (tiendo.folder / "var").exists()


def test_catalog_mistakes_come_all_at_once(tiendo: CommandLine, tmp_path: Path) -> None:
    copy = tmp_path / "catalog" / "huyen_mau"
    for file in SMALL.parent.rglob("*.yaml"):
        target = tmp_path / "catalog" / file.relative_to(SMALL.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    calendar = copy / "calendar.yaml"
    text = calendar.read_text(encoding="utf-8")
    calendar.write_text(
        text.replace("0 17 30 6 *", "0 17 31 2 *").replace("every: 2", "every: 0"),
        encoding="utf-8",
    )
    answer = tiendo("catalog", "check", copy, "--json")
    assert answer.code == 1
    assert len(answer.errors) >= 1
    assert all(one["file"].endswith("calendar.yaml") and one["line"] for one in answer.errors)
    assert tiendo("catalog", "apply", copy, "--yes").code == 1


def test_catalog_goes_out_and_comes_back(tiendo: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "out" / "huyen_mau"
    files = tiendo.json("catalog", "export", folder)
    assert len(files) == 5
    same = tiendo.json("catalog", "apply", folder)
    assert same[0]["changed"] is False
    calendar = folder / "calendar.yaml"
    text = calendar.read_text(encoding="utf-8")
    calendar.write_text(text.replace("0 17 30 6 *", "0 17 31 7 *"), encoding="utf-8")
    assert tiendo("catalog", "apply", folder, typed="k\n").code == 1
    asked = tiendo.good("catalog", "apply", folder, typed="c\n")
    assert "0 17 31 7 *" in asked.out
    assert tiendo.json("catalog", "apply", folder)[0]["changed"] is False
    assert tiendo("catalog", "export", folder).code == 1
    tiendo.good("catalog", "export", folder, "--yes")


def _contact_rows() -> list[list[str]]:
    return [
        ["Cơ quan", "Loại liên hệ", "Họ và tên", "Chức vụ", "Thư điện tử", "Điện thoại"],
        ["Xã Đông", "Hộp thư cơ quan", "", "", "xadong@example.gov.vn", ""],
        ["xa_dong", "Đầu mối chính", "Phạm Thị Đông", "Chuyên viên", "pt.dong@example.gov.vn", ""],
    ]


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_contacts_come_from_a_file(tiendo: CommandLine, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"lien-he.{ending}"
    if ending == "csv":
        lines = [";".join(row) for row in _contact_rows()]
        file.write_text("\n".join(lines), encoding="utf-8")
    else:
        book = openpyxl.Workbook()
        for row in _contact_rows():
            book.active.append(row)  # type: ignore[union-attr]
        book.save(file)
    assert tiendo.json("contacts", "import", file)[0]["changed"] == 2
    assert tiendo.json("contacts", "import", file)[0]["unchanged"] == 2
    rows = tiendo.json("contacts", "list", "--agency", "xa_dong")
    assert {one["email"] for one in rows} == {"xadong@example.gov.vn", "pt.dong@example.gov.vn"}
    dropped = tiendo.json("contacts", "drop-samples", "--yes")[0]["removed"]
    assert dropped > 0
    assert not any(one["sample"] for one in tiendo.json("contacts", "list"))


def test_a_wrong_contact_file_is_refused_whole(tiendo: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "sai.csv"
    rows = [*_contact_rows(), ["Xã Không Có", "Hộp thư cơ quan", "", "", "a@example.gov.vn", ""]]
    rows.append(["Xã Tây", "Đầu mối chính", "Ngô Văn Tây", "", "khong phai thu", ""])
    file.write_text("\n".join(";".join(row) for row in rows), encoding="utf-8")
    answer = tiendo("contacts", "import", file, "--json")
    assert answer.code == 1
    assert [one["row"] for one in answer.errors] == [4, 5]
    assert all(one["sample"] for one in tiendo.json("contacts", "list"))


def test_accounts_never_take_a_password_as_an_argument(tiendo: CommandLine) -> None:
    words = ("accounts", "add", "dieuphoi", "--name", "Trần Thị Điều", "--role", "coordinator")
    assert tiendo(*words, "--password", "x").code == 2
    asked = tiendo(*words)
    assert asked.code == 2
    assert "--password-stdin" in asked.err
    weak = tiendo(*words, "--password-stdin", "--json", typed="123\n")
    assert weak.code == 1
    assert weak.errors[0]["field"] == "password"
    made = tiendo.good(
        *words, "--password-stdin", "--json", typed="một câu dài để đăng nhập 2027\n"
    ).lines
    assert made[0]["agency"] == "phong_mot"
    assert "câu dài" not in json.dumps(tiendo.json("history"), ensure_ascii=False)
    assert tiendo(*words, "--no-password").code == 1
    assert [one["username"] for one in tiendo.json("accounts", "list")] == ["dieuphoi"]
    with tiendo.database() as database, database.read() as session:
        assert str(session.scalars(select(Account.password_hash)).one()).startswith("$argon2")


def test_an_account_is_switched_off_and_cannot_act(tiendo: CommandLine) -> None:
    tiendo.people()
    number = tiendo.assignment("A.1", "2027-03", "xa_dong")
    assert tiendo("accounts", "disable", "dong").code == 1
    tiendo.good("accounts", "disable", "dong", "--reason", "Nghỉ việc")
    refused = tiendo("act", number, "start", "--as", "dong")
    assert refused.code == 1
    assert "đã khóa" in refused.err
    tiendo.good("accounts", "enable", "dong", "--reason", "Trở lại")
    tiendo.good("act", number, "start", "--as", "dong")
    tiendo.good("accounts", "password", "dong", "--password-stdin", typed="câu dài khác 2027\n")


def test_a_day_off_rolls_open_dates(tiendo: CommandLine) -> None:
    tiendo.good("open")
    due = date.fromisoformat(tiendo.json("work", "list", "--item", "A.2")[0]["due_on"])
    words = ("days", "set", due.isoformat(), "--off", "--document", "12/TB-VPCP")
    done = tiendo.json(*words)[0]
    assert done["rolled"]
    assert tiendo.json("work", "list", "--item", "A.2")[0]["due_on"] == done["rolled_to"]
    assert tiendo(*words).code in {0, 1}
    assert tiendo("days", "set", due.isoformat(), "--document", "12/TB-VPCP").code == 2


def test_a_year_s_dates_are_fixed_by_one_document(tiendo: CommandLine) -> None:
    tiendo.good("open")
    words = ("year-dates", "2027", "--date", "A.2=2027-07-15", "--document", "9/KH-UBND")
    assert tiendo(*words, typed="\n").code == 1
    assert tiendo.json("work", "list", "--item", "A.2")[0]["provisional"] is True
    moved = tiendo.json(*words, "--issued-on", "2027-02-25", "--yes")
    assert moved[0]["due_on"] == "2027-07-15"
    row = tiendo.json("work", "list", "--item", "A.2")[0]
    assert (row["due_on"], row["provisional"]) == ("2027-07-15", False)


def test_held_letters_are_released(tiendo: CommandLine) -> None:
    tiendo.good("open")
    tiendo.good("agencies", "pilot", "xa_dong", "--reason", "Thí điểm")
    tiendo.good("remind")
    assert tiendo.json("release") == [{"released": 0}]
    with tiendo.database() as database, database.read() as session:
        held = session.scalars(select(Letter.id).where(Letter.state == "held")).all()
    assert held
    assert tiendo.json("release", held[0]) == [{"released": 1}]


def test_letters_held_after_a_restore_are_released_or_closed(tiendo: CommandLine) -> None:
    """Rules 28, 33: a backup of the night, put back in the morning; nothing goes by itself."""
    tiendo.good("open")
    with tiendo.database() as database, database.write() as session:
        stamp = Stamp(
            at=tiendo.clock.now(),
            as_of=tiendo.clock.today("Asia/Ho_Chi_Minh"),
            actor=flow_actor("thử"),
        )
        record_restored(
            session,
            stamp,
            name="tiendo.tar.gz",
            made_at=tiendo.clock.now() - timedelta(hours=7),
            revision="0018",
            rows=1,
            events=1,
            files=0,
        )
    tiendo.good("remind")
    said = tiendo("doctor").out
    assert "tạm giữ sau khi khôi phục" in said
    with tiendo.database() as database, database.read() as session:
        held = session.scalars(select(Letter.id).where(Letter.held_reason == "restored")).all()
    assert len(held) >= 2
    assert tiendo.json("release") == [{"released": 0}]
    assert tiendo.json("release", "--close", held[0]) == [{"closed": 1}]
    assert tiendo("release", "--close").code == 2
    assert tiendo("release", "--restored", held[1]).code == 2
    assert tiendo("release", "--close", held[0]).code == 1
    assert tiendo.json("release", held[1]) == [{"released": 1}]
    rest = tiendo.json("release", "--restored", "--close") or [{"closed": 0}]
    assert rest == [{"closed": len(held) - 2}]


def test_letters_of_an_agency_are_switched(tiendo: CommandLine) -> None:
    words = ("agencies", "letters", "xa_dao", "--on", "--reason", "Đã có hộp thư")
    assert tiendo.json(*words)[0]["letters"] is True
    shown = {one["agency"]: one["letters"] for one in tiendo.json("agencies", "list")}
    assert shown["xa_dao"] is True


def test_the_program_itself_speaks_utf_8_in_any_locale(tmp_path: Path) -> None:
    settings = {
        "PATH": os.environ["PATH"],
        "LC_ALL": "C",
        "TIENDO_ENV_FILE": "",
        "TIENDO_DATA_DIR": str(tmp_path / "var"),
        "TIENDO_PLAN_FOLDERS": str(SMALL),
    }
    words = [str(TIENDO), "work", "list", "--status", "sai"]
    wrong = subprocess.run(words, env=settings, capture_output=True, check=False)
    assert wrong.returncode == 2
    assert "Không có trạng thái “sai”" in wrong.stderr.decode()
    assert b"Traceback" not in wrong.stderr
    words = [str(TIENDO), "agencies", "list", "--json"]
    right = subprocess.run(words, env=settings, capture_output=True, check=True)
    assert "Xã Đông" in right.stdout.decode()


def test_a_reader_that_has_enough_is_no_mistake(tmp_path: Path) -> None:
    settings = os.environ | {
        "TIENDO_ENV_FILE": "",
        "TIENDO_DATA_DIR": str(tmp_path / "var"),
        "TIENDO_PLAN_FOLDERS": str(SMALL),
    }
    line = f"set -o pipefail; {TIENDO} agencies list --json | head -1"
    done = subprocess.run(
        ["bash", "-c", line], env=settings, capture_output=True, check=True, text=True
    )
    assert "Traceback" not in done.stderr
    assert done.stdout.count("\n") == 1
