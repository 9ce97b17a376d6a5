"""What a result must carry beside its text: figures and outcomes; what money is spent on.

Values of the catalog; ``rules.values`` gives them out together with the rest.
"""

from __future__ import annotations

from dataclasses import dataclass


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
