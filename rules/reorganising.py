"""Agencies merge, split, are renamed, end or are founded: what is asked (35).

A rename makes a new agency that succeeds the old one: so letters, lists and late openings have the
name of each day, and old reports keep the old one (rules 11, 12).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from rules.directory import Directory
from rules.values import Succession


class ChangeKind(StrEnum):
    """How agencies change."""

    MERGE = "merge"
    """Hợp nhất, sáp nhập: one successor takes everything."""
    SPLIT = "split"
    """Chia, tách: several successors, one of which takes whatever no other is given."""
    RENAME = "rename"
    """Đổi tên: one agency, one new name."""
    END = "end"
    """Kết thúc hoạt động: nobody takes over."""
    FOUND = "found"
    """Thành lập mới: nobody went before."""


class Accounts(StrEnum):
    """What becomes of the accounts of a predecessor."""

    MOVE = "move"
    """They go on at the successor that takes the rest."""
    CLOSE = "close"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAgency:
    """An agency that begins; ``key`` None is made from the name, ``kind`` None is as before."""

    name: str
    key: str | None = None
    formal_name: str | None = None
    kind: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Successor:
    """Who takes over: an agency that is there, by its key, or a new one.

    ``items`` are the item keys that it takes, empty meaning the rest. ``groups`` are the groups
    that it enters; None means those that its predecessors stood in.
    """

    agency: str | None = None
    new: NewAgency | None = None
    items: tuple[str, ...] = ()
    groups: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reorganisation:
    """One change of agencies, on a day, by a document.

    ``reason`` is asked for where open work ends without a successor. ``contacts``: the successor
    takes over the contacts that it lacks. ``late``: work that has opened with a predecessor since
    ``effective_on`` moves as well.
    """

    kind: ChangeKind
    effective_on: date
    document_code: str
    document_issued_on: date | None = None
    predecessors: tuple[str, ...] = ()
    successors: tuple[Successor, ...] = ()
    reason: str | None = None
    accounts: Accounts = Accounts.MOVE
    contacts: bool = False
    late: bool = False

    @property
    def last_day(self) -> date:
        """The last day of the predecessors."""
        return self.effective_on - timedelta(days=1)

    @property
    def main(self) -> Successor | None:
        """Who takes whatever no other is given; None where nobody takes over."""
        if not self.predecessors:
            return None
        return next((one for one in self.successors if not one.items), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong, where (``successors.0.name``), and what would be right, in Vietnamese."""

    field: str
    text: str


def same_name(one: str, other: str) -> bool:
    """Whether two names are the same to a reader."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def key_of_name(name: str, taken: Collection[str]) -> str:
    """A key for a new agency: the name without marks, with a number where it is taken."""
    text = unicodedata.normalize("NFD", name.casefold().replace("đ", "d"))
    plain = "".join(one if one.isascii() and one.isalnum() else " " for one in _base(text))
    words = "_".join(plain.split())[:60]
    found = key = words if words[:1].isalpha() else f"cq_{words}"
    number = 1
    while found in taken:
        number += 1
        found = f"{key}_{number}"
    return found


def _base(text: str) -> str:
    return "".join(one for one in text if not unicodedata.combining(one))


def default_groups(
    one: Reorganisation, successor: Successor, directory: Directory
) -> tuple[str, ...]:
    """The groups that a successor enters: as asked, else those of its predecessors.

    An agency that goes on enters no group without letters by default, for that would silence it.
    """
    if successor.groups is not None:
        return successor.groups
    return tuple(
        group.key
        for group in directory.groups
        if (group.letters or successor.new is not None)
        and any(
            member.ref in one.predecessors and member.valid_on(one.last_day)
            for member in group.members
        )
    )


def successions_of(one: Reorganisation, keys: Sequence[str]) -> tuple[Succession, ...]:
    """The successions that this change makes; ``keys`` are its successors', in order."""
    document = one.document_code
    if one.document_issued_on is not None:
        document += f" ngày {vn_day(one.document_issued_on)}"
    heirs: list[tuple[str | None, tuple[str, ...]]] = [
        (key, heir.items) for key, heir in zip(keys, one.successors, strict=True)
    ]
    return tuple(
        Succession(
            predecessor=old,
            successor=key,
            effective_on=one.effective_on,
            document=document,
            items=items,
            note=one.reason,
        )
        for old in one.predecessors
        for key, items in heirs or [(None, ())]
    )


def vn_day(day: date | None) -> str:
    """``day`` as people write it: 31/3/2027; empty for None."""
    return "" if day is None else f"{day.day}/{day.month}/{day.year}"
