"""What an agency does for itself: hands work on, names its focal point, asks partners, files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Assignment, Contact, ContactKind, Event, LinkToken, Notice
from operations.contacts import ContactInput, set_contact
from portal.permissions import Visitor
from rules.values import Role
from tests import portal_site, world
from tests.portal_site import PDF, RESULT, Site, mark_of, send, text_of
from tests.world import COORDINATOR, A, B, C

BOX, OLD = f"{A}@co-quan.test", "hoa@co-quan.test"
NEW = {
    "name": "Trần Văn Bình",
    "post": "Chuyên viên",
    "email": "Binh@co-quan.test",
    "phone": "0258 3822 001",
    "effective_on": "1/3/2027",
    "who_name": "Lê Thị An",
}


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal with open work, and contacts of Xã Vạn Ninh."""
    with portal_site.site(database_url, tmp_path) as found:
        for kind, name, email in (
            (ContactKind.MAILBOX, None, BOX),
            (ContactKind.FOCAL, "Nguyễn Thị Hoa", OLD),
        ):
            wanted = ContactInput(agency_key=A, kind=kind, name=name, email=email)
            with found.runtime.database.write() as session:
                set_contact(session, world.admin(), wanted)
        yield found


def name_focal(browser: TestClient, base: str, **changes: str) -> Response:
    """Fill in the form of the focal point."""
    page = browser.get(f"{base}/dau-moi")
    data = {"mark": mark_of(page), **NEW, **changes}
    answer: Response = browser.post(f"{base}/dau-moi/dau-moi-chinh", data=data)
    return answer


def test_work_is_handed_to_a_colleague_who_finds_it(site: Site) -> None:
    """The list and the page say who works on it; "Việc của tôi" shows only that."""
    staff, work = site.logged_in(Visitor.AGENCY), site.work["I.1/xa_van_ninh"]
    path = f"/co-quan/viec/{work}"
    done = send(staff, path, "giao-viec", {"handler": "account:agency", "note": "Làm trong tuần."})
    assert done.status_code == 303
    assert "Đã ghi người thực hiện" in text_of(staff.get(done.headers["location"]))
    assert "Người thực hiện: Người dùng agency" in text_of(staff.get("/co-quan"))
    assert "Làm trong tuần." in text_of(staff.get(path))
    mine = text_of(staff.get("/co-quan?loc=cua-toi"))
    assert "I.1 · năm 2027" in mine
    assert "II.5 · năm 2027" not in mine
    wrong = send(staff, path, "giao-viec", {"handler": "account:la", "note": "Giữ lại dòng này."})
    assert wrong.status_code == 422
    assert "Giữ lại dòng này." in wrong.text


def test_the_agency_hands_over_its_focal_point_by_account(site: Site) -> None:
    """Rules 36, 37, 40: letters change at once, the old name stays in the history."""
    staff, old = site.logged_in(Visitor.AGENCY), site.link(mailbox=OLD)
    done = name_focal(staff, "/co-quan", effective_on="26/2/2027")
    assert done.status_code == 303, text_of(done)
    page = text_of(staff.get(done.headers["location"]))
    assert "Đã ghi đầu mối chính: Trần Văn Bình, từ ngày 26/2/2027." in page
    assert "0258 3822 001" in page
    row, told = site.read(
        lambda s: (
            s.scalars(select(Contact).where(Contact.kind == "focal")).one(),
            s.scalars(select(Event).where(Event.entity == "contact").order_by(Event.id)).all(),
        )
    )
    assert (row.email, row.agency_key) == ("binh@co-quan.test", A)
    assert (told[-1].effective_on, told[-1].actor_account) == (date(2027, 2, 26), "agency")
    assert "Nguyễn Thị Hoa" in told[-2].snapshot
    assert site.browser().get(old).status_code != 200
    seen = site.logged_in(Visitor.COORDINATOR).get("/lich-su?doi-tuong=contact")
    assert "Cập nhật đầu mối" in text_of(seen)


