"""One client that is slow, or many that are rude, and everybody else is served all the same.

A sample of ``tests/faults/test_floods.py``, with the patience of the portal cut short.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from tests.portal_process import Served, portal_process
from tests.slow_clients import (
    BODY,
    ask_all,
    connect,
    dripping,
    flood,
    huge_form,
    is_closed,
    open_routes,
)

MOST = 60


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The portal's process, which waits a second and a half where it would wait twenty."""
    folder = tmp_path_factory.mktemp("portal")
    short = {"HEAD_SECONDS": 1.5, "READER_SECONDS": 1.0, "MOST": MOST}
    with portal_process(folder, **short, guard_IDLE_SECONDS=1.5, guard_GRACE_SECONDS=2) as found:
        yield found


def test_every_open_page_answers_beside_slow_heads_and_bodies(site: Served) -> None:
    with dripping(site, heads=30, bodies=10) as held:
        answers = ask_all(site, open_routes())
        assert not answers.failed
        assert not [one for one in answers.statuses if one >= 500]
        assert answers.slowest < 10
        for one in held[:30]:
            assert is_closed(one, 10), "a head that does not end is not waited for"


def test_body_that_drips_ends_with_a_page_that_says_so(site: Served) -> None:
    """Slower than a pace at which anything could be meant, and silent altogether."""
    with dripping(site, heads=0, bodies=1) as (dripped,):
        dripped.settimeout(20)
        answer = dripped.recv(65536)
        assert answer.startswith(b"HTTP/1.1 408")
    silent = connect(site)
    silent.sendall(BODY)
    silent.settimeout(20)
    text = silent.recv(65536)
    while part := silent.recv(65536):
        text += part
    assert text.startswith(b"HTTP/1.1 408")
    assert "Nội dung gửi lên bị ngắt quãng nên chưa được ghi".encode() in text


def test_more_connections_than_it_holds_shut_nobody_out(site: Served) -> None:
    idle = [connect(site) for _ in range(3 * MOST)]
    answers = ask_all(site, ["/dang-nhap", "/health"])
    assert answers.statuses == [200, 200]
    assert sum(is_closed(one, 0.05) for one in idle) >= 2 * MOST - 5
    for one in idle:
        one.close()


def test_reader_that_takes_nothing_is_let_go(site: Served) -> None:
    greedy = connect(site)
    greedy.sendall(b"GET /static/style.css HTTP/1.1\r\nhost: x\r\n\r\n" * 2000)
    began = time.monotonic()
    while any(one.raddr == greedy.getsockname() for one in site.process.net_connections("tcp")):
        assert time.monotonic() - began < 20
        time.sleep(0.1)
    greedy.close()


@pytest.mark.parametrize("stated", [True, False], ids=["length", "chunked"])
def test_huge_body_is_refused_with_a_page_and_held_nowhere(site: Served, stated: bool) -> None:
    size = 80 * 1024 * 1024
    headers = {"content-type": "multipart/form-data; boundary=x"}
    if stated:
        headers["content-length"] = str(sum(map(len, huge_form(size))))
    before = site.memory()
    answer = httpx.post(
        f"{site.url}/dang-nhap", content=huge_form(size), headers=headers, trust_env=False
    )
    assert answer.status_code == 413
    assert "Nội dung gửi lên quá lớn" in answer.text
    assert site.memory() - before < 24 * 1024 * 1024


def test_head_without_end_is_refused(site: Served) -> None:
    one = connect(site)
    one.sendall(b"GET / HTTP/1.1\r\nx-a: " + b"a" * 60_000)
    assert one.recv(100).startswith(b"HTTP/1.1 400")


def test_flood_of_readers_leaves_the_others_an_answer(site: Served) -> None:
    with flood(site, clients=20) as rude:
        answers = ask_all(site, ["/health", "/huong-dan", "/dang-nhap"])
    assert not answers.failed
    assert answers.slowest < 20
    assert set(rude.statuses) <= {200, 429}
