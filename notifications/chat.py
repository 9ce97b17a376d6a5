"""A short notice to a group chat, through Apprise; its address holds a secret and is never logged."""

from __future__ import annotations

import logging
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from apprise import Apprise, AppriseAsset, NotifyBase

from notifications.reaching import LARGEST, Called, NotReachable, Reach, check_address

SELF_HOSTED: Final = {"json": "http", "jsons": "https", "form": "http", "forms": "https"}
"""Schemes with a host of one's own, and how that host is spoken to. A group of a service that
Apprise does not know, Zalo's for one, is reached by a bridge that takes JSON."""
SERVICES: Final = frozenset({"tgram", "slack", "discord", "msteams", "workflows", "gchat"})
"""Services whose host is their own."""
_SECONDS: Final = "rto=10&cto=5&redirect=no"

# Apprise logs what it sends and where; an address here is a secret.
logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)


def check_chat(address: str, reach: Reach) -> str:
    """The host, or the service, that an address leads to.

    Raises:
        NotReachable: a scheme that is not used here, or a host that is not to be reached.
    """
    parts = urlsplit(address)
    scheme = parts.scheme.lower()
    if scheme in SELF_HOSTED:
        where = urlunsplit((SELF_HOSTED[scheme], parts.netloc.rpartition("@")[2], "/", "", ""))
        check_address(where, reach)
    elif scheme not in SERVICES:
        known = ", ".join(sorted((*SELF_HOSTED, *SERVICES)))
        raise NotReachable(f"Đề nghị dùng địa chỉ Apprise bắt đầu bằng một trong: {known}.")
    if _open(address) is None:
        raise NotReachable("Địa chỉ không đúng dạng; ví dụ đúng: jsons://may-chu.tinh.gov.vn/nhom")
    return (parts.hostname or scheme) if scheme in SELF_HOSTED else scheme


def tell(address: str, text: str, reach: Reach) -> Called:
    """Send ``text`` once; never raises."""
    if len(text.encode()) > LARGEST:
        return Called(status=None, answer="Nội dung lớn hơn 64 KB.")
    try:
        check_chat(address, reach)
    except NotReachable as error:
        return Called(status=None, answer=str(error))
    sender = _open(address)
    try:
        done = sender is not None and bool(sender.notify(body=text, title="Tiến độ"))
    except Exception as error:  # noqa: BLE001 - some hundred services, each with its own
        return Called(status=None, answer=f"Không gửi được: {type(error).__name__}.")
    return Called(status=200 if done else None, answer="Đã nhận" if done else "Không nhận.")


def _open(address: str) -> NotifyBase | None:
    # The id goes into a header, where only ASCII may stand.
    asset = AppriseAsset(app_id="Tiendo", async_mode=False, secure_logging=True)
    join = "&" if "?" in address else "?"
    found = Apprise.instantiate(f"{address}{join}{_SECONDS}", asset=asset, suppress_exceptions=True)
    return found if isinstance(found, NotifyBase) else None
