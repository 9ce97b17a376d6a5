"""What a result must carry beside its text: figures and outcomes; what money is spent on.

Values of the catalog; ``rules.values`` gives them out together with the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number that a result must carry (rule 20).

    ``of`` is the key of the figure that this one is a part of: never above it (rule 41).
    ``target`` is what the decision wants of that ratio, in percent, ``goal`` its words for it.
    """

    key: str
    label: str
    unit: str | None = None
    required: bool = True
    of: str | None = None
    target: int | None = None
    goal: str | None = None


def read_number(text: str) -> Decimal | None:
    """A figure as people type it (``1.234`` or ``12,5``); None when it is no number from 0 up."""
    try:
        number = Decimal(text.strip().replace(".", "").replace(",", "."))
    except InvalidOperation:
        return None
    return number if number.is_finite() and number >= 0 else None


def above_whole(
    figures: Sequence[Figure], given: Mapping[str, str]
) -> tuple[Figure, Figure] | None:
    """The first figure that is above the one it is a part of, with that one (rule 41)."""
    known = {figure.key: figure for figure in figures}
    for figure in figures:
        whole = known.get(figure.of or "")
        if whole is None:
            continue
        part, all_ = (read_number(given.get(one.key, "")) for one in (figure, whole))
        if part is not None and (all_ is None or part > all_):
            return figure, whole
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredOutcome:
    """An outcome that wants a document of its own, or a reason why there is none."""

    key: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A line of costs, or a source of money, with the decision's words for it (rule 43)."""

    key: str
    label: str
    section: str
    quote: str
