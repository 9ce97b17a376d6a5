"""Values into letters: each message is a folder of templates with a subject, a text and a page.

Templates are compiled once and strict: a name that is not there raises
``jinja2.UndefinedError`` instead of leaving a hole in somebody's letter.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape
from markupsafe import Markup, escape

from notifications.calendar_file import calendar_text
from notifications.digest_view import digest_view
from notifications.formats import (
    LINK_PLACEHOLDER,
    clean_line,
    shorten,
    vn_date,
    vn_datetime,
    vn_list,
    vn_number,
)
from notifications.subjects import SUBJECT_LIMIT, digest_subject, subject_line
from notifications.values import (
    CheckpointLetter,
    DigestLetter,
    ExtensionLetter,
    HandoverLetter,
    Letter,
    LinkLetter,
    MondaySummary,
    OperatorNotice,
    ReceiptLetter,
    Rendered,
    ReturnedLetter,
    SummaryTopic,
)

__all__ = [
    "LINK_PLACEHOLDER",
    "MESSAGES",
    "digest_subject",
    "fill_link",
    "render_checkpoint",
    "render_digest",
    "render_extension_decision",
    "render_handover",
    "render_link",
    "render_monday_summary",
    "render_operator_notice",
    "render_receipt",
    "render_returned",
]

_TEMPLATES: Final = Path(__file__).parent / "templates"

MESSAGES: Final = (
    "digest",
    "returned",
    "extension_decision",
    "receipt",
    "monday_summary",
    "operator_notice",
    "link",
    "handover",
    "checkpoint",
)
"""The folders of ``templates/``."""

SUMMARY_HEADINGS: Final[Mapping[SummaryTopic, str]] = {
    SummaryTopic.CONFIRM: "Kết quả chờ xác nhận",
    SummaryTopic.EXTENSIONS: "Đề nghị gia hạn chờ quyết định",
    SummaryTopic.OBSTACLES: "Vướng mắc chờ trả lời",
    SummaryTopic.URGE: "Cần văn bản đôn đốc",
    SummaryTopic.OVERDUE: "Chưa hoàn thành, quá hạn",
    SummaryTopic.FIX_DATES: "Mốc dự kiến cần ấn định hạn",
    SummaryTopic.SAMPLE: "Kết quả cần kiểm tra theo mẫu",
    SummaryTopic.NO_CONTACT: "Cơ quan chưa có hộp thư hoặc đầu mối",
    SummaryTopic.UNDELIVERABLE: "Địa chỉ không nhận được thư",
    SummaryTopic.UNKNOWN_MAIL: "Thư không rõ đã đến hay chưa",
    SummaryTopic.HELD: "Thư tạm giữ do vượt ngưỡng gửi, chờ cho phép",
}


@dataclass(frozen=True, slots=True)
class _Message:
    subject: Template
    text: Template
    html: Template

    def render(self, values: Mapping[str, Any], *, ics: str | None = None) -> Rendered:
        return Rendered(
            subject=shorten(clean_line(self.subject.render(values)), SUBJECT_LIMIT),
            text=self.text.render(values).strip("\n") + "\n",
            html=self.html.render(values).strip("\n") + "\n",
            ics=ics,
        )


def _breaks(text: str) -> Markup:
    """Escaped text with its line breaks, for mail clients that know no ``white-space``."""
    return Markup("<br>\n").join(escape(line) for line in text.split("\n"))


def _indented(text: str, indent: str) -> str:
    """Text whose further lines stand below the first."""
    return text.replace("\n", "\n" + indent)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(enabled_extensions=("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(
        vn_date=vn_date,
        vn_datetime=vn_datetime,
        vn_number=vn_number,
        vn_list=vn_list,
        breaks=_breaks,
        indented=_indented,
    )
    environment.globals.update(
        subject_line=subject_line,
        summary_headings=SUMMARY_HEADINGS,
        placeholder=LINK_PLACEHOLDER,
    )
    return environment


@cache
def _message(name: str) -> _Message:
    environment = _environment()
    return _Message(
        subject=environment.get_template(f"{name}/subject.txt"),
        text=environment.get_template(f"{name}/body.txt"),
        html=environment.get_template(f"{name}/body.html"),
    )


def _render(name: str, letter: Letter, **more: object) -> Rendered:
    ics = None
    if letter.calendar is not None:
        ics = calendar_text(letter.calendar, domain=letter.sender.uid_domain)
    values = {"letter": letter, "sender": letter.sender, **more}
    return _message(name).render(values, ics=ics)


def render_digest(letter: DigestLetter) -> Rendered:
    """The one letter of the day to a mailbox (rule 30). ValueError when it has no line."""
    view = digest_view(letter)
    subject = digest_subject(letter.lines, short_name=letter.short_name)
    return _render("digest", letter, view=view, subject=subject)


def render_returned(letter: ReturnedLetter) -> Rendered:
    """A result came back for a supplement."""
    return _render("returned", letter)


def render_extension_decision(letter: ExtensionLetter) -> Rendered:
    """An extension was granted or not."""
    return _render("extension_decision", letter)


def render_receipt(letter: ReceiptLetter) -> Rendered:
    """What was received, for the sender's file."""
    return _render("receipt", letter)


def render_monday_summary(letter: MondaySummary) -> Rendered:
    """The coordinator's week."""
    return _render("monday_summary", letter)


def render_link(letter: LinkLetter) -> Rendered:
    """A fresh link that was asked for."""
    return _render("link", letter)


def render_handover(letter: HandoverLetter) -> Rendered:
    """An agency has another focal point: to the old one's mailbox, and to the new one's."""
    return _render("handover", letter)


def render_operator_notice(notice: OperatorNotice) -> Rendered:
    """Something failed that operators must see."""
    url = notice.url if notice.url is not None and is_web_address(notice.url) else None
    values = {"notice": notice, "sender": notice.sender, "url": url}
    return _message("operator_notice").render(values)


def render_checkpoint(letter: CheckpointLetter) -> Rendered:
    """A checkpoint of the history, for whoever checks."""
    return _message("checkpoint").render({"letter": letter, "sender": letter.sender})


_URL: Final = re.compile(r"https?://[!-~]+")
_URL_UNSAFE: Final = re.compile(r"[\"'<>`{}|\\^]")


def is_web_address(url: str) -> bool:
    """Whether ``url`` is absolute, http or https, in ASCII as it goes into an ``href``."""
    return _URL.fullmatch(url) is not None and _URL_UNSAFE.search(url) is None


def fill_link(rendered: Rendered, url: str) -> Rendered:
    """The letter with the live link in place of the placeholder, just before sending (rule 34).

    What is no :func:`is_web_address` raises ValueError, which does not repeat the link, for it
    holds a token.
    """
    if not is_web_address(url):
        raise ValueError("the link is not an absolute http(s) address in plain ASCII")
    return Rendered(
        subject=rendered.subject,
        text=rendered.text.replace(LINK_PLACEHOLDER, url),
        html=rendered.html.replace(LINK_PLACEHOLDER, html.escape(url)),
        ics=rendered.ics,
    )
