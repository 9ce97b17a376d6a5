"""The message as built, addresses, and calendar files."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar as ParsedCalendar

from notifications.calendar_file import calendar_text, event_uid
from notifications.message import (
    AddressError,
    build_message,
    check_address,
    is_sample_address,
    message_bytes,
    message_id,
)
from notifications.samples import INSTANT, SENDER, openings, sample_letters
from notifications.values import Calendar, DueEvent, Rendered

LETTERS = sample_letters()


def wire(rendered: Rendered, *, name: str = "Ủy ban nhân dân xã Vạn Ninh", key: str = "k") -> bytes:
    return message_bytes(
        build_message(
            rendered,
            sender=SENDER,
            to_address="xavanninh@khanhhoa.test",
            to_name=name,
            key=key,
            date=INSTANT,
        )
    )


def parsed(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def content(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


@pytest.mark.parametrize("name", LETTERS)
def test_a_parser_reads_what_was_written(name: str) -> None:
    letter = LETTERS[name]
    data = wire(letter)
    message = parsed(data)
    assert message["Subject"] == letter.subject
    assert message["From"].addresses[0].display_name == SENDER.from_name
    assert message["To"].addresses[0].addr_spec == "xavanninh@khanhhoa.test"
    assert message["To"].addresses[0].display_name == "Ủy ban nhân dân xã Vạn Ninh"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "vi"
    assert message["Date"].datetime == INSTANT
    assert content(message, "plain") == letter.text
    assert content(message, "html") == letter.html
    assert data.isascii()
    assert max(map(len, data.split(b"\r\n"))) <= 78
    assert b"\n" not in data.replace(b"\r\n", b"")


def test_the_calendar_is_an_attachment_with_its_method() -> None:
    letter = LETTERS["digest-openings"]
    (part,) = parsed(wire(letter)).iter_attachments()
    assert part["Content-Type"].params["method"] == "PUBLISH"
    assert part.get_content_type() == "text/calendar"
    assert str(part.get_content()) == letter.ics


def test_the_message_id_follows_from_the_key() -> None:
    same = [parsed(wire(LETTERS["link"], key=key))["Message-ID"] for key in ("a", "a", "b")]
    assert same[0] == same[1] == message_id("a", SENDER.uid_domain)
    assert same[2] != same[0]


@pytest.mark.parametrize(
    "name",
    [
        "Xã\r\nBcc: all@x.test",
        "a\nSubject: x",
        '"; x <evil@x.test>, "',
        "=?utf-8?q?=0D=0ABcc:_x?=",
        "\u2028Bcc: x",
        "\ud800",
        "",
        "x" * 5000,
    ],
)
def test_names_cannot_inject_headers_or_addresses(name: str) -> None:
    letter = replace(LETTERS["link"], subject=f"Nhắc việc {name}")
    message = parsed(wire(letter, name=name))
    assert message["Bcc"] is None
    assert [each.addr_spec for each in message["To"].addresses] == ["xavanninh@khanhhoa.test"]
    assert message.get_all("Subject") == [message["Subject"]]


@given(st.text(max_size=300))
def test_any_subject_comes_back_whole(text: str) -> None:
    letter = replace(LETTERS["link"], subject=f"[x] {text} z")
    message = parsed(wire(letter))
    subject = str(message["Subject"])
    assert "\n" not in subject
    assert len(subject) <= 200
    assert subject.startswith("[x]")


def test_a_naive_date_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        build_message(
            LETTERS["link"],
            sender=SENDER,
            to_address="a@b.test",
            to_name="",
            key="k",
            date=datetime(2027, 1, 1),  # noqa: DTZ001  the point of the test
        )


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("vanphong.vanninh@khanhhoa.gov.vn", "vanphong.vanninh@khanhhoa.gov.vn"),
        ("  A.b+c@KhanhHoa.Gov.VN ", "A.b+c@khanhhoa.gov.vn"),
        ("a@khánhhòa.vn", "a@xn--khnhha-qta3l.vn"),
        ("a@kha\u0301nhho\u0300a.vn", "a@xn--khnhha-qta3l.vn"),
        ("a@xn--khnhha-qta3l.vn", "a@xn--khnhha-qta3l.vn"),
    ],
)
def test_good_addresses_become_ascii(text: str, address: str) -> None:
    assert check_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "khanhhoa.gov.vn",
        "a@",
        "@b.vn",
        "a@b",
        "a@b@c.vn",
        "a@b.vn, c@d.vn",
        "a@b.vn;c@d.vn",
        "a b@c.vn",
        "a@b.vn\r\nRCPT TO:<x@y.vn>",
        "a@b.vn\x00",
        "a\u200b@b.vn",
        "Xã <a@b.vn>",
        '"a"@b.vn',
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        "a@-b.vn",
        "a@b..vn",
        "a@b.vn.",
        ".a@b.vn",
        "a..b@c.vn",
        "vănphòng@khanhhoa.gov.vn",
        "a@kh\u0430nhhoa.gov.vn",  # Cyrillic а
        "a@khanhhoa.g\u03bfv.vn",  # Greek ο
        "a@xn--khnhhoa-3fg.gov.vn",  # the Cyrillic one, behind its ASCII form
        "a@\uff47ov.vn",
        "a@xn--\u0111.vn",
        "a@xn--999999999.vn",
        f"{'a' * 65}@b.vn",
        f"a@{'b' * 64}.vn",
        f"a@{'.'.join(['b' * 60] * 5)}.vn",
    ],
)
def test_bad_addresses_are_refused_in_vietnamese(text: str) -> None:
    with pytest.raises(AddressError) as caught:
        check_address(text)
    assert any(letter in str(caught.value) for letter in "ịđảàỗấ")


@given(st.text())
def test_whatever_passes_is_one_plain_address(text: str) -> None:
    try:
        address = check_address(text)
    except AddressError:
        return
    assert address.isascii()
    assert address.count("@") == 1
    assert not set(address) & set(' \r\n,;<>"')


def test_sample_addresses_are_those_below_test() -> None:
    assert is_sample_address("a@khanhhoa.test")
    assert is_sample_address("a@B.TEST")
    assert not is_sample_address("a@khanhhoa.gov.vn")
    assert not is_sample_address("a@test.vn")


EVENT = DueEvent(
    assignment_id="0190-ab",
    round=2,
    sequence=3,
    due_on=date(2027, 12, 31),
    item="I.1",
    item_task="Rà soát, bố trí; cán bộ\\công chức " * 10,
    period_label="năm 2027",
    agency_name="Xã Vạn Ninh",
)


def one_event(event: DueEvent) -> tuple[str, ParsedCalendar]:
    text = calendar_text(Calendar(events=(event,), stamp=INSTANT), domain="x.test")
    calendar = ParsedCalendar.from_ical(text)
    assert isinstance(calendar, ParsedCalendar)
    return text, calendar


def test_a_due_date_is_an_all_day_event_with_a_stable_uid() -> None:
    text, calendar = one_event(EVENT)
    (event,) = calendar.walk("VEVENT")
    assert event["UID"] == "0190-ab-2@x.test" == event_uid("0190-ab", 2, domain="x.test")
    assert event.decoded("DTSTART") == date(2027, 12, 31)
    assert event.decoded("DTEND") == date(2028, 1, 1)
    assert event["SEQUENCE"] == 3
    assert event["SUMMARY"] == "Hạn: I.1 năm 2027 – Xã Vạn Ninh"
    assert event["STATUS"] == "CONFIRMED"
    assert event["DESCRIPTION"] == EVENT.item_task
    assert event.decoded("DTSTAMP") == INSTANT
    assert calendar["METHOD"] == "PUBLISH"
    lines = text.encode().split(b"\r\n")
    assert max(map(len, lines)) <= 75
    for folded in lines:
        folded.decode()  # no character is cut in two
    assert "\n" not in text.replace("\r\n", "")


def test_the_same_values_give_the_same_file() -> None:
    assert one_event(EVENT)[0] == one_event(EVENT)[0]


def test_a_cancelled_date_says_so_under_the_same_uid() -> None:
    _, calendar = one_event(replace(EVENT, cancelled=True, sequence=4))
    (event,) = calendar.walk("VEVENT")
    assert event["STATUS"] == "CANCELLED"
    assert event["UID"] == "0190-ab-2@x.test"
    assert str(event["SUMMARY"]).startswith("Đã hủy: hạn: I.1")


def test_a_provisional_date_is_tentative_and_named_so() -> None:
    _, calendar = one_event(replace(EVENT, provisional=True))
    (event,) = calendar.walk("VEVENT")
    assert event["STATUS"] == "TENTATIVE"
    assert str(event["SUMMARY"]).startswith("Mốc dự kiến: I.1")


def test_a_calendar_without_events_or_with_a_naive_stamp_is_refused() -> None:
    with pytest.raises(ValueError, match="event"):
        calendar_text(Calendar(events=(), stamp=INSTANT), domain="x.test")
    with pytest.raises(ValueError, match="aware"):
        calendar_text(
            Calendar(events=(EVENT,), stamp=datetime(2027, 1, 1)),  # noqa: DTZ001
            domain="x.test",
        )


def test_openings_bring_an_event_for_each_line() -> None:
    calendar = openings().calendar
    assert calendar is not None
    assert calendar.stamp.tzinfo is UTC
    assert len(calendar.events) == len(openings().lines)
