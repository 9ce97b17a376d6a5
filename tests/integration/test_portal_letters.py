"""Thư: by state, one as it was sent, sent again, released, proof of notice, rehearsal, pilots."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.tables import (
    AgencyRow,
    Contact,
    ContactKind,
    Letter,
    LetterState,
    LinkToken,
    Mailbox,
    Reminder,
)
from notifications.formats import LINK_PLACEHOLDER
from operations.contacts import ContactInput, set_contact
from operations.outbox import HeldReason
from operations.reminding import remind
from portal.pages import letter_tools
from portal.permissions import Visitor
from runtime.rehearsal import Rehearsal
from tests import portal_site, world
from tests.portal_site import MORNING, RESULT, Site, mark_of, send, text_of

BOX = f"{world.A}@co-quan.test"
HTML = (
    f'<html><body><p>Kính gửi &lt;b&gt;</p><a href="{LINK_PLACEHOLDER}">Mở</a>'
    f"<script>alert(1)</script>{LINK_PLACEHOLDER}</body></html>"
)


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal whose agencies have mailboxes."""
    with portal_site.site(database_url, tmp_path) as found:

        def fill(session: Session) -> None:
            for key in world.NAMES:
                wanted = ContactInput(
                    agency_key=key, kind=ContactKind.MAILBOX, email=f"{key}@co-quan.test"
                )
                set_contact(session, world.admin(), wanted)

        found.write(fill)
        yield found


def letter(site: Site, **values: object) -> int:
    """A letter to the first agency that was sent."""
    row = Letter(
        **{
            "key": f"digest:{world.TODAY}:{values.get('mailbox', BOX)}",
            "kind": "digest",
            "mailbox": BOX,
            "agency_key": world.A,
            "day": world.TODAY,
            "state": LetterState.SENT.value,
            "queued_at": MORNING,
            "sent_at": MORNING,
            "attempts": 1,
            "message_id": "",
            "subject": "Nhắc việc <I.1>",
            "body_text": f"Cập nhật tại {LINK_PLACEHOLDER}",
            "body_html": HTML,
        }
        | values
    )
    site.write(lambda session: session.add(row))
    return row.id


def state_of(site: Site, number: int) -> str:
    """The state of a letter."""
    return site.read(lambda session: session.get_one(Letter, number).state)


def test_letters_are_listed_by_state_and_address(site: Site) -> None:
    letter(site)
    letter(site, key="x", mailbox="khac@co-quan.test", state="undeliverable", answer="550 no")
    browser = site.logged_in(Visitor.AUDITOR)
    page = text_of(browser.get("/thu"))
    assert "▲ Không gửi được: 1" in page
    assert "550 no" in page
    assert BOX not in text_of(browser.get("/thu?trang-thai=undeliverable"))
    assert "khac@" not in text_of(browser.get("/thu?hop-thu=VAN_NINH"))
    assert "Không có thư nào như vậy" in text_of(browser.get("/thu?hop-thu=%25"))
    assert browser.get("/thu?trang-thai=x&truoc=y").status_code == 200


def test_letter_is_shown_as_sent_without_its_live_link(site: Site) -> None:
    number = letter(site)
    browser = site.logged_in(Visitor.COORDINATOR)
    page = browser.get(f"/thu/{number}")
    assert 'sandbox=""' in page.text
    assert "Nhắc việc <I.1>" in text_of(page)
    assert "Gửi lại</button>" not in page.text
    body = browser.get(f"/thu/{number}/noi-dung")
    assert body.headers["content-security-policy"].startswith("sandbox;")
    assert "href" not in body.text
    assert "[liên kết riêng của hộp thư nhận]" in body.text
    assert "[liên kết riêng" in text_of(browser.get(f"/thu/{number}?dang=chu"))
    assert browser.get("/thu/999999").status_code == 404


def test_letter_goes_again_to_the_same_mailbox(site: Site) -> None:
    number = letter(site, state="undeliverable")
    box = Mailbox(address=BOX, state="undeliverable", answer="550", updated_at=MORNING)
    site.write(lambda session: session.add(box))
    browser = site.logged_in(Visitor.COORDINATOR)
    page = browser.get(f"/thu/{number}")
    assert "đang không nhận được thư" in text_of(page)
    data = {"mark": mark_of(page), "email": BOX}
    answer = browser.post(f"/thu/{number}/gui-lai", data=data)
    assert answer.status_code == 303
    assert "sẽ được gửi lại" in text_of(browser.get(answer.headers["location"]))
    assert state_of(site, number) == "queued"
    assert site.read(lambda s: s.get_one(Mailbox, BOX).state) == "ok"
    assert browser.post(f"/thu/{number}/gui-lai", data=data).status_code == 409


