""" "Lịch sử" and "như đã biết lúc": found in a minute, paged by key, exported without a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest
from httpx import Response
from openpyxl import load_workbook
from sqlalchemy import select

from models.tables import AccessLog, Assignment, Base, Event, Occurrence
from operations.history import Change, record, snapshot_of
from portal.forms import FieldError
from portal.history_words import FIELD_WORDS, TECHNICAL, act_word
from portal.instants import exact_instant, read_instant
from portal.permissions import Visitor
from tests import portal_site, world
from tests.portal_site import RESULT, Site, send, text_of

EVIL = '=HYPERLINK("http://x.test";"bấm")'


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal whose work was opened and answered, with a reason that would be a formula."""
    with portal_site.site(database_url, tmp_path) as found:
        found.write(tell_openings)
        link, number = found.link(), found.work["I.1/xa_van_ninh"]
        found.clock.instant += timedelta(minutes=5)
        send(found.browser(), f"{link}/viec/{number}", "cap-nhat", RESULT)
        found.clock.instant += timedelta(minutes=5)
        boss = found.logged_in(Visitor.COORDINATOR)
        send(boss, f"/viec/{number}", "tra-lai", {"reason": EVIL})
        yield found


def tell_openings(session: object) -> None:
    """Write the events of opening, which the small world leaves out."""
    from sqlalchemy.orm import Session

    assert isinstance(session, Session)
    for entity, rows in (
        ("occurrence", session.scalars(select(Occurrence)).all()),
        ("assignment", session.scalars(select(Assignment)).all()),
    ):
        changes = [
            Change(
                entity=entity,
                entity_id=str(row.id),
                action="open" if entity == "occurrence" else "assign",
                snapshot=snapshot_of(row),
                plan=world.PLAN,
                agency=getattr(row, "agency_key", None),
            )
            for row in rows
        ]
        record(session, world.flow(), changes)


def numbers(page: Response) -> list[int]:
    """The events of a page by number, in its order."""
    return [int(one) for one in re.findall(r"Sự kiện số (\d+)", page.text)]


def test_each_event_says_before_and_after_in_words(site: Site) -> None:
    page = site.logged_in(Visitor.AUDITOR).get("/lich-su?viec=assignment:return")
    words = text_of(page)
    assert page.status_code == 200
    assert "Tình trạng Chờ xác nhận Đang thực hiện" in words
    assert "Bổ sung, trả lời trước (trống)" in words
    assert EVIL in words
    assert "HYPERLINK" in page.text
    assert len(numbers(page)) == 1


def test_filters_narrow_by_each_field(site: Site) -> None:
    browser = site.logged_in(Visitor.AUDITOR)

    def found(query: str) -> list[int]:
        page = browser.get(f"/lich-su?thu=1&{query}")
        assert page.status_code == 200
        return numbers(page)

    everything = found("")
    for query, some in (
        ("co-quan=xa_van_ninh", True),
        ("co-quan=khong_co", False),
        ("nguoi=nguyễn thị hoa", True),
        ("nguoi=NGUYỄN", True),
        ("noi-dung=125/qđ-ubnd", True),
        ("noi-dung=%25", False),
        ("nhiem-vu=I.1&ky=2027", True),
        ("ky=2026", False),
        ("tu=1/3/2027&den=1/3/2027", True),
        ("tu=2/3/2027", False),
        ("viec=submission:file", True),
        ("de-an=khong_co", False),
    ):
        kept = found(query)
        assert bool(kept) is some, query
        assert len(kept) < len(everything) or query.startswith("tu=1/3"), query
        assert set(kept) <= set(everything)


def test_pages_follow_each_other_without_gap_or_repetition(site: Site) -> None:
    """Keyset paging: an event that is added meanwhile moves nothing."""
    stamp = world.coordinator()
    site.write(
        lambda s: record(
            s,
            stamp,
            [
                Change(entity="day", entity_id=str(n), action="correct", snapshot={})
                for n in range(120)
            ],
        )
    )
    browser, seen = site.logged_in(Visitor.AUDITOR), []
    page = browser.get("/lich-su?thu=1")
    total = site.read(lambda s: [one.id for one in s.scalars(select(Event))])
    while True:
        seen += numbers(page)
        following = re.search(r'href="([^"]+)">Các sự kiện cũ hơn', page.text)
        if following is None:
            break
        site.write(
            lambda s: record(
                s,
                world.coordinator(world.DUE),
                [Change(entity="day", entity_id="x", action="correct", snapshot={})],
            )
        )
        page = browser.get(unescape(following[1]))
    assert len(seen) == len(set(seen)) == len(total)
    assert set(seen) == set(total)


def test_what_was_recorded_later_is_not_known_at_an_earlier_instant(site: Site) -> None:
    """(39)"""
    browser = site.logged_in(Visitor.AUDITOR)
    early = (portal_site.MORNING + timedelta(minutes=6)).isoformat().replace("+00:00", "Z")
    assert "Đề nghị bổ sung, hoàn thiện, " not in browser.get(f"/lich-su?luc={early}").text
    then, now = browser.get(f"/nhu-da-biet?luc={early}&nhiem-vu=I.1"), browser.get("/nhu-da-biet")
    assert "Chờ xác nhận" in text_of(then).split("Lịch sử")[-2] or "Chờ xác nhận;" in text_of(then)
    assert "Đề nghị bổ sung, hoàn thiện" in text_of(now)
    assert "Đề nghị bổ sung, hoàn thiện;" not in text_of(then)
    before = browser.get("/nhu-da-biet?luc=1/1/2027")
    assert "chưa có phân công nào khớp" in before.text


