"""Starting late: a workbook of the years before, checked whole and taken over once (rule 19)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select

from models.tables import Account, AgencyRow, Base, Contact, Evidence, Notice, Reminder, Submission
from operations.contact_files import FileRefused
from operations.errors import NotPermitted
from operations.import_file import template_file
from operations.import_results import Verdict
from operations.import_sheets import ACCOUNTS, AGENCIES, GUIDE, PEOPLE, RESULTS
from operations.import_stored import CHANNEL
from operations.importing import Outcome
from operations.queries import WorkRow, work_list
from rules.actors import AccountRole, Actor, ActorKind
from rules.lifecycle import Status
from rules.values import Role, TrackingMode
from tests import late_start
from tests.engine import PROVINCE, Engine, engine, person, stamp
from tests.import_mistakes import MISTAKES, TODAY, cells, right
from tests.late_start import packed
from tests.mistakes import DOCUMENT, OPERATOR, START, document, told

DEPARTMENT = "so_tu_phap"


@pytest.fixture
def province(database_url: str) -> Iterator[Engine]:
    """The province, which begins to track on 1 January 2027."""
    with engine(database_url, folder=PROVINCE, start=START) as one:
        yield one


def take(one: Engine, book: Workbook, actor: Actor = OPERATOR, *, look: bool = False) -> Outcome:
    """Take a workbook over on the first working Monday."""
    return late_start.take(one, stamp(TODAY, actor), packed(book), look=look)


def counts(one: Engine) -> dict[str, int]:
    """How many rows each table has."""
    with one.database.read() as session:
        return {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
        }


def rows(one: Engine, item: str, year: int) -> dict[str, WorkRow]:
    """The leads of an item in a year by agency, as lists show them."""
    with one.database.read() as session:
        found = work_list(session, as_of=TODAY, items=[item], year=year, roles=[Role.LEAD])
        return {row.agency: row for row in found}


def only_results(**values: object) -> Workbook:
    """The right workbook with its result changed, and nothing else in it."""
    book = right()
    for name in (AGENCIES, PEOPLE, ACCOUNTS):
        del book[name]
    cells(RESULTS, **values)(book)
    return book


def test_every_mistake_is_told_with_place_and_remedy_and_nothing_is_written(
    province: Engine,
) -> None:
    """(9, 19) More than fifty broken files; docs/mistakes.md shows what each is told."""
    before = counts(province)
    assert len(MISTAKES) >= 25
    for name, change in MISTAKES:
        errors = told(province, change)
        assert errors, name
        assert all(one.problem and one.remedy for one in errors), name
        assert counts(province) == before, name
    assert DOCUMENT.read_text(encoding="utf-8") == document(province), (
        "run: python -m tests.mistakes"
    )


def test_all_mistakes_of_a_file_are_told_at_once(province: Engine) -> None:
    """(19)"""
    book = right()
    for change in (MISTAKES[12][1], *(one for name, one in MISTAKES if "Điện thoại" in name)):
        change(book)
    cells(RESULTS, issued="31/2/2024")(book)
    with pytest.raises(FileRefused) as caught:
        take(province, book)
    assert [(one.sheet, one.cell) for one in caught.value.errors] == [
        (PEOPLE, "F2"),
        (RESULTS, "A2"),
        (RESULTS, "H2"),
    ]


def test_every_mistake_of_one_row_is_told(province: Engine) -> None:
    """(19) Mending one cell does not bring up the next mistake of the same row."""
    book = right()
    cells(RESULTS, item="I.9", period="Q5/2024", issued="31/2/2024", papers="Không")(book)
    cells(ACCOUNTS, username="Hòa", name="", role="Giám đốc", agency="Sở Hàng không")(book)
    cells(PEOPLE, kind="Bảo vệ", email="lan", phone="2583822001")(book)
    with pytest.raises(FileRefused) as caught:
        take(province, book)
    assert [(one.sheet, one.cell) for one in caught.value.errors] == [
        *((PEOPLE, cell) for cell in ("B2", "E2", "F2")),
        *((ACCOUNTS, cell) for cell in ("A2", "B2", "C2", "D2")),
        *((RESULTS, cell) for cell in ("B2", "C2", "F2", "H2", "I2", "J2")),
    ]


def test_a_wrong_item_is_met_with_its_key_or_with_all_keys(province: Engine) -> None:
    """(19) "I.9" resembles every key and means none of them."""
    for typed, remedy in (("I1", "Ghi “I.1”"), ("ii-3", "Ghi “II.3”"), ("I.9", "Chọn một trong")):
        with pytest.raises(FileRefused) as caught:
            take(province, only_results(item=typed))
        assert caught.value.errors[0].remedy.startswith(remedy)


def test_a_right_file_is_taken_over_once(province: Engine) -> None:
    """(19, 20, 40) Results with their document, contacts, accounts without password."""
    done = take(province, right())
    assert (done.changes, done.accounts.new, done.agencies.same) == (4, ("hoa.nguyen",), 1)
    found = rows(province, "I.1", 2024)
    result = found[DEPARTMENT]
    assert (result.mode, result.status) == (TrackingMode.IMPORTED, Status.CONFIRMED)
    assert (result.completed_on, result.submitted_on) == (date(2024, 3, 15), TODAY)
    assert result.status_word == "Đã xác nhận hoàn thành (ghi nhận sau)"
    with province.database.read() as session:
        paper, filed = session.execute(select(Evidence, Submission).join(Submission)).one()
        assert (paper.document_code, paper.issued_on) == ("12/QĐ-STP", date(2024, 3, 15))
        assert (filed.entered_channel, filed.outcome) == (CHANNEL, "confirmed")
        account = session.scalars(select(Account).where(Account.username == "hoa.nguyen")).one()
        assert account.password_hash is None
    before = counts(province)
    again = take(province, right())
    assert (again.changes, dict(again.verdicts)) == (0, {Verdict.SAME: 1})
    assert counts(province) == before


def test_what_the_sheet_says_nothing_of_is_stated_and_never_reminds(province: Engine) -> None:
    """(19) "Chưa có dữ liệu": not done, not overdue, no letter, no later opening closes it."""
    take(province, only_results())
    found = rows(province, "I.1", 2024)
    silent = [row for row in found.values() if row.agency != DEPARTMENT]
    assert {row.status_word for row in found.values() if row.status is Status.NOT_STARTED} == {
        "Chưa có dữ liệu"
    }
    assert len(silent) > 30
    assert all(row.timeliness is None for row in found.values())
    book = only_results(
        agency="Sở Nội vụ", item="II.4", period="2026-Q4", issued="", document="", done="",
        state="", text="",
    )  # fmt: skip
    take(province, book)
    province.run(date(2027, 3, 31))
    assert rows(province, "II.4", 2026)["so_noi_vu"].status is Status.NOT_STARTED
    with province.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Reminder)) == 0
        told = session.scalars(select(Notice.assignment_id)).all()
    assert not {row.id for row in found.values()} & set(told)


def test_names_and_successions_are_those_of_then(province: Engine) -> None:
    """(11, 35) What was finished keeps the name of then; what was left went to the successor."""
    book = only_results(agency="Sở Tài nguyên và Môi trường", period="2025", issued="14/2/2025")
    book[RESULTS].append(
        [
            *("Sở Nông nghiệp và Môi trường", "I.1", "2025", "Đã hoàn thành", "", ""),
            *("5/QĐ-SNNMT", "20/3/2025", "", ""),
        ]
    )
    take(province, book)
    found = rows(province, "I.1", 2025)
    assert found["so_tnmt"].agency_name == "Sở Tài nguyên và Môi trường"
    assert found["so_tnmt"].status is Status.CONFIRMED
    assert found["so_nn_ptnt"].status is Status.TRANSFERRED
    assert found["so_nn_mt"].status is Status.CONFIRMED
    assert found["huyen_dien_khanh"].status is Status.CANCELLED


def test_a_changed_cell_is_refused_or_taken_as_a_correction(province: Engine) -> None:
    """(25) Never a silent overwrite: with a reason it is a new revision, and the first one stays."""
    take(province, only_results())
    with pytest.raises(FileRefused, match=r"ô G2\): Khác với đã ghi nhận: “12/QĐ-STP”"):
        take(province, only_results(document="13/QĐ-STP"))
    corrected = only_results(document="13/QĐ-STP", reason="Ghi nhầm số văn bản")
    assert take(province, corrected, look=True).verdicts == {Verdict.CORRECTED: 1}
    assert take(province, corrected).changes == 1
    with province.database.read() as session:
        filed = session.execute(
            select(Submission.revision, Evidence.document_code)
            .join(Evidence)
            .order_by(Submission.id)
        ).all()
    assert [tuple(one) for one in filed] == [(1, "12/QĐ-STP"), (2, "13/QĐ-STP")]
    reasons = [one.reason or "" for one in province.events("assignment") if one.reason]
    assert any("Đính chính: Ghi nhầm số văn bản" in one for one in reasons)
    assert take(province, corrected).changes == 0


@pytest.mark.parametrize(
    "values",
    [
        {"issued": "15/3/2024"},
        {"issued": "2024-03-15"},
        {"issued": " 15-03-2024 "},
        {"period": 2024, "document": "12 / QĐ-STP"},
        {"agency": "SỞ  TƯ PHÁP"},
        {"agency": "so_tu_phap", "period": "năm 2024", "state": "da hoan thanh"},
    ],
)
def test_a_cell_may_be_written_in_several_ways(province: Engine, values: dict[str, object]) -> None:
    """(19) Dates of Excel, text and ISO; numbers as text; names with stray blanks; NFC."""
    take(province, only_results())
    assert take(province, only_results(**values), look=True).verdicts == {Verdict.SAME: 1}


def test_an_agency_added_by_a_file_can_be_named_in_it(province: Engine) -> None:
    """(37)"""
    book = right()
    del book[RESULTS]
    book[AGENCIES].append(["ban_moi", "Ban Mới", "Ban", "", "1/1/2026", ""])
    book[PEOPLE].append(["Ban Mới", "Hộp thư cơ quan", "", "", "moi@co-quan.test", "", ""])
    book[ACCOUNTS].append(["moi.ban", "Lê Mới", "Cơ quan", "Ban Mới", "", "", "", ""])
    done = take(province, book)
    assert (done.agencies.new, done.contact_changes) == (("ban_moi",), 2)
    with province.database.read() as session:
        assert session.get_one(AgencyRow, "ban_moi").valid_from == date(2026, 1, 1)
        assert session.scalar(select(func.count()).select_from(Contact)) == 2
    assert take(province, book).changes == 0


def test_who_may(province: Engine) -> None:
    """(20, 40) Accounts are an administrator's, results the coordinator's; one file serves both."""
    auditor = Actor(kind=ActorKind.PERSON, name="B", account="b", role=AccountRole.AUDITOR)
    with pytest.raises(NotPermitted):
        take(province, right(), auditor)
    admin = Actor(kind=ActorKind.PERSON, name="A", account="a", role=AccountRole.ADMIN)
    looked = take(province, right(), admin, look=True)
    assert (looked.accounts.new, looked.left_results, len(looked.results.steps)) == (
        ("hoa.nguyen",),
        1,
        0,
    )
    coordinator = person(AccountRole.COORDINATOR, "so_noi_vu")
    done = take(province, right(), coordinator)
    assert (done.accounts.new, done.accounts.left) == ((), ("hoa.nguyen",))
    assert done.verdicts == {Verdict.NEW: 1}
    with province.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Account)) == 0
    assert take(province, right(), admin).accounts.new == ("hoa.nguyen",)
    for actor in (coordinator, admin):
        assert take(province, right(), actor).changes == 0


def test_the_template_is_explained_filled_in_and_offers_choices(province: Engine) -> None:
    """(19) Taken back as it is, it opens the past without data; the second time nothing."""
    with province.database.read() as session:
        content = template_file(session, province.plan, TODAY)
    book = load_workbook(io.BytesIO(content))
    assert book.sheetnames[0] == GUIDE
    assert {AGENCIES, PEOPLE, ACCOUNTS, RESULTS} <= set(book.sheetnames)
    assert len(late_start.rows_of(book, AGENCIES)) == len(province.catalog.directory.agencies)
    said = {tuple(row[:3]) for row in late_start.rows_of(book, RESULTS)}
    assert ("Sở Thông tin và Truyền thông", "II.5", "2024") in said
    assert ("Sở Khoa học và Công nghệ", "II.5", "2026") in said
    assert not {row for row in said if row[2] in {"2023-Q1", "2023-Q2", "2027"}}
    offered = {one.formula1 for one in book[RESULTS].data_validations.dataValidation}
    assert len(offered) == 8  # agencies of four years, items, periods, results, yes or no
    done = late_start.take(province, stamp(TODAY, OPERATOR), content)
    assert done.verdicts[Verdict.BLANK] == len(said)
    assert late_start.take(province, stamp(TODAY, OPERATOR), content).changes == 0


def test_the_realistic_file_taken_back_from_the_template_changes_nothing(province: Engine) -> None:
    """(19) What was taken over stands in the next template as it was said."""
    book = late_start.filled(province, TODAY)
    looked = take(province, book, look=True)
    done = take(province, book)
    assert looked.digest == done.digest
    assert done.verdicts[Verdict.NEW] > 300
    assert take(province, book).changes == 0
    assert take(province, late_start.blank(province, TODAY)).changes == 0
