"""The API against its own description: no request makes it fail, and every answer fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from models.tables import Assignment
from portal.throttle import Throttle
from tests import portal_site, world
from tests.portal_site import PDF, Site

CHECKS = [
    checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = {"agency": 6, "service": 4, "nobody": 1}
"""Requests to each address, by who calls."""


class _Patient(Throttle):
    """Counts nothing: what limits do is proved elsewhere."""

    def hit(self, item: object, *who: str) -> None:
        """Let everybody pass."""


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal with open work, a file and a finding."""
    with portal_site.site(database_url, tmp_path) as found:
        portal = found.app.state.portal
        found.app.state.portal = replace(portal, throttle=_Patient())
        yield found


@pytest.mark.parametrize("who", list(EXAMPLES))
def test_no_request_makes_it_fail_and_every_answer_is_described(site: Site, who: str) -> None:
    headers = {}
    if who != "nobody":
        token = site.api_token(world.A if who == "agency" else None)
        headers["Authorization"] = f"Bearer {token}"
    if who == "agency":
        site.program(token).post("/api/v1/files", files={"file": ("a.pdf", PDF)})
    site.clock.instant += timedelta(minutes=5)
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", site.app)
    operations: list[Any] = [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr]
    assert len(operations) == 16
    for operation in operations:
        _walk(site, operation, headers, EXAMPLES[who])()


def _speak_of_what_is_there(site: Site, case: Any) -> None:
    """Put the number and the version of own work where a number stands that fits nothing."""
    mine = site.work["I.1/xa_van_ninh"]
    parts = case.path_parameters
    if isinstance(parts, dict) and parts.get("assignment") not in {None, 1, "1"}:
        parts["assignment"] = mine if str(parts["assignment"]).isdecimal() else "x"
    if isinstance(case.body, dict):
        for name, value in (("assignment", mine), ("version", _version(site, mine))):
            if isinstance(case.body.get(name), int):
                case.body[name] = value
    if isinstance(case.headers, dict) and "If-Match" in case.headers:
        del case.headers["If-Match"]


def _version(site: Site, number: int) -> int:
    return site.read(lambda session: session.get_one(Assignment, number).version)


def _walk(site: Site, operation: Any, headers: dict[str, str], examples: int) -> Callable[[], None]:
    strategy = operation.as_strategy()
    for mode in list(schemathesis.GenerationMode):
        strategy |= operation.as_strategy(generation_mode=mode)

    @seed(1718)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def walk(case: Any) -> None:
        _speak_of_what_is_there(site, case)
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=CHECKS, headers=headers)

    return walk