def test_files_hold_the_same_rows_run_nothing_and_are_logged(site: Site) -> None:
    """(40)"""
    browser = site.logged_in(Visitor.AUDITOR)
    answer = browser.get("/lich-su/xuat/csv?co-quan=xa_van_ninh")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) - 1 == len(numbers(browser.get("/lich-su?co-quan=xa_van_ninh")))
    cells = [cell for row in rows for cell in row]
    assert f"'{EVIL}" in cells
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)
    book = load_workbook(BytesIO(browser.get("/lich-su/xuat/xlsx").content))
    assert all(cell.data_type != "f" for row in book.worksheets[0] for cell in row)
    known = browser.get("/nhu-da-biet/xuat/csv?nhiem-vu=I.1").content.decode("utf-8-sig")
    assert known.count("\r\n") == 5
    assert browser.get("/lich-su/xuat/exe").status_code == 404
    assert browser.get("/lich-su/xuat/csv?tu=hôm nay").status_code == 422
    logged = site.read(
        lambda s: list(s.scalars(select(AccessLog).where(AccessLog.method == "EXPORT")))
    )
    assert [one.actor for one in logged] == ["account:auditor"] * 3
    assert "/lich-su/xuat/csv?co-quan=xa_van_ninh (" in logged[0].path


def test_what_an_auditor_reads_is_logged_and_others_reading_is_not(site: Site) -> None:
    """(40)"""
    site.logged_in(Visitor.LEADERSHIP).get("/lich-su")
    site.logged_in(Visitor.AUDITOR).get("/lich-su?nhiem-vu=I.1")
    logged = site.read(
        lambda s: list(s.scalars(select(AccessLog).where(AccessLog.path.like("/lich-su%"))))
    )
    assert [(one.actor, one.path) for one in logged] == [
        ("account:auditor", "/lich-su?nhiem-vu=I.1")
    ]


def test_what_cannot_be_read_is_said_beside_its_field(site: Site) -> None:
    browser = site.logged_in(Visitor.AUDITOR)
    for query in (
        "tu=32/1/2027",
        "luc=9/9/1999",
        "luc=31/3/2027 25:99",
        "ky=quý",
        "luc=x+y",
        "den=%00",
    ):
        page = browser.get(f"/lich-su?{query}")
        assert page.status_code == 200
        assert ("Cần sửa:" in page.text) is (query != "den=%00"), query
    assert browser.get("/lich-su?noi-dung=" + "x" * 101).status_code == 422
    for query in ("truoc=x&so=1", "so=99999999999999999999", "truoc=1/1/2027&so=-1"):
        assert browser.get(f"/lich-su?{query}").status_code == 200
    assert "<script" not in browser.get("/lich-su?nguoi=<script>").text


FAR = datetime(2030, 12, 31, 16, 59, 59, 999999, tzinfo=UTC)


def test_instants_are_read_as_people_type_them() -> None:
    """A day is its last moment, and so is a minute."""
    minute = datetime(2027, 3, 31, 7, 5, 59, 999999, tzinfo=UTC)
    for typed in (
        "31/3/2027 14:05",
        "2027-03-31T14:05",
        "14 giờ 05 ngày 31/3/2027",
        "14h05 31/3/2027",
    ):
        assert read_instant(typed) == minute
    assert read_instant("31/3/2027") == datetime(2027, 3, 31, 16, 59, 59, 999999, tzinfo=UTC)
    assert read_instant("2027-03-31T07:05:00.000001Z") == datetime(
        2027, 3, 31, 7, 5, 0, 1, tzinfo=UTC
    )
    assert read_instant("31/3/2027 14:05:07") == datetime(2027, 3, 31, 7, 5, 7, 999999, tzinfo=UTC)
    assert read_instant("31/3/2027 14:05:07,25") == datetime(
        2027, 3, 31, 7, 5, 7, 259999, tzinfo=UTC
    )
    assert read_instant("") is None
    for typed in (
        "31/3/2027 14:05:07,1234567",
        "31/3/9999",
        "2027-03-31+",
        "14:05",
        "1/1/0001 00:00",
    ):
        with pytest.raises(FieldError):
            read_instant(typed)


def test_an_instant_shown_exactly_is_read_back_exactly() -> None:
    """(39) What a page shows may be typed again and means that very instant."""
    for instant in (datetime(2027, 4, 6, 1, 30, tzinfo=UTC), FAR, FAR.replace(microsecond=7)):
        assert read_instant(exact_instant(instant)) == instant
        assert read_instant(exact_instant(instant).replace(",", ".")) == instant
    assert exact_instant(datetime(2027, 4, 6, 1, 30, tzinfo=UTC)) == "6/4/2027 08:30:00,000000"


def test_every_recorded_field_has_a_word() -> None:
    tables = (
        *("assignment", "occurrence", "extension_request", "proposal", "obstacle", "account"),
        *("contact", "agency", "agency_group", "succession", "day", "period_date", "mailbox"),
        *("stored_file", "link_token", "finding"),
    )
    for table in tables:
        names = {column.name for column in Base.metadata.tables[table].columns}
        assert names <= FIELD_WORDS.keys() | TECHNICAL, table


def test_no_event_of_the_small_world_is_only_called_updated(site: Site) -> None:
    for event in site.read(lambda s: list(s.scalars(select(Event)))):
        assert not act_word(event.entity, event.action).endswith(": cập nhật"), event.action
