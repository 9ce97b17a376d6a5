"""Links of letters (rule 34)."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import AccessLog, Letter, LinkToken
from operations.access import log_access
from operations.contacts import hand_over_focal
from operations.links import (
    FRESH_LINKS_A_DAY,
    LinkExpired,
    LinkForged,
    LinkPurpose,
    LinkRefused,
    LinkRevoked,
    TooManyLinks,
    check,
    issue,
    link_url,
    mark_first_post,
    request_fresh_link,
    revoke,
    signed_token,
)
from tests import world
from tests.builders import SECRET, ScriptedMail, focal, give_contacts, mailbox, text_of, town
from tests.world import COORDINATOR, TODAY, A

WORK = LinkPurpose.WORK


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    with world.opened(database_url) as session:
        give_contacts(session, world.flow(), (COORDINATOR, A))
        yield session


@pytest.fixture
def text(session: Session) -> str:
    return issue(
        session,
        world.flow(),
        mailbox=focal(A),
        agency=A,
        purpose=WORK,
        secret=SECRET,
        days=30,
    )


def found(session: Session, text: str, *, days: int = 0) -> LinkToken:
    return check(session, text, WORK, world.at(TODAY + timedelta(days=days)), secret=SECRET)


def test_a_link_is_good_for_its_mailbox_and_agency(session: Session, text: str) -> None:
    token = found(session, text)
    assert (token.mailbox, token.agency_key, token.first_post_at) == (focal(A), A, None)


def test_a_link_expires_and_says_how_to_get_a_fresh_one(session: Session, text: str) -> None:
    found(session, text, days=29)
    with pytest.raises(LinkExpired, match=r"hết hạn lúc 09 giờ 00 ngày 31/3/2027.*Gửi lại"):
        found(session, text, days=30)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-1],
        lambda text: text + "A",
        lambda text: "A" + text[1:] if text[0] != "A" else "B" + text[1:],
        lambda text: text.partition(".")[0],
        lambda _: "",
        lambda _: "đường dẫn",
    ],
)
def test_a_link_that_we_did_not_sign_opens_nothing(
    session: Session, text: str, spoil: object
) -> None:
    with pytest.raises(LinkForged, match="không đúng hoặc bị thiếu ký tự"):
        found(session, spoil(text))  # type: ignore[operator]


def test_a_link_for_one_purpose_opens_no_other(session: Session, text: str) -> None:
    with pytest.raises(LinkForged):
        check(session, text, LinkPurpose.HANDOVER, world.at(TODAY), secret=SECRET)


def test_another_secret_does_not_open_it_but_a_new_one_beside_the_old_does(
    session: Session, text: str
) -> None:
    with pytest.raises(LinkForged):
        check(session, text, WORK, world.at(TODAY), secret="x" * 40)
    check(session, text, WORK, world.at(TODAY), secret=["y" * 40, SECRET])


def test_a_revoked_link_opens_nothing(session: Session, text: str) -> None:
    revoke(session, world.coordinator(), found(session, text), reason="Chuyển công tác")
    with pytest.raises(LinkRevoked, match="đã bị thu hồi"):
        found(session, text)
    assert [event.reason for event in world.events(session, "link_token")] == ["Chuyển công tác"]


def test_a_handed_over_focal_point_loses_its_links(session: Session, text: str) -> None:
    """Rules 34, 36."""
    hand_over_focal(
        session,
        world.agency(),
        agency_key=A,
        name="Trần Thị B",
        post="Công chức Văn phòng",
        email="tran.thi.b@co-quan.test",
        phone="0258 3822 001",
    )
    with pytest.raises(LinkRevoked):
        found(session, text)


def test_only_the_first_post_is_proof_of_notice(session: Session, text: str) -> None:
    token = found(session, text)
    assert mark_first_post(session, world.link(), token)
    assert not mark_first_post(session, world.link(day=TODAY + timedelta(days=1)), token)
    assert token.first_post_at == world.at(TODAY)
    assert [event.action for event in world.events(session, "link_token")] == ["notified"]


@pytest.mark.parametrize(
    ("method", "agent", "scanner"),
    [
        ("GET", "Mozilla/5.0", True),
        ("HEAD", None, True),
        ("POST", "Mozilla/5.0", False),
        ("POST", "python-requests/2", True),
    ],
)
def test_opens_by_link_are_logged_as_perhaps_a_scanners(
    session: Session, text: str, method: str, agent: str | None, scanner: bool
) -> None:
    log_access(
        session,
        at=world.at(TODAY),
        actor=focal(A),
        method=method,
        path="/lien-ket",
        token=found(session, text),
        agent=agent,
    )
    session.flush()
    row = session.scalars(select(AccessLog)).one()
    assert (row.maybe_scanner, row.token_id) == (scanner, found(session, text).id)


def test_a_fresh_link_goes_to_the_same_mailbox_only_and_not_without_end(
    session: Session, text: str
) -> None:
    token = signed_token(session, text, WORK, secret=SECRET)
    later = world.link(day=TODAY + timedelta(days=40))
    for _ in range(FRESH_LINKS_A_DAY):
        assert request_fresh_link(session, later, token).mailbox == focal(A)
    with pytest.raises(TooManyLinks, match="mục thư rác"):
        request_fresh_link(session, later, token)


def test_a_revoked_link_cannot_ask_for_a_fresh_one(session: Session, text: str) -> None:
    token = found(session, text)
    revoke(session, world.coordinator(), token, reason="Nhầm hộp thư")
    with pytest.raises(LinkRevoked):
        request_fresh_link(session, world.link(), token)


def test_a_fresh_link_is_sent_on_a_day_off_as_well_and_works(database_url: str) -> None:
    saturday = date(2027, 3, 6)
    with town(database_url, work=lambda _: None) as place:
        with place.changing() as session:
            text = issue(
                session,
                world.flow(),
                mailbox=mailbox(A),
                agency=A,
                purpose=WORK,
                secret=SECRET,
                days=1,
            )
        with place.changing() as session:
            old = signed_token(session, text, WORK, secret=SECRET)
            request_fresh_link(session, world.link(day=saturday), old)
        mail = ScriptedMail()
        place.send(saturday, mail)
        fresh = text_of(mail.taken[0][1]).partition("/lien-ket/")[2].split()[0]
        with place.changing() as session:
            check(session, fresh, WORK, world.at(saturday), secret=SECRET)
            with pytest.raises(LinkRefused):
                check(session, text, WORK, world.at(saturday), secret=SECRET)
            assert session.scalars(select(Letter)).one().kind == "link"


def test_a_link_stands_below_the_portals_address() -> None:
    assert link_url("https://tiendo.vn/", "abc") == "https://tiendo.vn/lien-ket/abc"
