"""The canonical form v1 and the leaf digest (rule 38)."""

import hashlib
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from rules.events import canonical_frame, canonical_json, canonical_v1, leaf_digest

scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abcxyz_", min_size=1), inner),
    max_leaves=10,
)


def _nfc(value: object) -> object:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, list):
        return [_nfc(one) for one in value]
    if isinstance(value, dict):
        return {key: _nfc(one) for key, one in value.items()}
    return value


@given(values)
def test_the_canonical_form_is_that_of_rfc_8785(value: object) -> None:
    """(38) Anybody can make it again with a library of their own."""
    assert canonical_json(value).encode() == rfc8785.dumps(_nfc(value))  # type: ignore[arg-type]


def test_a_number_of_any_size_has_its_digits() -> None:
    """(38) No figure that somebody types is too large to be recorded."""
    assert canonical_json({"n": [2**64, -(2**70)]}) == (
        '{"n":[18446744073709551616,-1180591620717411303424]}'
    )


names = st.text(st.characters(codec="ascii"))


@given(st.dictionaries(names, scalars | st.dates()), st.dictionaries(names, scalars | st.dates()))
def test_a_frame_writes_the_same_text(fixed: dict[str, object], free: dict[str, object]) -> None:
    """(38) Whichever of the values the objects have in common."""
    fixed = {key: value for key, value in fixed.items() if key not in free}
    write = canonical_frame(fixed, list(free))
    assert write(list(free.values())) == canonical_json({**fixed, **free})


def test_the_leaf_digest_is_that_of_rfc_6962() -> None:
    """(38) Section 2.1: the empty leaf hashes to a known value."""
    assert leaf_digest(b"").hex() == (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )
    assert leaf_digest(b"L123456").hex() == hashlib.sha256(b"\x00L123456").hexdigest()


def test_an_instant_has_one_spelling_whatever_its_zone() -> None:
    """(1) UTC with microseconds."""
    instant = datetime(2027, 3, 31, 8, 0, tzinfo=timezone(timedelta(hours=7)))
    assert canonical_v1({"at": instant, "day": date(2027, 3, 31)}) == (
        b'{"at":"2027-03-31T01:00:00.000000Z","day":"2027-03-31"}'
    )
    assert canonical_json(instant) == canonical_json(instant.astimezone(UTC))


def test_composed_and_decomposed_letters_are_the_same() -> None:
    """(6) Vietnamese comes in both forms from different keyboards."""
    assert canonical_json("Khánh Hòa") == canonical_json(unicodedata.normalize("NFD", "Khánh Hòa"))


@pytest.mark.parametrize("value", [1.5, datetime(2027, 1, 1), object(), b"x"])  # noqa: DTZ001
def test_what_has_no_single_spelling_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_json({"x": value})