def test_only_the_agencys_own_mailbox_hands_over_by_link(site: Site) -> None:
    """Rules 34, 36: a letter to one person, forwarded, names nobody's successor."""
    own, persons = site.browser(), site.browser()
    refused = site.link(mailbox=OLD)
    page = persons.get(f"{refused}/dau-moi")
    assert page.status_code == 200
    assert "Bàn giao đầu mối chính" not in text_of(page)
    assert BOX not in page.text
    mark = mark_of(persons.get(f"{refused}/viec/{site.work['I.1/xa_van_ninh']}"))
    forced = persons.post(f"{refused}/dau-moi/dau-moi-chinh", data={"mark": mark, **NEW})
    assert forced.status_code == 403
    link = site.link(mailbox=BOX)
    assert name_focal(own, link, who_name="").status_code == 422
    assert name_focal(own, link).status_code == 303
    proofs = site.read(
        lambda s: s.scalars(select(LinkToken).where(LinkToken.first_post_at.is_not(None))).all()
    )
    assert {one.mailbox for one in proofs} == {BOX, OLD}


def test_a_handover_tells_what_is_wrong_and_keeps_what_was_typed(site: Site) -> None:
    staff = site.logged_in(Visitor.AGENCY)
    for changes, words in (
        ({"effective_on": "1/4/2027"}, "chưa đến"),
        ({"email": ""}, "thư công vụ"),
        ({"email": "khong phai thu"}, "Cần sửa 1 chỗ"),
        ({"name": ""}, "họ và tên"),
    ):
        answer = name_focal(staff, "/co-quan", **changes)
        assert answer.status_code == 422, changes
        assert words in text_of(answer)
        assert "Chuyên viên" in answer.text


def lead_of_two(site: Site) -> tuple[int, int, int]:
    """I.1 of 2028: A and B lead, each its own; C is their partner."""

    def make(session: Session) -> tuple[int, int, int]:
        row = world.open_work(
            session, period="2028", leads=(A, B), partners=(C,), due_on=date(2028, 3, 31)
        )
        found = [world.row_of(session, row, key).id for key in (A, B)]
        return found[0], found[1], world.row_of(session, row, C, Role.PARTNER).id

    return site.write(make)


def asking(partner: int, content: str) -> dict[str, str]:
    """The form of a request."""
    return {
        "content": content,
        "respond_by": "15/3/2028",
        f"chon.{partner}": "1",
        "who_name": "Lê Thị An",
    }


def test_a_lead_asks_its_partner_and_marks_the_answer_received(site: Site) -> None:
    """Rule 14: by account and by link, before its own date; the partner's file is the lead's."""
    lead, _, partner = lead_of_two(site)
    staff, path = site.logged_in(Visitor.AGENCY), f"/co-quan/viec/{lead}/de-nghi-phoi-hop"
    assert path in staff.get(f"/co-quan/viec/{lead}").text
    late = asking(partner, "Cung cấp số liệu.") | {"respond_by": "31/3/2028"}
    answer = send(staff, path, "de-nghi", late)
    assert (answer.status_code, "Cung cấp số liệu." in answer.text) == (422, True)
    assert send(staff, path, "de-nghi", asking(partner, "Cung cấp số liệu.")).status_code == 303
    other = site.browser()
    own = f"{site.link(C)}/viec/{partner}"
    given = {"text": "Đã gửi bảng số liệu.", "who_name": "Võ Minh"}
    assert send(other, own, "phoi-hop", given, files=[("so-lieu.pdf", PDF)]).status_code == 303
    page = staff.get(path)
    assert "Đã gửi bảng số liệu." in text_of(page)
    file = next(part for part in page.text.split('"') if part.startswith("/co-quan/tai-lieu/"))
    assert staff.get(file).status_code == 200
    assert send(staff, path, "da-nhan", {"partner": str(partner)}).status_code == 303
    assert "đã ghi nhận" in text_of(staff.get(path))


