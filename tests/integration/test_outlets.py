"""Webhooks and group chats: what they are told, once and signed; never where they must not reach."""

from __future__ import annotations

import base64
import hmac
import json
import logging
from collections.abc import Iterator
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Event, Outlet, OutwardAttempt, OutwardMessage
from notifications import reaching
from notifications.reaching import NotReachable, Reach, check_address, post
from operations.act import act
from operations.acting import ActRequest
from operations.api_reading import SETTLED
from operations.errors import Conflict, NotPermitted, Refused
from operations.outlets import NewOutlet, OutletKind, Topic, outlets, queue_test, register, switch
from operations.results import Paper, Result
from operations.stamp import Stamp
from operations.state import Facts, set_fact
from portal.permissions import Visitor
from rules.lifecycle import Action
from runtime.outward import tell_outward
from tests import portal_site, world
from tests.portal_site import Site, mark_of, text_of
from tests.receiver import Receiver, receiver

OPEN = Reach(loopback=True)
PATH = "/danh-muc/bao-ra-ngoai"


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal of a trial, with open work."""
    with portal_site.site(database_url, tmp_path) as found:
        found.write(lambda session: set_fact(session, world.admin(), Facts.TRIAL, "true"))
        yield found


@pytest.fixture
def there() -> Iterator[Receiver]:
    """A program that receives."""
    with receiver() as found:
        yield found


def webhook(site: Site, there: Receiver, *topics: Topic) -> tuple[int, str]:
    new = NewOutlet(
        kind=OutletKind.WEBHOOK,
        name="Kho dữ liệu",
        address=there.url,
        topics=[one.value for one in topics or (Topic.SUBMITTED, Topic.CONFIRMED)],
        basis="15/SNV-CCHC",
    )
    view, secret = site.write(
        lambda session: register(session, world.coordinator(), site.runtime.vault, new, reach=OPEN)
    )
    assert secret is not None
    return view.id, secret


def chat(site: Site, there: Receiver, *topics: Topic, agency: str | None = None) -> int:
    new = NewOutlet(
        kind=OutletKind.CHAT,
        name="Nhóm trao đổi",
        address=there.url.replace("http://", "json://") + "?token=bi-mat",
        topics=[one.value for one in topics],
        basis="15/SNV-CCHC",
        agency=agency,
    )
    return site.write(
        lambda session: register(session, world.coordinator(), site.runtime.vault, new, reach=OPEN)
    )[0].id


def submit(site: Site) -> None:
    paper = Paper(code="125/QĐ-UBND", issued_on=date(2027, 2, 26))
    result = ActRequest(result=Result(text="Nguyễn Thị Hoa đã làm.", papers=[paper]))
    number = site.work["I.1/xa_van_ninh"]
    site.write(lambda session: act(session, world.agency(), number, Action.SUBMIT, result))


def run(site: Site, **later: int) -> dict[str, int]:
    site.clock.instant += timedelta(**later) if later else SETTLED + timedelta(seconds=1)
    return tell_outward(site.runtime.outward_office(), as_of=world.TODAY)


def test_a_webhook_is_told_once_signed_and_without_a_word_of_people(
    site: Site, there: Receiver
) -> None:
    """Rules 37, 40; Standard Webhooks."""
    _, secret = webhook(site, there)
    submit(site)
    assert run(site) == {"sent": 1}
    assert run(site) == {}
    (got,) = there.got
    message, at = got.headers["webhook-id"], got.headers["webhook-timestamp"]
    signed = f"{message}.{at}.".encode() + got.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mark = base64.b64encode(hmac.digest(key, signed, sha256)).decode()
    assert got.headers["webhook-signature"] == f"v1,{mark}"
    assert 0 <= site.clock.now().timestamp() - int(at) < 200
    told = json.loads(got.body)
    assert told["type"] == "result.submitted"
    assert (told["data"]["item"], told["data"]["agency"]) == ("I.1", "xa_van_ninh")
    assert "Hoa" not in got.body.decode()
    assert "Cán bộ" not in got.body.decode()


def test_what_is_not_settled_waits_and_what_came_before_is_not_told(
    site: Site, there: Receiver
) -> None:
    submit(site)
    webhook(site, there)
    assert run(site) == {}
    number = site.work["I.1/xa_van_ninh"]
    site.clock.instant += timedelta(hours=1)
    confirming = world.coordinator()
    now = type(confirming)(
        at=site.clock.now(), as_of=confirming.as_of, actor=confirming.actor, run=None
    )
    site.write(lambda session: act(session, now, number, Action.CONFIRM, ActRequest()))
    assert run(site, seconds=1) == {}
    assert run(site) == {"sent": 1}
    assert json.loads(there.got[0].body)["type"] == "result.confirmed"


def test_a_receiver_that_fails_is_tried_again_with_the_same_id(
    site: Site, there: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching, "SECONDS", 0.5)
    webhook(site, there)
    submit(site)
    there.plan = [500, "drop", "slow", 302]
    assert run(site) == {"retrying": 1}
    assert run(site, seconds=30) == {}  # not yet
    for _ in range(3):
        assert run(site, hours=3) == {"retrying": 1}
    assert run(site, hours=3) == {"sent": 1}
    assert len({one.headers["webhook-id"] for one in there.got}) == 1
    assert {one.path for one in there.got} == {"/nhan"}  # no redirect is followed
    tried = site.read(
        lambda session: session.scalars(select(OutwardAttempt).order_by(OutwardAttempt.id)).all()
    )
    assert [one.status for one in tried] == [500, None, None, 302, 200]


def test_a_receiver_that_does_not_answer_is_asked_once_and_keeps_no_other_waiting(
    site: Site, there: Receiver
) -> None:
    """A silence may cost 20 seconds of one of the few places for runs."""
    dead, _ = webhook(site, there)
    actor = world.coordinator().actor
    begun = site.clock.now()

    def thrice(session: Session) -> None:
        for later in range(3):
            stamp = Stamp(at=begun + timedelta(seconds=later), as_of=world.TODAY, actor=actor)
            queue_test(session, stamp, dead)

    site.write(thrice)
    with receiver() as other:
        webhook(site, other)
        submit(site)
        there.plan = ["drop"] * 9
        assert run(site) == {"retrying": 1, "sent": 1}
        assert (len(there.got), len(other.got)) == (1, 1)


def test_one_that_fails_for_days_is_switched_off_and_the_overview_says_so(
    site: Site, there: Receiver
) -> None:
    number, _ = webhook(site, there)
    submit(site)
    there.plan = [500] * 20
    run(site)
    for _ in range(5):
        run(site, days=1)
    (view,) = site.read(outlets)
    assert not view.active
    assert view.off_reason == "Không nhận được trong 5 ngày"
    site.clock.instant = portal_site.MORNING
    desk = site.logged_in(Visitor.COORDINATOR)
    assert "Nơi nhận tin “Kho dữ liệu” đã tự tắt" in text_of(desk.get("/"))
    site.write(
        lambda session: switch(
            session,
            world.coordinator(),
            number,
            active=True,
            reason="Đã sửa",
            expected=view.version,
        )
    )
    assert "đã tự tắt" not in text_of(desk.get("/"))
    with pytest.raises(Conflict):
        site.write(
            lambda session: switch(
                session,
                world.coordinator(),
                number,
                active=False,
                reason="x",
                expected=view.version,
            )
        )


def test_one_that_is_gone_is_switched_off_at_once(site: Site, there: Receiver) -> None:
    webhook(site, there)
    submit(site)
    there.plan = [410]
    run(site)
    assert [one.active for one in site.read(outlets)] == [False]


def test_what_a_dead_run_left_behind_is_sent_again_with_its_id(site: Site, there: Receiver) -> None:
    number, _ = webhook(site, there)
    site.write(lambda session: queue_test(session, world.coordinator(), number))

    def die(session: Any) -> None:
        row = session.scalars(select(OutwardMessage)).one()
        row.state, row.claimed_at, row.attempts = "sending", site.clock.now(), 1

    site.write(die)
    assert run(site, minutes=5) == {}
    assert run(site, minutes=6) == {"sent": 1}
    assert there.got[0].headers["webhook-id"].startswith("test-")


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1/x", "https://127.0.0.1/x", "https://[::1]/x", "https://localhost/x"),
        *("https://10.0.0.7/x", "https://192.168.1.1/x", "https://169.254.169.254/latest"),
        *("https://0.0.0.0/", "https://[::ffff:10.0.0.1]/", "https://[fe80::1]/", "ftp://8.8.8.8/"),
        *(
            "http://8.8.8.8/x",
            "https://a:b@8.8.8.8/x",
            "https:///x",
            "https://[",
            "https://224.0.0.1/",
        ),
    ],
)
def test_an_address_that_must_not_be_reached_is_refused(url: str) -> None:
    with pytest.raises(NotReachable):
        check_address(url, Reach())
    assert post(url, b"{}", {}, Reach()).status is None


def test_private_networks_are_reached_only_where_a_setting_says_so() -> None:
    assert check_address("https://10.0.0.7/x", Reach(private=True)) == "10.0.0.7"
    for url in ("https://169.254.169.254/x", "https://127.0.0.1/", "https://0.0.0.0/"):
        with pytest.raises(NotReachable):
            check_address(url, Reach(private=True))
    assert check_address("https://8.8.8.8/x", Reach()) == "8.8.8.8"


def test_a_body_that_is_too_large_is_not_sent(there: Receiver) -> None:
    called = post(there.url, b"x" * (reaching.LARGEST + 1), {}, OPEN)
    assert called.status is None
    assert "64 KB" in called.answer
    assert there.got == []


def test_only_the_coordinator_registers_and_secrets_stay_out_of_history_and_pages(
    site: Site, there: Receiver
) -> None:
    """Rules 37, 40."""
    number, secret = webhook(site, there)
    talk = chat(site, there, Topic.WEEK)

    def stored(session: Any) -> str:
        rows = [
            f"{one.address_sealed} {one.secret_sealed}" for one in session.scalars(select(Outlet))
        ]
        rows += [one.snapshot for one in session.scalars(select(Event))]
        return " ".join(rows)

    kept = site.read(stored)
    desk = site.logged_in(Visitor.COORDINATOR)
    pages = [desk.get(path).text for path in (PATH, f"{PATH}/{number}", f"{PATH}/{talk}")]
    for text in (kept, *pages):
        for hidden in (secret, "bi-mat", there.url):
            assert hidden not in text
    new = NewOutlet(
        kind=OutletKind.WEBHOOK, name="a", address=there.url, topics=["test"], basis="b"
    )
    for who, error in ((world.agency(), NotPermitted), (world.coordinator(), Refused)):

        def add(session: Session, who: Stamp = who) -> object:
            return register(session, who, site.runtime.vault, new, reach=OPEN)

        with pytest.raises(error):
            site.write(add)


def test_a_group_chat_is_told_numbers_only_and_an_agencys_group_only_its_own(
    site: Site, there: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """Rules 40, 46."""
    with caplog.at_level(logging.DEBUG):
        chat(site, there, Topic.WEEK)
        chat(site, there, Topic.OVERDUE, agency=world.A)
        as_of = date(2027, 4, 6)  # a week after the due date of I.1
        for _ in range(2):
            tell_outward(site.runtime.outward_office(), as_of=as_of)
    told = [json.loads(one.body)["message"] for one in there.got]
    assert len(told) == 2
    assert any("Tất cả cơ quan" in one for one in told)
    (own,) = [one for one in told if "của cơ quan có" in one]
    assert " 1 việc quá hạn" in own or " 2 việc quá hạn" in own
    for text in told:
        assert "http://tiendo.test" in text
        assert "Nha Trang" not in text
    assert "bi-mat" not in caplog.text


def test_nothing_that_goes_wrong_outside_holds_up_letters(site: Site) -> None:
    from runtime.outward import tell_quietly

    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(name)

    tell_quietly(Broken(), as_of=world.TODAY)  # type: ignore[arg-type]


def test_the_coordinator_registers_tests_and_switches_off_by_pages(
    site: Site, there: Receiver
) -> None:
    desk = site.logged_in(Visitor.COORDINATOR)
    fields = {"kind": "webhook", "name": "Kho dữ liệu", "address": there.url, "basis": "15/SNV"}
    mark = mark_of(desk.get(PATH))
    wrong = desk.post(PATH, data={"mark": mark, **fields})
    assert wrong.status_code == 422
    assert 'value="Kho dữ liệu"' in wrong.text
    made = desk.post(PATH, data={"mark": mark, **fields, "topic.result.confirmed": "1"})
    assert made.status_code == 200
    assert "whsec_" in made.text
    assert "whsec_" not in desk.get(PATH).text
    (view,) = site.read(outlets)
    assert desk.post(f"{PATH}/{view.id}/thu", data={"mark": mark}).status_code == 303
    assert run(site) == {"sent": 1}
    assert "200 OK" in text_of(desk.get(f"{PATH}/{view.id}"))
    data = {"mark": mark, "number": str(view.version), "reason": "Thay máy chủ"}
    assert desk.post(f"{PATH}/{view.id}/tat", data=data).status_code == 303
    assert "Tắt bằng tay" in text_of(desk.get(PATH))
    assert "Đăng ký phần mềm nhận tin" not in site.logged_in(Visitor.AUDITOR).get(PATH).text
