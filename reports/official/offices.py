"""Who issues, in two templates: the coordinating agency, and the draft for UBND tỉnh."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from reports.official.model import Letterhead, Signature

PLACE: Final = "Khánh Hòa"
PROVINCE: Final = ("ỦY BAN NHÂN DÂN", "TỈNH KHÁNH HÒA")
_ROOM: Final = "\u00a0" * 10


class Issuer(StrEnum):
    """Whose document it is."""

    COORDINATOR = "coordinator"
    """Sở Nội vụ, signed by a deputy for the director."""
    PROVINCE = "province"
    """UBND tỉnh: a draft that the coordinator hands up."""


ISSUER_WORDS: Final = {
    Issuer.COORDINATOR: "Sở Nội vụ ký (KT. GIÁM ĐỐC, PHÓ GIÁM ĐỐC)",
    Issuer.PROVINCE: "Dự thảo trình UBND tỉnh ký (TM. ỦY BAN NHÂN DÂN, KT. CHỦ TỊCH, PHÓ CHỦ TỊCH)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The coordinating agency as its papers name it. ``code`` is what stands in numbers."""

    name: str
    code: str
    division: str = "CCHC"
    """The division that drafts, in numbers of letters and in "Lưu: VT, …"."""


def office(name: str) -> Office:
    """An agency's papers: the code is made of the first letters of its name ("SNV").

    That is how the province's agencies number theirs (``2022/SNV-CCHC``); GENERAL for others.
    """
    letters = "".join(word[0] for word in name.replace("-", " ").split())
    return Office(name=name, code=letters.upper())


def letterhead(
    issuer: Issuer, ours: Office, *, kind: str, year: int, day: date | None = None
) -> Letterhead:
    """The head of a document; ``kind`` is a type's abbreviation ("BC"), empty for a công văn."""
    if issuer is Issuer.PROVINCE:
        number = f"{_ROOM}/{kind}-UBND" if kind else f"{_ROOM}/UBND-{ours.code}"
        return Letterhead(
            parent=(),
            agency=PROVINCE,
            agency_name="Ủy ban nhân dân tỉnh Khánh Hòa",
            number=number,
            place=PLACE,
            year=year,
            day=day,
        )
    return Letterhead(
        parent=PROVINCE,
        agency=(ours.name.upper(),),
        agency_name=ours.name,
        number=f"{_ROOM}/{kind}-{ours.code}" if kind else f"{_ROOM}/{ours.code}-{ours.division}",
        place=PLACE,
        year=year,
        day=day,
    )


def signature(issuer: Issuer) -> Signature:
    """Who signs; the name is written by people."""
    if issuer is Issuer.PROVINCE:
        return Signature(authority=("TM. ỦY BAN NHÂN DÂN", "KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH"))
    return Signature(authority=("KT. GIÁM ĐỐC", "PHÓ GIÁM ĐỐC"))


def recipients(issuer: Issuer, ours: Office, *above: str) -> tuple[str, ...]:
    """ "Nơi nhận" with the archive at its end."""
    kept = "- Lưu: VT." if issuer is Issuer.PROVINCE else f"- Lưu: VT, {ours.division}."
    more = (f"- {ours.name};",) if issuer is Issuer.PROVINCE else ()
    return (*(f"- {one};" for one in above), *more, kept)
