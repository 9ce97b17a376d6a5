"""Floods and slow clients for real: the patience that the portal has, and many who try it.

A sample with short patience is ``tests/acceptance/test_slow_clients.py``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from models.tables import Letter
from notifications.mailbox import LocalMailbox
from operations.opening import open_due
from operations.reminding import remind
from operations.stamp import Stamp
from rules.actors import flow_actor
from runtime.clock import FixedClock
from runtime.delivery import deliver
from runtime.wiring import Runtime, open_runtime
from tests.portal_process import Served, portal_process
from tests.providers import free_port
from tests.slow_clients import (
    ask_all,
    connect,
    dripping,
    flood,
    huge_form,
    is_closed,
    open_routes,
)

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

DAY = date(2026, 3, 16)
PLAN = "qd_1718_2023"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The portal's process as it is started anywhere."""
    with portal_process(tmp_path_factory.mktemp("portal")) as found:
        yield found


@pytest.fixture
def desk(site: Served, tmp_path: Path) -> Iterator[Runtime]:
    """The same database on a day with letters to write, from another process than the portal's."""
    clock = FixedClock(datetime(2026, 3, 16, 2, tzinfo=UTC))
    settings = site.settings.model_copy(update={"local_mail_port": free_port()})
    with (
        open_runtime(settings, clock=clock) as runtime,
        LocalMailbox(tmp_path, port=settings.local_mail_port),
    ):
        yield runtime


def test_hundreds_of_slow_heads_and_bodies_cost_the_others_nothing(site: Served) -> None:
    with dripping(site, heads=800, bodies=150) as held:
        answers = ask_all(site, open_routes())
        assert not answers.failed
        assert not [one for one in answers.statuses if one >= 500]
        assert answers.slowest < 15
        assert all(is_closed(one, 60) for one in held[:20])


def test_three_thousand_idle_connections_shut_nobody_out(site: Served) -> None:
    idle = [connect(site) for _ in range(3000)]
    try:
        answers = ask_all(site, ["/health", "/dang-nhap"])
        assert answers.statuses == [200, 200]
        assert site.process.num_fds() < 2500
    finally:
        for one in idle:
            one.close()


@pytest.mark.parametrize("stated", [True, False], ids=["length", "chunked"])
def test_upload_of_200_mb_is_refused_with_a_page_and_held_nowhere(
    site: Served, stated: bool, request: pytest.FixtureRequest
) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    size = 200 * 1024 * 1024
    if stated:
        headers["content-length"] = str(sum(map(len, huge_form(size))))
    before = most = site.memory()

    def watched() -> Iterator[bytes]:
        nonlocal most
        for number, block in enumerate(huge_form(size)):
            if number % 100 == 0:
                most = max(most, site.memory())
            yield block

    answer = httpx.post(
        f"{site.url}/dang-nhap", content=watched(), headers=headers, trust_env=False, timeout=120
    )
    most = max(most, site.memory())
    request.node.user_properties.append(("grown", most - before))
    assert answer.status_code == 413
    assert "Nội dung gửi lên quá lớn" in answer.text
    assert most - before < 24 * 1024 * 1024


def test_outbox_drains_while_the_portal_is_flooded(
    site: Served, desk: Runtime, request: pytest.FixtureRequest
) -> None:
    """Letters go out at the same time as a hundred readers ask for pages without end."""
    stamp = Stamp(at=desk.clock.now(), as_of=DAY, actor=flow_actor("hàng ngày"))
    with desk.database.write() as session:
        open_due(session, stamp, PLAN)
    with desk.database.write() as session:
        remind(session, stamp)
    with desk.database.read() as session:
        queued = session.scalar(select(func.count()).select_from(Letter)) or 0
    assert queued > 50
    began = time.monotonic()
    with flood(site, clients=100) as rude:
        found = deliver(desk.post_office(), as_of=DAY)
        took = time.monotonic() - began
        others = ask_all(site, ["/health", "/huong-dan"], seconds=60)
    assert found.sent == queued
    assert not others.failed
    assert set(rude.statuses) <= {200, 429}
    request.node.user_properties.append(("letters", queued))
    request.node.user_properties.append(("seconds", round(took, 1)))
    request.node.user_properties.append(("slowest", round(max(rude.slowest, others.slowest), 1)))
