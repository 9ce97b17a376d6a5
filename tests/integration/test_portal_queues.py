"""The queues of Sở Nội vụ: evidence in view, decided on one screen, in one step or two."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import select

from models.tables import Assignment, ExtensionRequest, Obstacle, Proposal
from operations.act import act
from operations.acting import ActRequest
from operations.extensions import ask_extension
from operations.obstacles import raise_obstacle
from operations.results import Paper, Result
from portal.permissions import Visitor
from rules.lifecycle import Action
from tests import portal_site, world
from tests.portal_site import Site, mark_of, text_of

QUEUE = "/dieu-phoi"


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal with open work."""
    with portal_site.site(database_url, tmp_path) as found:
        yield found


def file_result(site: Site, agency: str = world.A) -> int:
    """An agency files I.1; the id of the assignment."""
    work = site.work[f"I.1/{agency}"]
    paper = Paper(code="125/QĐ-UBND", issued_on=date(2027, 2, 26))
    asked = ActRequest(result=Result(text="Đã ban hành quyết định.", papers=[paper]))
    site.write(lambda s: act(s, world.link(agency), work, Action.SUBMIT, asked))
    return work


def ask_for_time(site: Site) -> int:
    """Xã Vạn Ninh asks for another date; the id of the assignment."""
    work = site.work["I.1/xa_van_ninh"]
    until, why = date(2027, 4, 29), "Chờ kiện toàn nhân sự."
    site.write(lambda s: ask_extension(s, world.link(), work, until=until, reason=why))
    return work


def raised(site: Site, *, by: str = world.A) -> int:
    """An agency tells of an obstacle; its number."""
    work = site.work[f"I.1/{by}"]
    stamp = world.link(by)
    return site.write(
        lambda s: raise_obstacle(s, stamp, text="Thiếu biên chế.", assignment_id=work)
    )


def status_of(site: Site, work: int) -> tuple[str, int]:
    """Status and row version of an assignment."""
    row = site.read(lambda s: s.get_one(Assignment, work))
    return row.status, row.version


def decide(browser: TestClient, page: str, path: str, version: int = 0, **values: str) -> Response:
    """Send a form of a queue."""
    data = {"mark": mark_of(browser.get(page)), "version": str(version), **values}
    answer: Response = browser.post(f"{QUEUE}/{path}", data=data)
    return answer


def test_result_is_confirmed_where_its_evidence_is_shown(site: Site) -> None:
    work, staff = file_result(site), site.logged_in(Visitor.COORDINATOR)
    seen = text_of(staff.get(QUEUE))
    for part in ("Xã Vạn Ninh · I.1", "125/QĐ-UBND", "Đã ban hành quyết định.", "Đã chờ"):
        assert part in seen
    version = status_of(site, work)[1]
    answer = decide(staff, QUEUE, f"viec/{work}/xac-nhan", version)
    assert answer.status_code == 303
    assert status_of(site, work)[0] == "confirmed"
    after = text_of(staff.get(answer.headers["location"]))
    assert "Đã ghi: Xác nhận hoàn thành" in after
    assert "Không có kết quả nào chờ xác nhận" in after


def test_return_without_reason_keeps_what_was_typed(site: Site) -> None:
    work, staff = file_result(site), site.logged_in(Visitor.COORDINATOR)
    version = status_of(site, work)[1]
    path = f"viec/{work}/tra-lai"
    missing = decide(staff, QUEUE, path, version, respond_by="9/4/2027")
    assert missing.status_code == 422
    assert f'id="loi-tra-lai-{work}-reason"' in missing.text
    assert 'value="9/4/2027"' in missing.text
    assert decide(staff, QUEUE, path, version, reason="Thiếu phụ lục.").status_code == 303


def test_second_of_two_people_is_told_and_loses_nothing(site: Site) -> None:
    work, staff = file_result(site), site.logged_in(Visitor.COORDINATOR)
    version = status_of(site, work)[1]
    decide(staff, QUEUE, f"viec/{work}/xac-nhan", version)
    late = decide(staff, QUEUE, f"viec/{work}/tra-lai", version, reason="Thiếu phụ lục.")
    assert late.status_code == 409
    assert "đã được cập nhật bởi" in text_of(late)
    assert "Thiếu phụ lục." in text_of(late)


