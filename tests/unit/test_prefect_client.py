"""What is asked of Prefect's API, without a server."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from runtime.prefect_client import PrefectClient


def deployment(number: int) -> dict[str, Any]:
    """A deployment as Prefect gives it."""
    return {
        "id": str(number),
        "name": f"đề án {number}",
        "entrypoint": f"flows.items.p{number}__i_1",
        "tags": [],
        "schedules": [],
    }


@pytest.mark.parametrize("count", [0, 1, 200, 201, 400, 421])
def test_the_deployments_of_many_plans_are_read_page_by_page(count: int) -> None:
    """Ten plans of 21 items are more than one answer of Prefect holds."""
    there = [deployment(number) for number in range(count)]

    def answer(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        assert asked["limit"] <= 200, "more is refused"
        first = asked["offset"]
        return httpx.Response(200, json=there[first : first + asked["limit"]])

    with PrefectClient("http://prefect.test/api") as client:
        client._http.close()
        client._http = httpx.Client(
            base_url="http://prefect.test/api", transport=httpx.MockTransport(answer)
        )
        assert [one.id for one in client.deployments()] == [str(n) for n in range(count)]
