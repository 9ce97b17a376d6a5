"""A short notice to a group chat; its address is Apprise's, holds a secret and is never logged.

A service's own host is called by Apprise. A host that somebody typed is read by Apprise and called by
:mod:`notifications.reaching`, for which Apprise has no substitute: it would look the name up anew,
read an answer without end, and make whatever request the address asks for.
"""

from __future__ import annotations

import base64
import json
import logging
from typing import Final
from urllib.parse import quote, urlencode

from apprise import Apprise, AppriseAsset, NotifyBase
from apprise.plugins.custom_form import NotifyForm
from apprise.plugins.custom_json import NotifyJSON
from apprise.plugins.workflows import NotifyWorkflows

from notifications.reaching import LARGEST, Called, NotReachable, Reach, check_address, post

SELF_HOSTED: Final = ("json", "jsons", "form", "forms")
"""Schemes with a host of one's own. A group of a service that Apprise does not know, Zalo's for one,
is reached by a bridge that takes JSON."""
SERVICES: Final = ("tgram", "slack", "discord", "workflows", "gchat")
"""Services whose host is their own."""
_WORKFLOWS: Final = (".logic.azure.com", ".api.powerplatform.com")
"""Microsoft's hosts of Power Automate, the only service here that lets its address name the host."""
_TITLE: Final = "Tiến độ"
_OURS: Final = frozenset({"host", "content-length", "transfer-encoding", "connection"})
"""Headers that no address sets."""
_SECONDS: Final = "rto=10&cto=5&redirect=no"

# Apprise logs what it sends and where; an address here is a secret.
logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)


def check_chat(address: str, reach: Reach) -> str:
    """The host, or the service, that an address leads to.

    Raises:
        NotReachable: a scheme that is not used here, or a host that is not to be reached.
    """
    scheme = address.partition("://")[0].strip().lower()
    if scheme not in SELF_HOSTED and scheme not in SERVICES:
        known = ", ".join(sorted((*SELF_HOSTED, *SERVICES)))
        raise NotReachable(f"Đề nghị dùng địa chỉ Apprise bắt đầu bằng một trong: {known}.")
    sender = _open(address)
    if isinstance(sender, NotifyJSON | NotifyForm):
        check_address(_url(sender), reach)
        return str(sender.host)
    # What Apprise takes for something else than its scheme says is not called.
    if sender is None or scheme in SELF_HOSTED:
        raise NotReachable("Địa chỉ không đúng dạng; ví dụ đúng: jsons://may-chu.tinh.gov.vn/nhom")
    if isinstance(sender, NotifyWorkflows) and not str(sender.host).lower().endswith(_WORKFLOWS):
        raise NotReachable(
            f"Địa chỉ Power Automate phải thuộc {' hoặc '.join(_WORKFLOWS)} của Microsoft."
        )
    return scheme


def tell(address: str, text: str, reach: Reach) -> Called:
    """Send ``text`` once; never raises.

    Runs an event loop of its own: not for a thread that has one.
    """
    if len(text.encode()) > LARGEST:
        return Called(status=None, answer="Nội dung lớn hơn 64 KB.")
    try:
        check_chat(address, reach)
        sender = _open(address)
        if isinstance(sender, NotifyJSON | NotifyForm):
            body, headers = _request(sender, text)
            return post(_url(sender), body, headers, reach)
        done = sender is not None and bool(sender.notify(body=text, title=_TITLE))
    except NotReachable as error:
        return Called(status=None, answer=str(error))
    except Exception as error:  # noqa: BLE001 - some hundred services, each with its own
        return Called(status=None, answer=f"Không gửi được: {type(error).__name__}.")
    return Called(status=200 if done else None, answer="Đã nhận" if done else "Không nhận.")


def _url(sender: NotifyJSON | NotifyForm) -> str:
    """Where Apprise would send, by its own reading of the address."""
    scheme, port = "https" if sender.secure else "http", sender.port
    where = f"{scheme}://{sender.host}{f':{port}' if port else ''}"
    asked = urlencode(sender.params)
    return f"{where}{quote(sender.fullpath or '/', safe='/%')}{f'?{asked}' if asked else ''}"


def _request(sender: NotifyJSON | NotifyForm, text: str) -> tuple[bytes, dict[str, str]]:
    """Body and headers as Apprise has them, fields renamed and added as the address asks."""
    as_json = isinstance(sender, NotifyJSON)
    fields: dict[str, object] = {"version": "1.0", "title": _TITLE, "message": text, "type": "info"}
    if as_json:
        fields["attachments"] = []
    for name, value in {
        **getattr(sender, "payload_overrides", {}),
        **sender.payload_extras,
    }.items():
        kept = fields.pop(name) if name in fields else None
        if kept is None:
            fields[name] = value
        elif value:
            fields[value] = kept
    headers = {"user-agent": sender.app_id}
    headers["content-type"] = "application/json" if as_json else "application/x-www-form-urlencoded"
    if sender.user:
        pair = f"{sender.user}:{sender.password or ''}".encode()
        headers["authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    headers |= {
        name.lower(): value for name, value in sender.headers.items() if name.lower() not in _OURS
    }
    return (json.dumps(fields) if as_json else urlencode(fields)).encode(), headers


def _open(address: str) -> NotifyBase | None:
    # The id goes into a header, where only ASCII may stand.
    asset = AppriseAsset(app_id="Tiendo", async_mode=False, secure_logging=True)
    join = "&" if "?" in address else "?"
    found = Apprise.instantiate(f"{address}{join}{_SECONDS}", asset=asset, suppress_exceptions=True)
    return found if isinstance(found, NotifyBase) else None
