"""The local test mailbox: letters that a system without a mail server did not send out."""

from __future__ import annotations

import re

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from notifications.mailbox import NoSuchLetter, StoredLetter, list_messages, read_message
from operations.links import LINK_PATH
from portal.downloads import attachment
from portal.errors import NotThere
from portal.portal import Portal, portal_of

router = APIRouter()
_READ = ["GET", "HEAD"]
_PATH = "/hop-thu-thu"
LISTED = 200

_SANDBOX = "allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
LETTER_POLICY = (
    f"sandbox {_SANDBOX}; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'self'; form-action 'none'"
)
"""A letter's own style and nothing else: no script, no form, nothing from another host."""
_HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)


def _folder_of(portal: Portal) -> None:
    if not portal.runtime.settings.uses_local_mailbox:
        raise NotThere("Hệ thống gửi thư qua máy chủ thư, không dùng hộp thư thử.")


def _letter(portal: Portal, letter_id: str) -> StoredLetter:
    _folder_of(portal)
    try:
        return read_message(portal.runtime.settings.mailbox_dir, letter_id)
    except NoSuchLetter:
        raise NotThere("Không có thư này trong hộp thư thử.") from None


@router.api_route(_PATH, methods=_READ, name="mailbox")
def mailbox(request: Request) -> Response:
    """The letters, the newest first, of one address where one is asked for."""
    portal = portal_of(request)
    _folder_of(portal)
    folder, asked = portal.runtime.settings.mailbox_dir, request.query_params.get("hop-thu", "")
    every = list_messages(folder, limit=5_000)
    chosen = [one for one in every if asked.strip().lower() in one.to.lower()]
    return portal.pages(
        request,
        "mailbox.html",
        letters=chosen[:LISTED],
        more=max(0, len(chosen) - LISTED),
        total=len(every),
        asked=asked,
        addresses=sorted({one.to for one in every}),
    )


@router.api_route(_PATH + "/{letter_id}", methods=_READ, name="letter")
def letter(request: Request, letter_id: str) -> Response:
    """One letter: as a page in a frame of its own, or as plain text."""
    portal = portal_of(request)
    found = _letter(portal, letter_id)
    return portal.pages(
        request,
        "letter.html",
        letter=found,
        base=f"{_PATH}/{letter_id}",
        plain=request.query_params.get("dang") == "chu" or not found.html,
        link=_link_in(found, portal),
        sandbox=_SANDBOX,
    )


def _link_in(found: StoredLetter, portal: Portal) -> str | None:
    """The way on that the letter holds, as a path of ours; None for another host's."""
    pattern = re.escape(portal.runtime.settings.portal_url + LINK_PATH) + r"[A-Za-z0-9._~=-]+"
    match = re.search(pattern, found.text) or re.search(pattern, found.html)
    return None if match is None else match[0].removeprefix(portal.runtime.settings.portal_url)


@router.api_route(_PATH + "/{letter_id}/noi-dung", methods=_READ, name="letter_body")
def letter_body(request: Request, letter_id: str) -> Response:
    """The letter's own page, for the frame; its links open in the whole window."""
    found = _letter(portal_of(request), letter_id)
    html = _HEAD.sub(lambda head: head[0] + '<base target="_top">', found.html, count=1)
    return HTMLResponse(
        html, headers={"content-security-policy": LETTER_POLICY, "x-frame-options": "SAMEORIGIN"}
    )


@router.api_route(_PATH + "/{letter_id}/tep/{number}", methods=_READ, name="letter_file")
def letter_file(request: Request, letter_id: str, number: int) -> Response:
    """A file that came with the letter, such as a calendar file."""
    found = _letter(portal_of(request), letter_id)
    if not 0 <= number < len(found.attachments):
        raise NotThere
    one = found.attachments[number]
    return Response(
        one.content,
        media_type="application/octet-stream",
        headers={"content-disposition": attachment(one.filename)},
    )
