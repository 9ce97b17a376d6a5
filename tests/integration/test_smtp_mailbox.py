"""Letters through a real SMTP conversation into the local mailbox and back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from notifications.answers import Sent
from notifications.mailbox import LocalMailbox, NoSuchLetter, list_messages, read_message, store
from notifications.message import build_message, message_bytes
from notifications.samples import INSTANT, SENDER, sample_letters
from notifications.smtp import MailSession, Security, SmtpSettings
from notifications.values import Rendered

LETTERS = sample_letters()
TO = "xavanninh@khanhhoa.test"


def built(letter: Rendered, *, to: str = TO, key: str = "k") -> bytes:
    return message_bytes(
        build_message(
            letter, sender=SENDER, to_address=to, to_name="Xã Vạn Ninh", key=key, date=INSTANT
        )
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "hop-thu"


@pytest.fixture
def mailbox(folder: Path) -> Iterator[LocalMailbox]:
    with LocalMailbox(folder) as running:
        yield running


def session(mailbox: LocalMailbox) -> MailSession:
    return MailSession(
        SmtpSettings(
            host=mailbox.host, port=mailbox.port, security=Security.NONE, helo_name="localhost"
        )
    )


def test_what_is_sent_is_what_is_read(mailbox: LocalMailbox, folder: Path) -> None:
    with session(mailbox) as mail:
        for name, letter in LETTERS.items():
            outcome = mail.send(built(letter, key=name), sender=SENDER.from_address, to=TO)
            assert isinstance(outcome, Sent)
        assert mail.logins == 1
    heads = list_messages(folder)
    assert [head.subject for head in reversed(heads)] == [
        letter.subject for letter in LETTERS.values()
    ]
    for head, letter in zip(reversed(heads), LETTERS.values(), strict=True):
        read = read_message(folder, head.id)
        assert read.head == head
        assert read.text.replace("\r\n", "\n") == letter.text
        assert read.html.replace("\r\n", "\n") == letter.html
        assert head.to == TO
        assert head.from_.endswith(f"<{SENDER.from_address}>")
        if letter.ics is None:
            assert not read.attachments
        else:
            (attachment,) = read.attachments
            assert attachment.content.decode() == letter.ics
            assert attachment.filename == "lich-nhac-viec.ics"


def test_a_port_of_ones_own_can_be_asked_for_and_is_refused_when_taken(
    mailbox: LocalMailbox, tmp_path: Path
) -> None:
    with pytest.raises(OSError, match="in use"):
        LocalMailbox(tmp_path / "other", port=mailbox.port)


def test_the_newest_come_first_and_can_be_those_of_one_address(folder: Path) -> None:
    folder.mkdir()
    for n in range(5):
        store(
            folder,
            built(LETTERS["link"]),
            to=f"a{n % 2}@b.test",
            received_at=INSTANT + timedelta(seconds=n),
        )
    assert [head.to[:2] for head in list_messages(folder)] == ["a0", "a1", "a0", "a1", "a0"]
    assert [head.received_at for head in list_messages(folder, to="A1@b.test")] == [
        INSTANT + timedelta(seconds=3),
        INSTANT + timedelta(seconds=1),
    ]
    assert len(list_messages(folder, limit=2)) == 2


def test_an_empty_or_missing_folder_is_an_empty_mailbox(folder: Path) -> None:
    assert list_messages(folder) == []


def test_files_are_for_the_owner_only_and_nothing_half_written_is_listed(folder: Path) -> None:
    with LocalMailbox(folder):
        letter_id = store(folder, b"Subject: x\r\n\r\n", to=TO, received_at=INSTANT)
        (folder / ".20270324T010000000000Z-000000000000-00000000.part").write_bytes(b"half")
        (folder / "notes.eml").write_bytes(b"not ours")
        assert [head.id for head in list_messages(folder)] == [letter_id]
        assert (folder / f"{letter_id}.eml").stat().st_mode & 0o777 == 0o600
        assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "letter_id",
    [
        "",
        "..",
        "../../etc/passwd",
        "/etc/passwd",
        "20270324T010000000000Z-000000000000-00000000",
        "20270324T010000000000Z-000000000000-00000000/../x",
        "20270324T010000000000Z-000000000000-0000000\x00",
        "20270324T010000000000Z-000000000000-00000000\n",
        "notes",
    ],
)
def test_no_id_leads_out_of_the_folder(folder: Path, letter_id: str) -> None:
    folder.mkdir()
    (folder / "notes.eml").write_bytes(b"Subject: x\r\n\r\n")
    with pytest.raises(NoSuchLetter):
        read_message(folder, letter_id)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\xff\xfe",
        b"no headers at all",
        b"Subject: =?utf-9?B?###?=\r\nContent-Type: text/plain; charset=nonsense\r\n\r\n\xc3\x28",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n",
        (
            b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: message/rfc822\r\n"
            b"Content-Disposition: attachment\r\n\r\nSubject: in\r\n\r\nx\r\n--x--\r\n"
        ),
        b"From: <<<>\r\nTo: ,,;\r\nDate: nie\r\nMessage-ID: <\r\n\r\nx",
        b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%",
    ],
)
def test_whatever_arrived_can_be_looked_at(folder: Path, data: bytes) -> None:
    folder.mkdir()
    letter_id = store(folder, data, to="a@b.test\r\nX: y", received_at=INSTANT)
    assert read_message(folder, letter_id).head.id == letter_id
    assert [head.id for head in list_messages(folder)] == [letter_id]


def test_the_clock_names_the_letters(folder: Path) -> None:
    moment = datetime(2027, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    with LocalMailbox(folder, clock=lambda: moment) as mailbox, session(mailbox) as mail:
        mail.send(built(LETTERS["link"]), sender=SENDER.from_address, to=TO)
    (head,) = list_messages(folder)
    assert head.received_at == moment
    assert head.id.startswith("20270102T030405000678Z-")