def test_a_second_lead_asks_who_has_answered_and_names_nobody(site: Site) -> None:
    """Rules 14, 46: the answer is shared, the other lead is not named."""
    lead, second, partner = lead_of_two(site)
    mine = f"{site.link(A)}/viec/{lead}/de-nghi-phoi-hop"
    theirs = f"{site.link(B)}/viec/{second}/de-nghi-phoi-hop"
    one, two, other = site.browser(), site.browser(), site.browser()
    assert send(one, mine, "de-nghi", asking(partner, "Góp ý dự thảo")).status_code == 303
    given = {"text": "Nhất trí.", "who_name": "Võ Minh"}
    send(other, f"{site.link(C)}/viec/{partner}", "phoi-hop", given)
    seen = text_of(two.get(theirs))
    assert "một cơ quan chủ trì khác" in seen
    assert "Nhất trí." in seen
    assert "Xã Vạn Ninh" not in seen
    assert send(two, theirs, "de-nghi", asking(partner, "Xin mẫu biểu")).status_code == 303
    status, asker = site.read(
        lambda s: (
            s.get_one(Assignment, partner).status,
            s.get_one(Assignment, partner).requested_by,
        )
    )
    assert (status, asker) == ("requested", B)
    assert "Phường Nha Trang" not in text_of(one.get(mine))
    told = site.read(lambda s: s.scalars(select(Notice).where(Notice.kind == "contributed")).all())
    assert [row.agency_key for row in told] == [A]


def test_silence_is_closed_by_the_lead_with_one_reason(site: Site) -> None:
    """Rule 14: the silence stays visible."""
    lead, _, partner = lead_of_two(site)
    path = f"/co-quan/viec/{lead}/de-nghi-phoi-hop"
    send(site.logged_in(Visitor.AGENCY), path, "de-nghi", asking(partner, "Góp ý"))
    site.clock.instant = site.clock.instant.replace(year=2028, month=3, day=20)
    browser = site.browser()
    later = f"{site.link(A, days=900)}/viec/{lead}/de-nghi-phoi-hop"
    reason = {"reason": "Đã quá ngày đề nghị.", "who_name": "Lê Thị An"}
    assert send(browser, later, "ket-thuc", reason).status_code == 303
    assert "Chưa trả lời đề nghị phối hợp" in text_of(browser.get(later))


def test_partners_of_anothers_work_stay_closed(site: Site) -> None:
    """Rule 46."""
    _, second, _ = lead_of_two(site)
    staff = site.logged_in(Visitor.AGENCY)
    assert staff.get(f"/co-quan/viec/{second}/de-nghi-phoi-hop").status_code == 404
    partner = site.work["II.3/xa_van_ninh/partner"]
    assert staff.get(f"/co-quan/viec/{partner}/de-nghi-phoi-hop").status_code == 404


def test_a_file_filed_again_says_where_and_when_it_was_filed_before(site: Site) -> None:
    """On the agency's page, the coordinator's page and the queue; by content, not by name."""
    staff = site.logged_in(Visitor.AGENCY)
    first, second = (f"/co-quan/viec/{site.work[f'{key}/xa_van_ninh']}" for key in ("II.5", "I.1"))
    for path, name in ((first, "a.pdf"), (second, "ten-khac.pdf")):
        assert send(staff, path, "cap-nhat", RESULT, files=[(name, PDF)]).status_code == 303
    mark = "Cùng tệp đã nộp: II.5 · năm 2027, ngày 1/3/2027"
    assert mark in text_of(staff.get(second))
    assert "Cùng tệp đã nộp" not in text_of(staff.get(first))
    desk = site.logged_in(Visitor.COORDINATOR)
    assert mark in text_of(desk.get(f"/viec/{site.work['I.1/xa_van_ninh']}"))
    assert text_of(desk.get("/dieu-phoi")).count(mark) == 1


def test_coordinators_page_leads_to_entering_and_to_partners(site: Site) -> None:
    """Where the table of transitions allows it, and nowhere else."""
    desk, work = site.logged_in(Visitor.COORDINATOR), site.work["I.1/xa_van_ninh"]
    page = desk.get(f"/viec/{work}").text
    assert f"/dieu-phoi/nhap-thay/{work}" in page
    assert f"/dieu-phoi/phoi-hop/{work}" in page
    own = site.work[f"I.1/{COORDINATOR}/partner"]
    assert "/dieu-phoi/phoi-hop/" + str(own) not in desk.get(f"/viec/{own}").text
    auditor = site.logged_in(Visitor.AUDITOR).get(f"/viec/{work}").text
    assert "/dieu-phoi/phoi-hop/" not in auditor
