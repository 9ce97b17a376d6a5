"""Numbers and codes of official documents: ``1718/QĐ-UBND``, ``2022/SNV-CCHC``, ``06-NQ/TU``.

Two forms are known: the state's (Nghị định 30/2020/NĐ-CP, annex III) and the Party's. What fits
neither is taken with a word of warning, for numbering has its customs; only what cannot be a code
at all is refused.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from rules.values import DateAuthority

MAX_LENGTH = 60
"""Characters, after normalisation."""

_ANNEX = "NQ QĐ CT QC QyĐ TC TB HD CTr KH PA ĐA DA BC BB TTr HĐ CĐ BGN BTT GUQ GM GGT GNP PG PC PB"
_COPIES_AND_LAWS = "SY TrS SL L PL LCT NĐ TT TTLT NQLT"
TYPES = frozenset(f"{_ANNEX} {_COPIES_AND_LAWS}".split())
"""The closed list of type abbreviations: what tells type-agency from agency-division. The first
part is annex III of Nghị định 30/2020/NĐ-CP."""

_STATE = re.compile(
    r"(?P<number>[0-9]{1,6})(?:/(?P<year>[0-9]{4}))?"
    r"/(?P<rest>[A-ZĐ][A-Za-zĐđ0-9]*(?:[-&][A-ZĐ][A-Za-zĐđ0-9]*)*)"
)
_PARTY = re.compile(
    r"(?P<number>[0-9]{1,6})-(?P<type>[A-ZĐ][A-Za-zĐđ]*)/(?P<agency>[A-ZĐ][A-Za-zĐđ0-9]*)"
)
_LEADING_WORD = re.compile(r"số\s*:?\s*(?=[0-9])", re.IGNORECASE)
_AROUND_MARKS = re.compile(r" *([-/&]) *")
_LOOKALIKES = str.maketrans(
    {
        "\u00d0": "Đ",  # Icelandic eth, which old Vietnamese fonts print as Đ
        "\u0189": "Đ",
        "\u2010": "-",
        "\u2011": "-",
        "\u2012": "-",
        "\u2013": "-",
        "\u2014": "-",
        "\u2212": "-",
    }
)
_CENTRAL = re.compile(r"B(?!QL|DT$)[A-ZĐ]+[0-9]*|TTg|CP|VPCP|QH[0-9]*|UBTVQH[0-9]*|CTN|TW|TƯ")
_PROVINCIAL = re.compile(r"[A-ZĐ]*(?:UBND|HĐND)|TU")


class CodeForm(StrEnum):
    """How a document code is built."""

    TYPE_AGENCY = "type_agency"
    """``1718/QĐ-UBND``: a named type, then who issued it."""
    AGENCY_DIVISION = "agency_division"
    """``2022/SNV-CCHC``: an official letter, with the division that drafted it."""
    PARTY = "party"
    """``06-NQ/TU``: the Party's."""
    OTHER = "other"
    """None of them; taken with a warning."""


class NotADocumentCode(ValueError):
    """Text that cannot be a document code; the message says what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentCode:
    """A code, normalised to NFC and without stray blanks; ``text`` is what should be stored.

    Parts that a form does not have are None. ``warning`` is a sentence for people, set when the
    code has an unusual form and should be looked at again.
    """

    text: str
    form: CodeForm
    number: str | None = None
    year: str | None = None
    type: str | None = None
    agency: str | None = None
    division: str | None = None
    warning: str | None = None


def check_document_code(text: str) -> DocumentCode:
    """Read a document code as somebody typed it.

    "Số:" before it, blanks around its marks, long dashes and a wrong letter Đ are mended.

    Raises:
        NotADocumentCode: it is empty, holds control or invisible characters, or is longer than
            ``MAX_LENGTH``.
    """
    code = unicodedata.normalize("NFC", text).replace("\u00a0", " ").strip()
    code = _LEADING_WORD.sub("", code.translate(_LOOKALIKES), count=1)
    code = _AROUND_MARKS.sub(r"\1", code)
    if not code:
        msg = "Đề nghị ghi số, ký hiệu văn bản, ví dụ 1718/QĐ-UBND."
        raise NotADocumentCode(msg)
    if any(unicodedata.category(letter).startswith("C") for letter in code):
        msg = "Số, ký hiệu văn bản có ký tự không hiển thị; đề nghị gõ lại, ví dụ 1718/QĐ-UBND."
        raise NotADocumentCode(msg)
    if len(code) > MAX_LENGTH:
        msg = (
            f"Số, ký hiệu văn bản dài {len(code)} ký tự, quá {MAX_LENGTH}; đề nghị chỉ ghi số và "
            "ký hiệu, ví dụ 1718/QĐ-UBND, trích yếu ghi ở ô riêng."
        )
        raise NotADocumentCode(msg)
    return _party(code) or _state(code) or _other(code)


def _party(code: str) -> DocumentCode | None:
    found = _PARTY.fullmatch(code)
    if found is None:
        return None
    return DocumentCode(
        text=code,
        form=CodeForm.PARTY,
        number=found["number"],
        type=found["type"],
        agency=found["agency"],
    )


def _state(code: str) -> DocumentCode | None:
    found = _STATE.fullmatch(code)
    if found is None:
        return None
    head, _, tail = found["rest"].partition("-")
    named = head in TYPES and bool(tail)
    return DocumentCode(
        text=code,
        form=CodeForm.TYPE_AGENCY if named else CodeForm.AGENCY_DIVISION,
        number=found["number"],
        year=found["year"],
        type=head if named else None,
        agency=tail if named else head,
        division=None if named else (tail or None),
        warning=None if named else _spelling(code, head, tail),
    )


def _spelling(code: str, head: str, tail: str) -> str | None:
    """A warning where the first part is a type abbreviation but for its marks or capitals."""
    plain = {_bare(known): known for known in sorted(TYPES)}
    meant = plain.get(_bare(head)) if tail else None
    if meant is None or meant == head:
        return None
    return f"“{code}”: có phải là “{code.replace(head, meant, 1)}”? Đề nghị kiểm tra lại ký hiệu."


def _bare(word: str) -> str:
    return word.replace("Đ", "D").replace("đ", "d").casefold()


def _other(code: str) -> DocumentCode:
    upper = code.upper()
    # "CTr" is right as it is: capitals are offered only where they alone make a known form.
    meant = upper if upper != code and (_STATE.fullmatch(upper) or _PARTY.fullmatch(upper)) else ""
    hint = (
        f"Có phải là “{meant}”?"
        if meant
        else "Dạng thường gặp: 1718/QĐ-UBND, 2022/SNV-CCHC, 15/2023/TT-BNV, 06-NQ/TU."
    )
    return DocumentCode(
        text=code,
        form=CodeForm.OTHER,
        warning=f"“{code}” không theo dạng số, ký hiệu văn bản thường gặp. {hint} "
        "Đề nghị kiểm tra lại; nếu đúng như văn bản thì vẫn được ghi nhận.",
    )


def is_issued_by(code: DocumentCode, authority: DateAuthority) -> bool | None:
    """Whether a document can be the province's or the ministry's own (rule 17).

    None when the code does not tell, and for authorities that need no document of their own.
    Central authorities above the ministry count with it.
    """
    if code.agency is None or authority not in {DateAuthority.PROVINCE, DateAuthority.MINISTRY}:
        return None
    issuer = code.agency.partition("-")[0]
    pattern = _PROVINCIAL if authority is DateAuthority.PROVINCE else _CENTRAL
    return pattern.fullmatch(issuer) is not None
