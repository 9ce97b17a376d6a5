"""Whatever is typed or written into a file ends in a right value or in words that say what is wrong."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import unicodedata
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.addresses import AddressError, check_address
from notifications.formats import clean_line, clean_text
from notifications.message import build_message, message_bytes
from notifications.samples import INSTANT, SENDER, sample_letters
from portal.forms import FieldError, read_date
from portal.signing import BEFORE_LOGIN, SESSION, Signing
from rules.documents import NotADocumentCode, check_document_code
from rules.passwords import (
    NotAUsername,
    WeakPassword,
    check_password,
    check_username,
    normalise_password,
)
from runtime.settings import Settings, SettingsError, load_settings
from tasks_catalog.errors import CatalogErrors
from tasks_catalog.loader import load_plan
from tests.engine import SMALL
from tests.fuzz import HIDDEN, bounded, junk, nasty, twisted

CATALOG = SMALL.parent
FILES = (
    "huyen_mau/plan.yaml",
    "huyen_mau/calendar.yaml",
    "huyen_mau/parties.yaml",
    "agencies/huyen_mau.yaml",
    "days_off.yaml",
)
YAML = st.sampled_from(
    [
        *(
            "&a [*a, *a]",
            "<<: *a",
            "!!python/object/apply:os.system [ls]",
            "!!binary x",
            "? [a]: b",
        ),
        *("1e999", "0x7fffffffffffffffff", "0o17", ".nan", "-.inf", "2027-02-30", "12:30:45", "~"),
        *("- " * 300, "[" * 500, "{" * 500, "key: [", '"', "'", "%YAML 9.9", "---", "...", "\t- a"),
        *("yes", "off", "|\n  x", ">-", "@a", "`b", "a: b: c", "\ufeff", "\u202e", "e\u0323\u0302"),
    ]
)


def checked(files: dict[str, bytes]) -> str:
    """What an operator is told of a catalog; empty where it is taken."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(shutil.copytree(CATALOG, Path(folder) / "catalogs"))
        for name, content in files.items():
            (place / name).write_bytes(content)
        try:
            load_plan(place / "huyen_mau")
        except CatalogErrors as refused:
            return str(refused)
    return ""


@pytest.mark.parametrize("name", FILES)
def test_catalog_that_is_twisted_is_taken_or_refused_with_file_and_place(name: str) -> None:
    """Rule 9, for mistakes that nobody thought of."""
    right = (CATALOG / name).read_bytes()

    @bounded(12)
    @given(twisted(right))
    def bytes_exchanged(content: bytes) -> None:
        told = checked({name: content})
        assert not told or ".yaml" in told

    lines = right.decode().splitlines(keepends=True)

    @bounded(12)
    @given(st.integers(0, len(lines) - 1), YAML)
    def a_value_replaced(number: int, word: str) -> None:
        head, colon, _ = lines[number].partition(": ")
        changed = [*lines[:number], f"{head}{colon}{word}\n", *lines[number + 1 :]]
        told = checked({name: "".join(changed).encode(errors="surrogatepass")})
        assert not told or ".yaml" in told

    bytes_exchanged()
    a_value_replaced()


def test_entities_that_multiply_in_a_catalog_are_refused_soon() -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    assert "plan.yaml" in checked({"huyen_mau/plan.yaml": "\n".join(levels).encode()})


@bounded(400)
@given(nasty | st.from_regex(r"[0-9]{1,4}/[A-ZĐa-zđ0-9/&. -]{0,40}"))
def test_document_number_is_mended_or_refused(text: str) -> None:
    try:
        found = check_document_code(text)
    except NotADocumentCode:
        return
    assert unicodedata.is_normalized("NFC", found.text)
    assert found.text.isprintable()
    assert check_document_code(found.text) == found, "what is stored is read as it was"
    composed, apart = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert check_document_code(composed) == check_document_code(apart)