def test_forms_need_the_mark_of_their_page(site: Site) -> None:
    work, staff = file_result(site), site.logged_in(Visitor.COORDINATOR)
    data = {"mark": "x", "version": "2"}
    assert staff.post(f"{QUEUE}/viec/{work}/xac-nhan", data=data).status_code == 403
    assert status_of(site, work)[0] == "submitted"


def test_auditor_reads_the_queues_and_decides_nothing(site: Site) -> None:
    file_result(site)
    number, auditor = raised(site), site.logged_in(Visitor.AUDITOR)
    for path in ("", "/gia-han", "/vuong-mac", "/de-xuat"):
        page = auditor.get(QUEUE + path)
        assert page.status_code == 200
        assert 'method="post"' not in page.text.split("<main")[1]
    assert auditor.post(f"{QUEUE}/vuong-mac/{number}/tra-loi", data={}).status_code == 403


def test_extension_is_decided_in_its_queue(site: Site) -> None:
    work, staff = ask_for_time(site), site.logged_in(Visitor.COORDINATOR)
    page = f"{QUEUE}/gia-han"
    assert "Chờ kiện toàn nhân sự." in text_of(staff.get(page))
    version = status_of(site, work)[1]
    path = f"viec/{work}/dong-y-gia-han"
    assert decide(staff, page, path, version, until="29/4/2027").status_code == 422
    granted = decide(staff, page, path, version, until="29/4/2027", reason="Có căn cứ.")
    assert granted.headers["location"].startswith(page)
    assert site.read(lambda s: s.get_one(Assignment, work)).due_on == date(2027, 4, 29)


def test_extension_in_two_steps_is_approved_by_a_leader(site: Site) -> None:
    site.write(lambda s: world.set_policies(s, two_step=frozenset({"extend"})))
    work, staff = ask_for_time(site), site.logged_in(Visitor.COORDINATOR)
    page, steps = f"{QUEUE}/gia-han", f"{QUEUE}/de-xuat"
    assert "trình lãnh đạo duyệt" in text_of(staff.get(page))
    path, version = f"viec/{work}/dong-y-gia-han", status_of(site, work)[1]
    decide(staff, page, path, version, until="29/4/2027", reason="Có căn cứ.")
    number = site.read(lambda s: s.scalars(select(ExtensionRequest.id)).one())
    data = {"mark": mark_of(staff.get(steps))}
    assert staff.post(f"{steps}/gia-han/{number}/duyet", data=data).status_code == 403
    leader = site.logged_in(Visitor.LEADERSHIP)
    assert "Có căn cứ." in text_of(leader.get(steps))
    answer = decide(leader, steps, f"de-xuat/gia-han/{number}/duyet")
    assert "Đã duyệt" in text_of(leader.get(answer.headers["location"]))
    assert site.read(lambda s: s.get_one(Assignment, work)).due_on == date(2027, 4, 29)


def test_proposal_is_refused_with_a_reason_or_carried_out(site: Site) -> None:
    site.write(lambda s: world.set_policies(s, two_step=frozenset({"cancel"})))
    works = [site.work["I.1/xa_van_ninh"], site.work["I.1/phuong_nha_trang"]]
    asked = ActRequest(reason="Theo văn bản mới.")
    site.write(
        lambda s: [act(s, world.coordinator(), work, Action.CANCEL, asked) for work in works]
    )
    first, second = site.read(lambda s: s.scalars(select(Proposal.id)).all())
    leader, steps = site.logged_in(Visitor.LEADERSHIP), f"{QUEUE}/de-xuat"
    assert "Thôi theo dõi: Xã Vạn Ninh" in text_of(leader.get(steps))
    assert decide(leader, steps, f"de-xuat/{first}/khong-duyet").status_code == 422
    why = "Chưa đủ căn cứ."
    assert decide(leader, steps, f"de-xuat/{first}/khong-duyet", reason=why).status_code == 303
    assert decide(leader, steps, f"de-xuat/{second}/duyet").status_code == 303
    assert decide(leader, steps, f"de-xuat/{second}/duyet").status_code == 404
    assert [status_of(site, work)[0] for work in works] == ["not_started", "cancelled"]


