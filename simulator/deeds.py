"""The table of what people do: each deed with how often it is tried, and whether it may succeed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from simulator.scene import Scene

Act = Callable[[Scene], None]


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that people do. A ``wrong`` one must be refused."""

    name: str
    weight: float
    act: Act
    wrong: bool = False
    centre: bool = False
    """Done by the coordinator's people: not while they are away."""


DEEDS: dict[str, Deed] = {}


def deed(weight: float, *, wrong: bool = False, centre: bool = False) -> Callable[[Act], Act]:
    """Enter a function into the table under its own name."""

    def enter(act: Act) -> Act:
        name = act.__name__
        DEEDS[name] = Deed(name, weight, act, wrong, centre)
        return act

    return enter


def draw(chance: random.Random, *, away: bool) -> Deed:
    """What somebody does next."""
    load()
    found = [one for one in DEEDS.values() if not (away and one.centre)]
    return chance.choices(found, [one.weight for one in found])[0]


def load() -> None:
    """Fill the table, always in the same order."""
    import simulator.agency_deeds
    import simulator.centre_deeds
    import simulator.office_deeds
    import simulator.wrong_deeds  # noqa: F401 - importing them enters their deeds
