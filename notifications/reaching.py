"""Whether an address outside may be called, and calling it: once, in time, following nothing.

An address that somebody types must not reach what only this machine reaches (server-side request
forgery): every address that a name stands for is looked at, and the one that was looked at is the
one that is called, so that a name cannot change in between.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import httpx

SECONDS: Final = 20.0
"""For the whole of one call, however slowly the other side answers."""
LARGEST: Final = 64 * 1024
"""Bytes of a body."""
_NOBODYS: Final = tuple(
    ipaddress.ip_network(one) for one in ("192.0.0.0/24", "2002::/16", "64:ff9b::/96", "fec0::/10")
)
"""Networks that ``ipaddress`` takes for public and that lead inside: those of protocols (RFC 6890),
IPv6 that stands for an IPv4 address of any network (6to4, NAT64), and what was site-local."""


# httpx logs where it calls, httpcore what it sends; an address here may hold a secret.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class NotReachable(Exception):
    """An address that is not called; the text, in Vietnamese, says why and what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What may be called beside public https addresses."""

    loopback: bool = False
    """This machine, also without https: in trials only."""
    private: bool = False
    """Networks of one's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """How a call ended: ``status`` None means that there was no answer."""

    status: int | None
    answer: str

    @property
    def taken(self) -> bool:
        """Whether the other side took it."""
        return self.status is not None and 200 <= self.status < 300


def check_address(url: str, reach: Reach) -> str:
    """The numeric address to call for ``url``.

    Raises:
        NotReachable: not https, no such name, or a network that is not to be reached.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise NotReachable(
            "Địa chỉ không đúng dạng; ví dụ đúng: https://tinh.gov.vn/nhan"
        ) from None
    if not host or parts.scheme not in {"http", "https"} or parts.username or parts.fragment:
        raise NotReachable("Địa chỉ không đúng dạng; ví dụ đúng: https://tinh.gov.vn/nhan")
    found = _resolve(host, port or (443 if parts.scheme == "https" else 80))
    for one in found:
        _look(one, reach, https=parts.scheme == "https")
    return str(found[0])


def _resolve(host: str, port: int) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NotReachable(
            f"Không tìm thấy máy chủ “{host[:80]}”; đề nghị kiểm tra địa chỉ."
        ) from None
    return [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in known]


def _look(
    number: ipaddress.IPv4Address | ipaddress.IPv6Address, reach: Reach, *, https: bool
) -> None:
    inner = getattr(number, "ipv4_mapped", None) or number
    if any(inner in one for one in _NOBODYS if one.version == inner.version):
        raise NotReachable("Địa chỉ này không phải của một máy chủ.")
    if inner.is_loopback:
        if not reach.loopback:
            raise NotReachable("Địa chỉ của chính máy chủ này chỉ dùng được trong bản dùng thử.")
        return
    if not https:
        raise NotReachable("Đề nghị dùng địa chỉ bắt đầu bằng https://.")
    private = inner.is_private and not (inner.is_link_local or inner.is_unspecified)
    if not inner.is_global and not (private and reach.private):
        raise NotReachable(
            "Địa chỉ thuộc mạng nội bộ, không gọi ra được; quản trị hệ thống có thể cho phép bằng "
            "thiết lập TIENDO_OUTWARD_PRIVATE."
        )
    if inner.is_multicast or inner.is_reserved:
        raise NotReachable("Địa chỉ này không phải của một máy chủ.")


def post(url: str, body: bytes, headers: Mapping[str, str], reach: Reach) -> Called:
    """Send ``body`` once. Redirects are not followed and the answer's body is not read.

    Runs an event loop of its own: not for a thread that has one.
    """
    if len(body) > LARGEST:
        return Called(status=None, answer="Nội dung lớn hơn 64 KB.")
    try:
        number = check_address(url, reach)
        return asyncio.run(_post(url, number, body, headers))
    except NotReachable as error:
        return Called(status=None, answer=str(error))
    except TimeoutError:
        return Called(status=None, answer=f"Không trả lời trong {SECONDS:.0f} giây.")
    except httpx.HTTPError as error:
        return Called(status=None, answer=f"Không kết nối được: {type(error).__name__}.")


async def _post(url: str, number: str, body: bytes, headers: Mapping[str, str]) -> Called:
    asked = httpx.URL(url)
    async with (
        asyncio.timeout(SECONDS),
        httpx.AsyncClient(follow_redirects=False, timeout=SECONDS, trust_env=False) as client,
        client.stream(
            "POST",
            asked.copy_with(host=number),
            content=body,
            headers={**headers, "host": asked.netloc.decode("ascii")},
            extensions={"sni_hostname": asked.raw_host.decode("ascii")},
        ) as answer,
    ):
        return Called(
            status=answer.status_code, answer=f"{answer.status_code} {answer.reason_phrase}"[:200]
        )