def test_mended_address_gets_what_is_still_owed(site: Site) -> None:
    later = world.DUE - timedelta(days=7)
    site.write(lambda session: remind(session, world.flow(later)))
    found = select(Letter).where(Letter.mailbox == BOX)
    number = site.read(lambda session: session.scalars(found).one().id)
    site.write(lambda s: setattr(s.get_one(Letter, number), "state", "undeliverable"))
    browser = site.logged_in(Visitor.COORDINATOR)
    page = browser.get(f"/thu/{number}")
    wrong = browser.post(
        f"/thu/{number}/gui-lai", data={"mark": mark_of(page), "email": "không phải"}
    )
    assert wrong.status_code == 422
    assert 'value="không phải"' in wrong.text
    data = {"mark": mark_of(page), "email": "Moi@co-quan.test"}
    answer = browser.post(f"/thu/{number}/gui-lai", data=data)
    assert "thư kế tiếp" in text_of(browser.get(answer.headers["location"]))
    assert state_of(site, number) == "superseded"
    owed = select(Reminder.id).where(Reminder.letter_id == number)
    assert not site.read(lambda session: session.scalars(owed).all())
    mine = select(Contact.email).where(Contact.agency_key == world.A)
    assert site.read(lambda session: session.scalars(mine).all()) == ["moi@co-quan.test"]
    site.write(lambda session: remind(session, world.flow(later)))
    fresh = select(Letter.id).where(Letter.mailbox == "moi@co-quan.test")
    assert site.read(lambda session: session.scalars(fresh).all())


def test_letter_goes_to_nobody_outside_the_agency(site: Site) -> None:
    number = letter(site, state="undeliverable", mailbox="cu@co-quan.test")
    browser = site.logged_in(Visitor.COORDINATOR)
    data = {"mark": mark_of(browser.get(f"/thu/{number}")), "email": "la@nguoi-khac.test"}
    answer = browser.post(f"/thu/{number}/gui-lai", data=data)
    assert answer.status_code == 422
    assert "chưa có trong danh mục đầu mối" in text_of(answer)
    assert state_of(site, number) == "undeliverable"


def test_held_letters_are_released_once_seen(site: Site) -> None:
    held = {"state": "held", "sent_at": None, "body_html": None, "body_text": None}
    blast = letter(site, key="1", held_reason=HeldReason.BLAST.value, **held)
    pilot = letter(site, key="2", held_reason=HeldReason.PILOT.value, **held)
    old = letter(site, key="3", held_reason="blast", day=world.TODAY - timedelta(days=1), **held)
    browser = site.logged_in(Visitor.LEADERSHIP)
    page = browser.get("/thu")
    assert "Cho phép gửi 1 thư" in text_of(page)
    mark = mark_of(page)
    seen_other = browser.post("/thu/cho-gui", data={"mark": mark, "count": "9"})
    assert seen_other.status_code == 409
    assert browser.post("/thu/cho-gui", data={"mark": mark, "count": "1"}).status_code == 303
    assert [state_of(site, one) for one in (blast, pilot, old)] == ["queued", "held", "held"]
    assert "chưa đến lúc đó" in text_of(browser.get(f"/thu/{pilot}"))
    assert browser.post(f"/thu/{pilot}/cho-gui", data={"mark": mark}).status_code == 303
    assert browser.post(f"/thu/{old}/cho-gui", data={"mark": mark}).status_code == 422
    assert browser.post(f"/thu/{old}/khac", data={"mark": mark}).status_code == 404


def test_letters_held_after_a_restore_are_let_go_or_closed(site: Site) -> None:
    """Rule 33: a person decides, having looked into the mail server's log."""
    held = {"state": "held", "sent_at": None, "body_html": None, "body_text": None}
    restored = {**held, "held_reason": HeldReason.RESTORED.value}
    gone, not_gone, third = (letter(site, key=str(n), **restored) for n in range(3))
    blast = letter(site, key="4", held_reason=HeldReason.BLAST.value, **held)
    browser = site.logged_in(Visitor.COORDINATOR)
    page = browser.get("/thu")
    assert "Có thể đã gửi trước khi khôi phục" in text_of(page)
    assert "Đã gửi: đóng 3 thư" in text_of(page)
    mark = mark_of(page)
    assert browser.post("/thu/dong", data={"mark": mark, "count": "9"}).status_code == 409
    one = browser.get(f"/thu/{gone}")
    assert "Đóng, không gửi" in text_of(one)
    assert "Đóng, không gửi" not in text_of(browser.get(f"/thu/{blast}"))
    assert browser.post(f"/thu/{gone}/dong", data={"mark": mark}).status_code == 303
    assert browser.post(f"/thu/{blast}/dong", data={"mark": mark}).status_code == 422
    assert browser.post(f"/thu/{not_gone}/cho-gui", data={"mark": mark}).status_code == 303
    assert [state_of(site, n) for n in (gone, not_gone, third)] == ["unknown", "queued", "held"]
    assert "không gửi nữa" in text_of(browser.get(f"/thu/{gone}"))
    answer = browser.post("/thu/dong", data={"mark": mark, "count": "1"})
    assert "Đã đóng 1 thư" in text_of(browser.get(answer.headers["location"]))
    assert [state_of(site, n) for n in (third, blast)] == ["unknown", "held"]


