"""The portal's routes with things in them that are there: one helper for every walk over pages."""

from __future__ import annotations

import re
from collections.abc import Mapping

from portal.app import page_routes
from portal.permissions import API_SCOPES, BY_TOKEN, Visitor, may_open

ROUTES = page_routes()
BY_HAND: Mapping[str, Visitor] = {"login_form": Visitor.ANYBODY}
"""Routes that everybody may open and strangers use most."""
MOST_USED = (
    Visitor.LINK,
    Visitor.AGENCY,
    Visitor.COORDINATOR,
    Visitor.LEADERSHIP,
    Visitor.ADMIN,
    Visitor.AUDITOR,
)


def address(route: str, samples: Mapping[str, str]) -> str:
    """The path of a route; ``samples`` has its parameters, as ``name`` or as ``route.name``.

    Raises:
        AssertionError: a parameter has no sample.
    """
    path = ROUTES[route].path

    def value(found: re.Match[str]) -> str:
        name = found[1]
        sample = samples.get(f"{route}.{name}", samples.get(name))
        assert sample is not None, (
            f"The route {route!r} ({path}) has the parameter {name!r}, of which no sample is "
            f"known: add one for {name!r} (or, for this route alone, {route + '.' + name!r}) to "
            "SAMPLES in tests/integration/test_portal_permissions.py and to samples() in "
            "tests/portal_walk.py."
        )
        return sample

    return re.sub(r"\{(\w+)(?::\w+)?\}", value, path)


def read_routes() -> list[str]:
    """The pages that are opened, and not sent to; what programs read is no page."""
    return [
        name
        for name, route in ROUTES.items()
        if "GET" in (route.methods or set()) and name not in API_SCOPES and name != "v1_openapi"
    ]


def visitors_of(route: str) -> list[Visitor]:
    """Who may open a route; behind a link only where nobody else may."""
    found = [one for one in Visitor if one not in BY_TOKEN and may_open(route, one, trial=True)]
    return found if found == [Visitor.LINK] else [one for one in found if one is not Visitor.LINK]


def most_used_by(route: str) -> Visitor:
    """Who opens a page most."""
    who = visitors_of(route)
    if route in BY_HAND:
        return BY_HAND[route]
    if Visitor.ANYBODY in who:
        return Visitor.COORDINATOR
    return next(one for one in MOST_USED if one in who)
