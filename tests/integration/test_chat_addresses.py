"""Addresses of group chats: read by Apprise, called only where webhooks are, told to nobody."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest

from notifications import reaching
from notifications.chat import check_chat, tell
from notifications.reaching import NotReachable, Reach, check_address
from tests.receiver import Receiver, receiver

OPEN = Reach(loopback=True)


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.mark.parametrize(
    "address",
    [
        *("jsons://127.0.0.1/x", "json://8.8.8.8/x", "forms://169.254.169.254/latest"),
        # Two readers of one address may see two hosts: what Apprise sees is what counts.
        *("jsons://a:b@127.0.0.1@8.8.8.8/x", "jsons://8.8.8.8\\@127.0.0.1/x"),
        *("jsons://a:b@c@8.8.8.8/x", "jsons://8.8.8.8,jsons://127.0.0.1"),
        *("workflows://127.0.0.1:9443/flow/signature", "workflows://10.0.0.7/flow/signature"),
        "workflows://logic.azure.com.evil.test/flow/signature",
        *("mailto://a:b@mail.test", "msteams://a/b/c", "file:///etc/passwd", "", "jsons://"),
    ],
)
def test_an_address_that_leads_inside_is_refused(address: str) -> None:
    with pytest.raises(NotReachable):
        check_chat(address, Reach())
    assert tell(address, "chào", Reach()).status is None


def test_services_are_called_at_their_own_hosts_only() -> None:
    address = "workflows://prod-1.westeurope.logic.azure.com:443/flow/signature"
    assert check_chat(address, Reach()) == "workflows"
    assert check_chat("jsons://8.8.8.8/x", Reach()) == "8.8.8.8"


@pytest.mark.parametrize(
    "url",
    [
        "https://[2002:7f00:1::]/",
        "https://[64:ff9b::a00:7]/",
        "https://[fec0::1]/",
        "https://192.0.0.192/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://127.1/",
    ],
)
def test_a_number_that_stands_for_an_inner_one_is_refused(url: str) -> None:
    with pytest.raises(NotReachable):
        check_address(url, Reach())
    with pytest.raises(NotReachable):
        check_address(url, Reach(private=True))


def test_a_bridge_gets_what_apprise_would_send_by_post_alone(there: Receiver) -> None:
    """Whatever its address asks for: another method, no certificate, no end of time."""
    where = there.url.removeprefix("http://")
    asked = (
        "method=DELETE&verify=no&redirect=yes&rto=900&+X-Nhom=cchc&+Host=evil&-nhom=1&:message=tin"
    )
    assert tell(f"json://nguoi:mat@{where}/bi-mat?{asked}", "chào", OPEN).taken
    assert tell(f"form://{where}?:nhom=cchc", "chào", OPEN).taken
    first, second = there.got
    assert first.path == "/nhan/bi-mat?nhom=1"
    assert json.loads(first.body) == {
        "version": "1.0",
        "title": "Tiến độ",
        "tin": "chào",
        "type": "info",
        "attachments": [],
    }
    assert first.headers["authorization"] == f"Basic {base64.b64encode(b'nguoi:mat').decode()}"
    assert first.headers["x-nhom"] == "cchc"
    assert first.headers["host"] == where.partition("/")[0]
    assert parse_qs(second.body.decode())["nhom"] == ["cchc"]
    assert parse_qs(second.body.decode())["message"] == ["chào"]


def test_a_chat_that_never_answers_is_left_and_its_address_stands_in_no_log(
    there: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(reaching, "SECONDS", 0.5)
    there.plan = ["slow", 302]
    address = there.url.replace("http://", "json://") + "/bi-mat"
    with caplog.at_level(logging.DEBUG):
        assert tell(address, "chào", OPEN).status is None
        assert tell(address, "chào", OPEN).status == 302
        assert tell("json://127.0.0.1:9/bi-mat", "chào", OPEN).status is None
    assert {one.path for one in there.got} == {"/nhan/bi-mat"}
    assert "bi-mat" not in caplog.text