def test_obstacle_is_answered_and_ended_in_its_queue(site: Site) -> None:
    number, staff = raised(site), site.logged_in(Visitor.COORDINATOR)
    page = f"{QUEUE}/vuong-mac"
    assert "Thiếu biên chế." in text_of(staff.get(page))
    path = f"vuong-mac/{number}/tra-loi"
    assert decide(staff, page, path, 1, text="").status_code == 422
    assert decide(staff, page, path, 9, text="Sẽ bổ sung.").status_code == 409
    assert decide(staff, page, path, 1, text="Sẽ bổ sung.").status_code == 303
    assert decide(staff, page, f"vuong-mac/{number}/ket-thuc", 2).status_code == 303
    assert site.read(lambda s: s.get_one(Obstacle, number)).state == "closed"


def test_obstacles_go_to_the_superior_by_one_document(site: Site) -> None:
    numbers, staff = [raised(site), raised(site, by=world.B)], site.logged_in(Visitor.COORDINATOR)
    page, chosen = f"{QUEUE}/vuong-mac", {f"chon.{number}": "1" for number in numbers}
    assert decide(staff, page, "vuong-mac", document="210/BC-SNV").status_code == 422
    missing = decide(staff, page, "vuong-mac", 0, **chosen)
    assert missing.status_code == 422
    assert missing.text.count("checked") == 2
    assert decide(staff, page, "vuong-mac", 0, **chosen, document="210/BC-SNV").status_code == 303
    states = site.read(lambda s: s.scalars(select(Obstacle.state)).all())
    assert states == ["consolidated"] * 2
    path = f"vuong-mac/{numbers[0]}/tra-loi"
    assert decide(staff, page, path, 2, text="UBND tỉnh đồng ý.").status_code == 422


def test_one_answer_goes_to_all_that_went_up_in_one_document(site: Site) -> None:
    """(42): once, to those that were shown, with the document that holds it."""
    numbers, staff = [raised(site), raised(site, by=world.B)], site.logged_in(Visitor.COORDINATOR)
    page, chosen = f"{QUEUE}/vuong-mac", {f"chon.{number}": "1" for number in numbers}
    assert "Trả lời chung" not in text_of(staff.get(page))
    assert decide(staff, page, "vuong-mac", 0, **chosen, document="210/BC-SNV").status_code == 303
    assert "Trả lời chung: 2 vướng mắc của văn bản 210/BC-SNV" in text_of(staff.get(page))
    assert "Trả lời chung" not in text_of(site.logged_in(Visitor.AUDITOR).get(page))
    path, said = "vuong-mac/tra-loi-chung", "UBND tỉnh đồng ý bổ sung."
    sent = {"sent": "210/BC-SNV", "seen": " ".join(map(str, numbers)), "text": said}
    missing = decide(staff, page, path, 0, **sent)
    assert missing.status_code == 422
    assert "Trả lời của cấp trên cần có số, ký hiệu văn bản." in text_of(missing)
    assert said in missing.text
    stale = {**sent, "seen": str(numbers[0]), "document": "1520/UBND-NC"}
    assert decide(staff, page, path, 0, **stale).status_code == 409
    assert site.read(lambda s: set(s.scalars(select(Obstacle.state)))) == {"consolidated"}
    done = decide(staff, page, path, 0, **sent, document="1520/UBND-NC")
    assert done.headers["location"].endswith("?da=tra-loi-chung")
    rows = site.read(lambda s: s.scalars(select(Obstacle).order_by(Obstacle.id)).all())
    told = [(row.state, row.answer, row.answer_document) for row in rows]
    assert told == [("answered", said, "1520/UBND-NC")] * 2
    assert decide(staff, page, path, 0, **sent, document="1520/UBND-NC").status_code == 404


def test_queue_is_narrowed_to_an_item_and_keeps_it(site: Site) -> None:
    work, staff = file_result(site), site.logged_in(Visitor.COORDINATOR)
    assert "Xã Vạn Ninh · I.1" in text_of(staff.get(f"{QUEUE}?nhiem-vu=I.1"))
    assert "Không có kết quả II.3" in text_of(staff.get(f"{QUEUE}?nhiem-vu=II.3"))
    version = status_of(site, work)[1]
    kept = {"nhiem-vu": "I.1"}
    answer = decide(staff, QUEUE, f"viec/{work}/xac-nhan", version, **kept)
    assert "nhiem-vu=I.1" in answer.headers["location"]
