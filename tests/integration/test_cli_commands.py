"""What the coordinator and the administrator do at the command line: said, done, or refused whole.

A refusal has the exit code of docs/cli.md and leaves history and tables as they were.
"""

import io
import zipfile
from pathlib import Path

import pyotp
import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select

from models.tables import Account, Base
from operations.import_sheets import RESULTS
from operations.obstacles import raise_obstacle
from operations.stamp import Stamp
from rules.actors import AccountRole, Actor, ActorKind
from tests.command_line import Answer, CommandLine, command_line
from tests.late_start import find, packed, put

AS = ("--as", "dieuphoi")


@pytest.fixture
def tiendo(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    made = command_line(database_url, tmp_path, monkeypatch)
    made.people()
    return made


def rows(tiendo: CommandLine) -> dict[str, int]:
    """How many rows each table has."""
    with tiendo.database() as database, database.read() as session:
        return {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
        }


def refused(tiendo: CommandLine, *words: object, code: int = 1) -> Answer:
    """The command ends with ``code`` and a sentence, and has written nothing."""
    before = rows(tiendo)
    answer = tiendo(*words, "--json")
    assert answer.code == code, answer
    assert answer.out == ""
    assert answer.errors
    assert rows(tiendo) == before
    return answer


def raised(tiendo: CommandLine, *agencies: str) -> list[int]:
    """Agencies tell of obstacles; their numbers."""
    numbers = []
    with tiendo.database() as database:
        for agency in agencies:
            actor = Actor(
                kind=ActorKind.PERSON, name="Cán bộ", role=AccountRole.AGENCY, agency=agency
            )
            stamp = Stamp(at=tiendo.clock.now(), as_of=tiendo.clock.now().date(), actor=actor)
            with database.write() as session:
                numbers.append(raise_obstacle(session, stamp, text=f"{agency}: thiếu biên chế"))
    return numbers


def test_a_late_start_is_checked_taken_over_once_and_mended_by_cell(
    tiendo: CommandLine, tmp_path: Path
) -> None:
    """(19) Template, check, take over, again, and a broken cell."""
    blank = tmp_path / "mau.xlsx"
    told = tiendo.json("import", "--template", blank)[0]
    assert told == {"template": str(blank), "bytes": blank.stat().st_size}
    assert "đã có" in refused(tiendo, "import", "--template", blank).errors[0]["error"]
    book = load_workbook(io.BytesIO(blank.read_bytes()))
    sheet = book[RESULTS]
    row = find(sheet, "A.1", "2026-05", "Xã Đông")
    put(sheet, row, state="Đã hoàn thành", document="9/BC-UBND", issued="3/6/2026")
    filled = tmp_path / "dien.xlsx"
    filled.write_bytes(packed(book))
    before = rows(tiendo)
    seen = tiendo.json("import", filled, "--check")[0]
    assert (seen["checked_only"], seen["results"]["new"]) == (True, 1)
    assert rows(tiendo) == before
    assert "Sẽ thay đổi" in tiendo.good("import", filled, "--check").out
    done = tiendo.json("import", filled)[0]
    assert done | {"checked_only": True} == seen
    again = tiendo.good("import", filled)
    assert "Đã thay đổi 0 mục" in again.out
    kept = tiendo.json("work", "list", "--item", "A.1", "--period", "2026-05")
    assert "confirmed" in {one["status"] for one in kept if one["agency"] == "xa_dong"}
    put(sheet, row, issued="31/2/2026")
    filled.write_bytes(packed(book))
    for words in ((), ("--check",)):
        (error,) = refused(tiendo, "import", filled, *words).errors
        assert (error["sheet"], error["row"]) == (RESULTS, row)
        assert error["cell"].endswith(str(row))
        assert "31/2/2026" in error["error"]
    refused(tiendo, "import", code=2)
    refused(tiendo, "import", tmp_path / "khong-co.xlsx", code=2)


def test_an_agency_s_change_that_is_not_agreed_to_writes_nothing(
    tiendo: CommandLine, tmp_path: Path
) -> None:
    """(35) Apply asks; no answer means no. What is done is said in numbers."""
    file = tmp_path / "sap-xep.yaml"
    file.write_text(
        "reorganisations:\n"
        "  - kind: rename\n"
        "    effective_on: 2027-03-01\n"
        "    document: {code: 12/NQ-HĐND}\n"
        "    predecessors: [xa_dong]\n"
        "    successors:\n"
        "      - new: {name: Xã Vạn Giã}\n"
        "    late: true\n",
        encoding="utf-8",
    )
    before = rows(tiendo)
    assert "chưa ghi gì" in tiendo.good("agencies", "change", file).out
    no = tiendo("agencies", "change", file, "--apply", typed="k\n")
    assert (no.code, "Chưa ghi gì" in no.err) == (1, True)
    assert rows(tiendo) == before
    yes = tiendo.good("agencies", "change", file, "--apply", typed="c\n")
    assert "Đã ghi 1 sắp xếp: " in yes.out


def test_documents_are_written_in_both_forms_and_a_wrong_question_writes_none(
    tiendo: CommandLine, tmp_path: Path
) -> None:
    for name, start in (("a.docx", b"PK"), ("a.pdf", b"%PDF")):
        out = tmp_path / name
        (told,) = tiendo.json("documents", "yearly", out, "--year", 2027)
        assert told == {"file": str(out), "bytes": out.stat().st_size}
        assert out.read_bytes().startswith(start)
    assert "Đã ghi" in tiendo.good("documents", "yearly", tmp_path / "b.docx", "--year", 2027).out
    wrong = tmp_path / "sai.docx"
    yearly = ("documents", "yearly", wrong, "--year")
    refused(tiendo, *yearly, 27, code=2)
    refused(tiendo, *yearly, 2035)
    refused(tiendo, *yearly, 2027, "--cutoff", "2027-02-30", code=2)
    refused(tiendo, *yearly, 2027, "--cutoff", "2026-12-31")
    refused(tiendo, "documents", "yearly", tmp_path / "sai.txt", "--year", 2027, code=2)
    refused(tiendo, "documents", "yearly", tmp_path / "khong" / "a.docx", "--year", 2027)
    refused(tiendo, "documents", "dossier", 99_999, tmp_path / "sai.zip")
    refused(tiendo, "documents", "milestone", wrong, "--year", 2035)
    assert not list(tmp_path.glob("sai.*"))


def test_a_letter_that_urges_is_written_and_its_number_recorded(
    tiendo: CommandLine, tmp_path: Path
) -> None:
    """Nothing is overdue yet: it says so; what came overdue is listed and covered by its number."""
    out = tmp_path / "don-doc.docx"
    tiendo.clock.instant = tiendo.clock.instant.replace(month=5, day=3)
    (told,) = tiendo.json("documents", "urge", out)
    assert (told["file"], told["bytes"]) == (str(out), out.stat().st_size)
    words = ("documents", "issued", "88/PM-TH", "--issued-on", "2027-05-03")
    (done,) = tiendo.json(*words, "--data-at", told["data_at"])
    assert (done["code"], done["covers"] > 0) == ("88/PM-TH", True)
    refused(tiendo, *words, "--data-at", "hôm qua", code=2)
    refused(tiendo, *words, "--data-at", told["data_at"], "--issuer", "bộ", code=2)


def test_a_task_s_dossier_is_a_zip_with_its_index(tiendo: CommandLine, tmp_path: Path) -> None:
    out = tmp_path / "ho-so.zip"
    (told,) = tiendo.json("documents", "dossier", 1, out)
    assert told["file"] == str(out)
    with zipfile.ZipFile(out) as packed_files:
        assert packed_files.testzip() is None
        assert packed_files.namelist()


def test_one_assignment_s_date_is_moved_with_a_reason(tiendo: CommandLine) -> None:
    """(17, 23)"""
    number = tiendo.assignment("A.1", "2027-03", "xa_dong")
    words = ("work", "reschedule", number, "--reason", "Bão số 2")
    (done,) = tiendo.json(*words, "--until", "2027-04-20", *AS)
    assert done == {"assignment": number, "due_on": "2027-04-20"}
    said = tiendo.good(*words, "--until", "21/4/2027", *AS).out
    assert f"Phân công số {number}: hạn nay là 21/4/2027." in said
    refused(tiendo, *words, "--until", "2027-04-31", *AS, code=2)
    refused(tiendo, *words, "--until", "2027-02-01", *AS)
    refused(tiendo, *words, "--until", "2027-04-22", "--as", "dong")
    refused(tiendo, *words, "--until", "2027-04-22", "--as", "khong_co")
    refused(tiendo, *words, "--until", "2027-04-22", *AS, "--expected-version", 1)
    refused(tiendo, "work", "reschedule", number, "--until", "2027-04-22", *AS, code=2)
    refused(tiendo, "work", "reschedule", 99_999, *words[3:], "--until", "2027-04-22", *AS)


def test_an_agency_is_dropped_from_a_period_and_takes_part_again(tiendo: CommandLine) -> None:
    number = tiendo.assignment("A.1", "2027-03", "xa_dong")
    drop = ("work", "drop-agency", number, *AS)
    refused(tiendo, *drop, code=2)
    refused(tiendo, "work", "drop-agency", number, "--reason", "x", "--as", "dong")
    (done,) = tiendo.json(*drop, "--reason", "Nhầm địa bàn")
    assert done == {"assignment": number, "status": "cancelled", "proposal": None}
    refused(tiendo, *drop, "--reason", "Nhầm địa bàn")
    add = ("work", "add-agency", "A.1", "2027-03")
    why = ("--reason", "Có phát sinh", *AS)
    refused(tiendo, "work", "add-agency", "A.9", "2027-03", "xa_dong", *why)
    refused(tiendo, "work", "add-agency", "A.1", "2029-03", "xa_dong", *why)
    refused(tiendo, *add, "xa_la", *why)
    refused(tiendo, *add, "xa_tay", *why, "--role", "vai", code=2)
    said = tiendo.good(*add, "xa_dong", *why).out
    assert "Đã bổ sung xa_dong vào A.1 kỳ 2027-03: phân công số" in said
    refused(tiendo, *add, "xa_dong", *why)
    (more,) = tiendo.json(*add, "xa_tay", *why)
    assert (more["item"], more["period"], more["agency"]) == ("A.1", "2027-03", "xa_tay")


def test_work_outside_the_appendix_is_assigned_at_once(tiendo: CommandLine) -> None:
    words = (
        *("work", "assign", "--basis", "31/CV-UBND", "--basis-on", "2027-02-26"),
        *("--task", "Báo cáo đột xuất", "--product", "Báo cáo"),
    )
    (done,) = tiendo.json(*words, "--due-on", "2027-03-31", "--lead", "xa_dong", *AS)
    assert done == {"item": "BS-2027/01", "due_on": "2027-03-31", "assignments": 1}
    said = tiendo.good(*words, "--due-on", "2027-03-31", "--lead", "xa_tay", *AS).out
    assert "Đã giao BS-2027/02: 1 phân công, hạn 31/3/2027." in said
    refused(tiendo, *words, "--due-on", "2027-03-31", "--lead", "xa_la", *AS)
    refused(tiendo, *words, "--due-on", "2027-01-31", "--lead", "xa_dong", *AS)
    refused(tiendo, *words, "--due-on", "2027-03-31", "--lead", "xa_dong", "--as", "tay")
    refused(tiendo, *words, "--due-on", "2027-03-31", *AS, code=2)


def test_obstacles_are_listed_answered_and_brought_to_the_superior(tiendo: CommandLine) -> None:
    """(42)"""
    one, two, three = raised(tiendo, "xa_dong", "xa_tay", "xa_dong")
    listed = tiendo.json("obstacles", "list")
    assert [row["id"] for row in listed] == [three, two, one]
    refused(tiendo, "obstacles", "list", "--state", "xong", code=2)
    answer = ("obstacles", "answer", one, "--text", "Đã bổ sung")
    refused(tiendo, *answer, "--as", "dong")
    refused(tiendo, "obstacles", "answer", one, "--text", " ", *AS)
    assert tiendo.json(*answer, *AS) == [{"id": one, "state": "answered"}]
    refused(tiendo, *answer, *AS)
    up = ("obstacles", "consolidate", two, three, "--document", "210/BC-PM", *AS)
    refused(tiendo, "obstacles", "consolidate", one, two, "--document", "210/BC-PM", *AS)
    assert tiendo.json(*up) == [{"consolidated": 2, "document": "210/BC-PM"}]
    refused(tiendo, "obstacles", "answer", two, "--text", "Đồng ý", *AS)
    back = ("--text", "Đồng ý", "--document", "15/UBND-NC", *AS)
    refused(tiendo, "obstacles", "answer-all", "--sent", "211/BC-PM", *back)
    said = tiendo.good("obstacles", "answer-all", "--sent", "210/BC-PM", *back).out
    assert "Đã trả lời 2 vướng mắc của văn bản 210/BC-PM." in said
    refused(tiendo, "obstacles", "answer-all", "--sent", "210/BC-PM", *back)
    shown = tiendo.good("obstacles", "list", "--state", "answered").out
    assert "3 vướng mắc" in shown


def test_a_token_is_shown_once_and_taken_back(tiendo: CommandLine) -> None:
    words = ("tokens", "add", "--name", "QLVB", "--purpose", "Liên thông", "--agency")
    refused(tiendo, *words, "xa_la", "--valid-to", "2028-01-31")
    refused(tiendo, *words, "xa_dong", "--valid-to", "2026-01-31")
    refused(tiendo, *words, "xa_dong", "--valid-to", "2027-12-31", "--scope", "tất cả")
    made = tiendo.good(*words, "xa_dong", "--valid-to", "2027-12-31").out
    (row,) = tiendo.json("tokens", "list")
    assert row["id"] in made
    text = next(line for line in made.splitlines() if line.startswith("td_"))
    assert text not in tiendo.good("tokens", "list").out
    refused(tiendo, "tokens", "revoke", row["id"])
    refused(tiendo, "tokens", "revoke", "td_0000000000", "--reason", "x")
    said = tiendo.good("tokens", "revoke", row["id"], "--reason", "Đổi phần mềm").out
    assert said.strip() == f"Đã thu hồi mã {row['id']}."
    assert tiendo.json("tokens", "list")[0]["revoked_at"] is not None
    refused(tiendo, "tokens", "revoke", row["id"], "--reason", "Đổi phần mềm")


def test_a_person_is_invited_and_loses_codes_with_the_telephone(tiendo: CommandLine) -> None:
    (told,) = tiendo.json("accounts", "invite", "dong")
    assert (told["username"], told["link"].startswith("http")) == ("dong", True)
    said = tiendo.good("accounts", "invite", "dong").out
    assert "dùng một lần, trong 72 giờ" in said
    refused(tiendo, "accounts", "invite", "khong_co")
    tiendo.good("accounts", "disable", "tay", "--reason", "Nghỉ việc")
    refused(tiendo, "accounts", "invite", "tay")
    refused(tiendo, "accounts", "reset-totp", "dong", "--reason", "Mất điện thoại")
    with tiendo.database() as database, database.write() as session:
        row = session.scalars(select(Account).where(Account.username == "dong")).one()
        row.totp_secret = pyotp.random_base32()
    refused(tiendo, "accounts", "reset-totp", "dong")
    refused(tiendo, "accounts", "reset-totp", "khong_co", "--reason", "x")
    done = tiendo.json("accounts", "reset-totp", "dong", "--reason", "Mất điện thoại")
    assert done == [{"username": "dong", "totp": "reset"}]
    with tiendo.database() as database, database.read() as session:
        row = session.scalars(select(Account).where(Account.username == "dong")).one()
        assert row.totp_secret is None