@bounded(400)
@given(nasty | nasty.map(lambda text: f"a@{text}.vn") | nasty.map(lambda text: f"{text}@b.vn"))
def test_address_is_one_plain_address_or_refused(text: str) -> None:
    """No header can be put into it, and no domain only looks like another."""
    try:
        found = check_address(text)
    except AddressError:
        return
    assert found.isascii()
    assert found.isprintable()
    assert found.count("@") == 1
    assert not set(found) & set(' ,;<>()[]\\":\r\n')
    assert check_address(found) == found
    assert check_address(unicodedata.normalize("NFD", text)) == found


@bounded(60)
@given(nasty, nasty)
def test_names_and_texts_put_no_header_into_a_letter(name: str, office: str) -> None:
    letter = sample_letters()["link"]
    sender = replace(SENDER, from_name=office or "x")
    made = build_message(
        letter, sender=sender, to_address="a@b.test", to_name=name, key="k", date=INSTANT
    )
    usual = build_message(
        letter, sender=SENDER, to_address="a@b.test", to_name="A", key="k", date=INSTANT
    )
    message = message_from_bytes(message_bytes(made), policy=default)
    assert isinstance(message, EmailMessage)
    assert sorted(map(str.lower, message.keys())) == sorted(map(str.lower, usual.keys()))
    assert [one.addr_spec for one in message["to"].addresses] == ["a@b.test"]
    assert [one.addr_spec for one in message["from"].addresses] == [SENDER.from_address]
    shown = "".join(one.display_name for one in message["to"].addresses)
    assert not set(shown) & set(HIDDEN)


@bounded(300)
@given(nasty)
def test_cleaned_text_hides_nothing_and_stays_as_it_is(text: str) -> None:
    for clean in (clean_text, clean_line):
        found = clean(text)
        assert unicodedata.is_normalized("NFC", found)
        assert not set(found) & set(HIDDEN)
        assert clean(found) == found
        assert clean(unicodedata.normalize("NFD", text)) == clean(
            unicodedata.normalize("NFC", text)
        )


@bounded(300)
@given(nasty)
def test_user_name_password_and_date_are_read_or_refused_in_words(text: str) -> None:
    for read in (
        check_username,
        lambda typed: check_password(typed, totp=False, username="nguyen.van.a"),
        read_date,
    ):
        with contextlib.suppress(NotAUsername, WeakPassword, FieldError):
            read(text)
    apart = normalise_password(unicodedata.normalize("NFD", text))
    assert apart == normalise_password(text), "every keyboard's way is the same password"


@bounded(200)
@given(nasty | junk.map(lambda one: one.decode("latin-1")))
def test_no_text_is_a_signed_value(text: str) -> None:
    signing = Signing("a-secret-for-tests-that-is-long-enough-indeed")
    right = signing.write(SESSION, [1, 0, "x", 1, False, 1])
    for wrong in (text, f"{right}{text}x", right.swapcase(), right[: len(text)]):
        assert signing.read(SESSION, wrong) is None
    assert signing.read(BEFORE_LOGIN, right) is None
    assert not signing.is_mark("session:x", text)


NAMES = sorted(set(Settings.model_fields) - {"data_dir"})


def test_settings_at_random_are_taken_or_each_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Never a traceback at the start, and never a secret in what is said."""
    monkeypatch.chdir(tmp_path)
    value = nasty.filter(lambda text: "\0" not in text) | st.sampled_from(
        [
            "-1",
            "99999999999999999999",
            "1e400",
            "nan",
            "http://[",
            "https://a:b@c:99999/",
            "a" * 999,
        ]
    )

    @bounded(150)
    @given(st.dictionaries(st.sampled_from(NAMES), value, min_size=1, max_size=4))
    def told(values: dict[str, str]) -> None:
        with monkeypatch.context() as patch:
            for name, text in values.items():
                patch.setenv(f"TIENDO_{name.upper()}", text.encode(errors="replace").decode())
            lines: tuple[str, ...] = ("TIENDO_",)
            try:
                load_settings()
            except SettingsError as refused:
                lines = refused.lines
        assert lines
        assert all("TIENDO_" in line for line in lines)
        for name in ("smtp_password", "link_secret", "oidc_client_secret"):
            text = values.get(name, "")
            if len(text) > 8 and list(values.values()).count(text) == 1:
                assert text not in "\n".join(lines)

    told()
