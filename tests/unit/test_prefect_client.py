"""What is asked of Prefect's API, without a server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from deployments.first_runs import DELIVERY, FirstRuns
from runtime.prefect_client import Deployment, PrefectClient


def deployment(number: int) -> dict[str, Any]:
    """A deployment as Prefect gives it."""
    return {
        "id": str(number),
        "name": f"đề án {number}",
        "entrypoint": f"flows.items.p{number}__i_1",
        "tags": [],
        "schedules": [],
    }


def run(number: int, deployment: str = "1") -> dict[str, Any]:
    """A run as Prefect gives it."""
    return {
        "id": str(number),
        "name": f"lượt {number}",
        "deployment_id": deployment,
        "state_type": "COMPLETED",
        "state_name": "Đã gửi thư",
    }


@contextmanager
def prefect(there: Sequence[dict[str, Any]]) -> Iterator[PrefectClient]:
    """A client of a Prefect that has these, and gives no more than 200 of them at once."""

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
        yield client


COUNTS = [0, 1, 200, 201, 400, 421]


@pytest.mark.parametrize("count", COUNTS)
def test_the_deployments_of_many_plans_are_read_page_by_page(count: int) -> None:
    """Ten plans of 21 items are more than one answer of Prefect holds."""
    with prefect([deployment(number) for number in range(count)]) as client:
        assert [one.id for one in client.deployments()] == [str(n) for n in range(count)]


@pytest.mark.parametrize("count", COUNTS)
def test_the_runs_of_many_plans_are_read_page_by_page(count: int) -> None:
    """A day of the nation is some 450 runs; who asks for the newest gets no more than those."""
    with prefect([run(number) for number in range(count)]) as client:
        assert [one.id for one in client.runs()] == [str(n) for n in range(count)]
        assert len(client.runs(limit=250)) == min(count, 250)
        assert len(client.runs(limit=1)) == min(count, 1)


@pytest.mark.parametrize(
    ("ran", "told"), [([3, 2, 1], ["1/1 lượt 3: Đã gửi thư"]), ([2, 1], [])], ids=["new", "old"]
)
def test_an_earlier_delivery_is_not_taken_for_the_first(ran: list[int], told: list[str]) -> None:
    """A system that has run for long gets a new plan: its letters go after its items' first runs."""
    said: list[str] = []
    letters = Deployment(id="1", name="chung", entrypoint=DELIVERY, tags=(), crons=())
    with prefect([run(2), run(1)]) as client:
        earlier = FirstRuns(client=client, say=said.append, wait=lambda _: True).ended(["1"])
    with prefect([run(number) for number in ran]) as client:
        first = FirstRuns(client=client, say=said.append, wait=lambda _: True)
        done = first.follow([letters], lambda: False, earlier=earlier)
    assert [one.strip() for one in said] == told
    assert done is bool(told)