def test_all_letters_held_after_a_restore_go_by_one_button(site: Site) -> None:
    held = {"state": "held", "sent_at": None, "held_reason": HeldReason.RESTORED.value}
    first, second = (letter(site, key=str(n), **held) for n in range(2))
    browser = site.logged_in(Visitor.COORDINATOR)
    data = {"mark": mark_of(browser.get("/thu")), "count": "2"}
    assert browser.post("/thu/cho-gui", data=data).status_code == 409  # that is of the cap
    data["reason"] = "restored"
    assert browser.post("/thu/cho-gui", data=data).status_code == 303
    assert [state_of(site, n) for n in (first, second)] == ["queued", "queued"]


def test_those_who_only_read_release_nothing(site: Site) -> None:
    number = letter(site, state="held", held_reason="blast")
    browser = site.logged_in(Visitor.AUDITOR)
    page = browser.get(f"/thu/{number}")
    assert "<form" not in page.text.split("<main")[1]
    paths = ("/thu/cho-gui", f"/thu/{number}/cho-gui", "/thu/dong", f"/thu/{number}/dong")
    for path in (*paths, "/thu/thi-diem"):
        assert browser.post(path, data={"mark": mark_of(page)}).status_code == 403
    assert site.logged_in(Visitor.AGENCY).get("/thu").status_code == 403


def test_proof_of_notice_is_the_first_post(site: Site) -> None:
    number = letter(site)
    path = site.link()
    site.write(lambda session: session.execute(update(LinkToken).values(letter_id=number)))
    desk = site.logged_in(Visitor.COORDINATOR)
    site.browser().get(path)
    assert "1 cơ quan chưa có bằng chứng" in text_of(desk.get("/thu/bang-chung"))
    assert "Chưa có thao tác" in text_of(desk.get(f"/thu/{number}"))
    send(site.browser(), f"{path}/viec/{site.work[f'I.1/{world.A}']}", "cap-nhat", RESULT)
    assert "0 cơ quan chưa có bằng chứng" in text_of(desk.get("/thu/bang-chung"))
    assert "√ Đã thao tác qua liên kết" in text_of(desk.get(f"/thu/{number}"))
    assert "chưa gửi thư nào" in text_of(desk.get("/thu/bang-chung?nam=2025"))


def test_rehearsal_tells_who_would_get_what_and_writes_nothing(site: Site) -> None:
    browser = site.logged_in(Visitor.COORDINATOR)
    assert "Diễn tập" in text_of(browser.get("/thu/dien-tap"))
    before = site.counts()
    page = text_of(browser.get("/thu/dien-tap?tu=2/3/2027&den=12/3/2027&gia-dinh=silent"))
    assert f"{world.B}@co-quan.test" in page
    assert "thư trong" in page
    assert site.counts() == before


def test_rehearsal_of_days_that_cannot_be(site: Site) -> None:
    browser = site.logged_in(Visitor.COORDINATOR)
    for query, told in (
        ("tu=31/2/2027", "Không có ngày"),
        ("tu=5/3/2027&den=4/3/2027", "phải từ"),
        ("tu=1/1/2027", "từ hôm nay"),
        ("tu=2/3/2027&den=2/3/2028", "tối đa"),
    ):
        answer = browser.get(f"/thu/dien-tap?{query}")
        assert answer.status_code == 422
        assert told in text_of(answer)


def test_rehearsal_stops_in_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = site.logged_in(Visitor.COORDINATOR)

    def endless(asked: Rehearsal, *, progress: object) -> Iterator[object]:
        progress(asked.date_from, 0)  # type: ignore[operator]
        yield from ()

    monkeypatch.setattr(letter_tools, "rehearse", endless)
    monkeypatch.setattr(letter_tools, "LIMIT_SECONDS", -1.0)
    page = text_of(browser.get("/thu/dien-tap?tu=2/3/2027"))
    assert "Đã hết thời gian, mới diễn tập được đến ngày 2/3/2027" in page
    with letter_tools._ONE_AT_A_TIME:
        assert "Đang có một lượt" in text_of(browser.get("/thu/dien-tap?tu=2/3/2027"))


def test_pilots_are_chosen_with_a_reason(site: Site) -> None:
    browser = site.logged_in(Visitor.COORDINATOR)
    mark = mark_of(browser.get("/thu/thi-diem"))
    data = {"mark": mark, "lam": "chon", f"cq.{world.A}": "1", "reason": ""}
    wrong = browser.post("/thu/thi-diem", data=data)
    assert wrong.status_code == 422
    assert f'name="cq.{world.A}" value="1" checked' in wrong.text
    assert browser.post("/thu/thi-diem", data=data | {"reason": "Thử"}).status_code == 303
    chosen = select(AgencyRow.key).where(AgencyRow.pilot)
    assert site.read(lambda session: session.scalars(chosen).all()) == [world.A]
    assert "Đang thí điểm: 1 cơ quan" in text_of(browser.get("/thu/thi-diem"))
    nobody = browser.post("/thu/thi-diem", data={"mark": mark, "lam": "thoi", "reason": "x"})
    assert "ít nhất một cơ quan" in text_of(nobody)
    ended = data | {"lam": "thoi", "reason": "Xong"}
    assert browser.post("/thu/thi-diem", data=ended).status_code == 303
    assert not site.read(lambda session: session.scalars(chosen).all())
