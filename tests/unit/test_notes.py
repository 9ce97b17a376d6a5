"""Signed checkpoints in C2SP's form (rule 38)."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from rules.notes import BadNote, Head, SigningKey, VerifyingKey, parse_note, signed

KEY = SigningKey.make("tiendo.test/lich-su", bytes(range(32)))
OTHER = SigningKey.make("tiendo.test/lich-su", b"o" * 32)
HEAD = Head(
    origin="tiendo.test/lich-su",
    size=300,
    root=bytes(range(32, 64)),
    at=datetime(2027, 3, 1, 2, 15, tzinfo=UTC),
    after=285,
)
NOTE = signed(HEAD, [KEY])


def test_a_checkpoint_has_the_lines_of_c2sp() -> None:
    """(38) Origin, size, root, two lines of ours, a blank line, the signature."""
    lines = NOTE.split("\n")
    assert lines[:3] == ["tiendo.test/lich-su", "300", base64.b64encode(HEAD.root).decode()]
    assert lines[3:6] == ["time 2027-03-01T02:15:00.000000Z", "after 285", ""]
    assert lines[6].startswith("— tiendo.test/lich-su ")
    assert lines[7:] == [""]


def test_what_was_signed_is_read_back_and_believed() -> None:
    """(38)"""
    note = parse_note(NOTE)
    assert note.head == HEAD
    assert note.signer([OTHER.verifying, KEY.verifying]) == KEY.verifying
    assert note.signer([OTHER.verifying]) is None


def test_the_key_of_the_specification_has_its_id() -> None:
    """(38) The example key of C2SP's signed-note."""
    text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    key = VerifyingKey.parse(text)
    assert key.text == text
    example = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    line = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    raw = base64.b64decode(line)
    assert raw[:4] == key.id
    assert key.holds(example, raw[4:])


@pytest.mark.parametrize("field", ["origin", "size", "root", "at", "after"])
def test_nothing_of_it_can_be_changed(field: str) -> None:
    """(38) Time and predecessor are signed as well."""
    other = {
        "origin": "tiendo.test/khac",
        "size": 301,
        "root": b"r" * 32,
        "at": datetime(2027, 3, 1, 2, 16, tzinfo=UTC),
        "after": 284,
    }
    changed = replace(HEAD, **{field: other[field]})  # type: ignore[arg-type]
    forged = NOTE.replace(HEAD.text, changed.text)
    assert parse_note(forged).signer([KEY.verifying]) is None


def test_it_is_found_in_a_letter_that_was_saved_or_quoted() -> None:
    """(38) Auditors keep letters."""
    letter = f"Kính gửi\r\n\r\n{NOTE}\r\nTrân trọng.".replace("\n", "\r\n")
    assert parse_note(letter).signer([KEY.verifying])
    quoted = "\n".join(f"> {line}" for line in NOTE.splitlines())
    assert parse_note(f"Trả lời:\n{quoted}\n").signer([KEY.verifying])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tiendo\n1\nx",
        NOTE.replace("300", "0300"),
        NOTE.split("—")[0],
        NOTE.replace("time 2027", "time 20x7"),
        NOTE.replace("— tiendo.test/lich-su ", "— tiendo.test/lich-su A"),
        "\x00" * 100,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        parse_note(text)


def test_keys_come_back_from_their_text_and_never_under_another_id() -> None:
    """(38)"""
    assert SigningKey.parse(KEY.text) == KEY
    assert VerifyingKey.parse(KEY.verifying.text) == KEY.verifying
    assert "seed" not in repr(KEY)
    wrong = KEY.verifying.text.replace(KEY.verifying.id.hex(), OTHER.verifying.id.hex())
    for text in (wrong, "x", "a+b", "a+00000000+AA=="):
        with pytest.raises(BadNote):
            VerifyingKey.parse(text)
    with pytest.raises(BadNote):
        SigningKey.make("có dấu cách", b"k" * 32)
