"""Document codes, as people type them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.documents import (
    MAX_LENGTH,
    CodeForm,
    NotADocumentCode,
    check_document_code,
    is_issued_by,
)
from rules.values import DateAuthority

TYPE, LETTER, PARTY = CodeForm.TYPE_AGENCY, CodeForm.AGENCY_DIVISION, CodeForm.PARTY


@pytest.mark.parametrize(
    ("text", "form", "kind", "agency", "division"),
    [
        ("1718/QĐ-UBND", TYPE, "QĐ", "UBND", None),
        ("2022/SNV-CCHC", LETTER, None, "SNV", "CCHC"),
        ("581/BNV-CCHC", LETTER, None, "BNV", "CCHC"),
        ("12729/VPCP-KGVX", LETTER, None, "VPCP", "KGVX"),
        ("15/2023/TT-BNV", TYPE, "TT", "BNV", None),
        ("30/2020/NĐ-CP", TYPE, "NĐ", "CP", None),
        ("42/2014/QĐ-TTg", TYPE, "QĐ", "TTg", None),
        ("1667/NQ-UBTVQH15", TYPE, "NQ", "UBTVQH15", None),
        ("202/2025/QH15", LETTER, None, "QH15", None),
        ("12/CTr-UBND", TYPE, "CTr", "UBND", None),
        ("34/TTr-SNV", TYPE, "TTr", "SNV", None),
        ("7/QyĐ-UBND", TYPE, "QyĐ", "UBND", None),
        ("5/BC-SNV-CCHC", TYPE, "BC", "SNV-CCHC", None),
        ("88/VP-TH&KSTTHC", LETTER, None, "VP", "TH&KSTTHC"),
        ("06-NQ/TU", PARTY, "NQ", "TU", None),
        ("123-CTr/TU", PARTY, "CTr", "TU", None),
        ("28-NQ/TW", PARTY, "NQ", "TW", None),
    ],
)
def test_known_forms_are_read_without_a_warning(
    text: str, form: CodeForm, kind: str | None, agency: str, division: str | None
) -> None:
    code = check_document_code(text)
    assert (code.form, code.type, code.agency, code.division) == (form, kind, agency, division)
    assert (code.text, code.warning) == (text, None)


@pytest.mark.parametrize(
    "typed",
    [
        "  1718/QĐ-UBND ",
        "Số: 1718/QĐ-UBND",
        "số 1718 / QĐ - UBND",
        "1718/QĐ–UBND",
        "1718/Q\u00d0-UBND",
        unicodedata.normalize("NFD", "Số: 1718/QĐ-UBND"),
    ],
)
def test_small_slips_of_typing_are_mended(typed: str) -> None:
    assert check_document_code(typed).text == "1718/QĐ-UBND"


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("1718/QD-UBND", "1718/QĐ-UBND"),
        ("12/CTR-UBND", "12/CTr-UBND"),
        ("1718/qđ-ubnd", "1718/QĐ-UBND"),
    ],
)
def test_a_likely_slip_gets_a_question_and_is_not_refused(typed: str, hint: str) -> None:
    code = check_document_code(typed)
    assert code.text == typed
    assert code.warning is not None
    assert f"“{hint}”" in code.warning


@pytest.mark.parametrize("typed", ["khong so", "1718", "QĐ-UBND", "1718/QĐ-UBND ngày 21/7/2023"])
def test_an_unknown_form_is_taken_with_a_clear_word(typed: str) -> None:
    code = check_document_code(typed)
    assert code.form is CodeForm.OTHER
    assert "vẫn được ghi nhận" in (code.warning or "")


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("", "1718/QĐ-UBND"),
        ("   ", "1718/QĐ-UBND"),
        ("Số 1718/QĐ\u202e-UBND", "không hiển thị"),
        ("1718/QĐ\n-UBND", "không hiển thị"),
        ("1" * (MAX_LENGTH + 1), "quá 60"),
    ],
)
def test_what_cannot_be_a_code_is_refused_with_the_remedy(typed: str, word: str) -> None:
    with pytest.raises(NotADocumentCode, match=word):
        check_document_code(typed)


def test_digits_of_other_scripts_are_no_number() -> None:
    assert check_document_code("１７１８/QĐ-UBND").form is CodeForm.OTHER


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_and_reading_it_again_changes_nothing(text: str) -> None:
    try:
        code = check_document_code(text)
    except NotADocumentCode:
        return
    assert len(code.text) <= MAX_LENGTH
    assert check_document_code(code.text) == code


@pytest.mark.parametrize(
    ("code", "authority", "theirs"),
    [
        ("99/QĐ-UBND", DateAuthority.PROVINCE, True),
        ("99/UBND-KGVX", DateAuthority.PROVINCE, True),
        ("99/TB-VPUBND", DateAuthority.PROVINCE, True),
        ("06-NQ/TU", DateAuthority.PROVINCE, True),
        ("2022/SNV-CCHC", DateAuthority.PROVINCE, False),
        ("581/BNV-CCHC", DateAuthority.MINISTRY, True),
        ("42/2014/QĐ-TTg", DateAuthority.MINISTRY, True),
        ("99/QĐ-UBND", DateAuthority.MINISTRY, False),
        ("12/BQLKKT-VP", DateAuthority.MINISTRY, False),
        ("văn bản miệng", DateAuthority.MINISTRY, None),
        ("2022/SNV-CCHC", DateAuthority.COORDINATOR, None),
    ],
)
def test_code_tells_whose_document_it_can_be(
    code: str, authority: DateAuthority, theirs: bool | None
) -> None:
    """Rule 17: a date fixed by the province or the ministry moves only by a document of theirs."""
    assert is_issued_by(check_document_code(code), authority) is theirs
