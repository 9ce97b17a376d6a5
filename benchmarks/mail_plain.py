"""The plainest way to a letter: one template for text and page, EmailMessage, smtplib."""

from __future__ import annotations

import smtplib
from collections.abc import Mapping, Sequence
from datetime import date
from email.message import EmailMessage
from functools import cache
from typing import Any

from jinja2 import Environment, Template

from notifications.values import Sender

SENDER = Sender(
    office_name="Sở Nội vụ tỉnh Khánh Hòa",
    contact_line="Phòng Cải cách hành chính",
    phone="0258 3 000 000",
    from_name="Sở Nội vụ",
    from_address="nhacviec@sonoivu.test",
    portal_url="https://tiendo.sonoivu.test",
    uid_domain="tiendo.sonoivu.test",
)
SUBJECT = "[CCHC-1718] {count} việc sắp đến hạn, gần nhất {day} - {name}"
_TEXT = """\
Kính gửi: {{ name }}

Thực hiện Quyết định số 1718/QĐ-UBND ngày 21/7/2023 của UBND tỉnh Khánh Hòa, \
{{ sender.office_name }} đề nghị Quý cơ quan cập nhật kết quả các việc dưới đây.

{% for l in lines[:3] %}
{{ loop.index }}. {{ l.item }} · {{ l.period }}
   [Sắp đến hạn] Hạn {{ l.due }} (còn {{ l.days }} ngày làm việc)
   {{ l.task }}
   Tình trạng: {{ l.status }}
   Kết quả cần có:
{% for one in l.expected %}
   - {{ one }}
{% endfor %}

{% endfor %}
Mở trang cập nhật kết quả: {{ link }}

{% if lines|length > 3 %}
CÁC VIỆC KHÁC

Sắp đến hạn
{% for l in lines[3:] %}
- {{ l.item }} · {{ l.period }}: hạn {{ l.due }} (còn {{ l.days }} ngày làm việc). {{ l.status }}
  {{ l.task[:89] }}…
{% endfor %}
{% endif %}

Trân trọng.

{{ sender.office_name }}
Thư tự động, không thay thế văn bản hành chính.
Đầu mối: {{ sender.contact_line }}, ĐT {{ sender.phone }}
"""
_PAGE = """\
<!DOCTYPE html>
<html lang="vi"><head><meta charset="utf-8"><title>{{ subject }}</title></head>
<body style="margin:0;padding:0;background:#f2f4f7;color:#1b1f24;font-family:Arial,Helvetica,\
sans-serif;font-size:16px;line-height:1.5">
<p style="margin:0 0 14px;font-weight:bold">Kính gửi: {{ name }}</p>
<p style="margin:0 0 14px">Thực hiện Quyết định số 1718/QĐ-UBND ngày 21/7/2023 của UBND tỉnh \
Khánh Hòa, {{ sender.office_name }} đề nghị Quý cơ quan cập nhật kết quả các việc dưới đây.</p>
{% for l in lines[:3] %}
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" \
style="margin:0 0 12px"><tr><td style="padding:12px 14px;border:1px solid #d5dae1;\
border-left:6px solid #0b4f8a;border-radius:4px">
<p style="margin:0 0 2px;font-size:14px;font-weight:bold;color:#0b4f8a">Sắp đến hạn</p>
<p style="margin:0 0 2px;font-size:20px;font-weight:bold">{{ l.item }} · {{ l.period }}</p>
<p style="margin:0 0 8px;font-size:18px">Hạn {{ l.due }} (còn {{ l.days }} ngày làm việc)</p>
<p style="margin:0">{{ l.task }}</p>
<p style="margin:8px 0 0">Tình trạng: <b>{{ l.status }}</b></p>
<p style="margin:8px 0 0">Kết quả cần có:</p>
<ul>{% for one in l.expected %}<li>{{ one }}</li>{% endfor %}</ul></td></tr></table>
{% endfor %}
<p style="margin:22px 0"><a href="{{ link }}" style="display:inline-block;padding:12px 20px;\
background:#0b4f8a;color:#ffffff;border-radius:6px">Mở trang cập nhật kết quả</a></p>
{% if lines|length > 3 %}
<h2 style="margin:22px 0 4px;font-size:18px;line-height:1.3">Các việc khác</h2>
<ul style="margin:0;padding-left:20px">
{% for l in lines[3:] %}
<li style="margin:0 0 8px"><b>{{ l.item }} · {{ l.period }}</b>: hạn {{ l.due }} (còn {{ l.days }} \
ngày làm việc). {{ l.status }}<br><span style="font-size:14px;color:#454d57">{{ l.task[:89] }}…\
</span></li>
{% endfor %}
</ul>
{% endif %}
<p style="margin:22px 0 0">Trân trọng.</p>
<p><b>{{ sender.office_name }}</b><br>Thư tự động, không thay thế văn bản hành chính.<br>
Đầu mối: {{ sender.contact_line }}, ĐT {{ sender.phone }}</p>
</body></html>
"""


@cache
def _templates() -> tuple[Template, Template]:
    plain = Environment(trim_blocks=True, lstrip_blocks=True)  # noqa: S701 - for plain text
    page = Environment(trim_blocks=True, lstrip_blocks=True, autoescape=True)
    return plain.from_string(_TEXT), page.from_string(_PAGE)


def shown(day: date) -> str:
    """``31/3/2027``."""
    return f"{day.day}/{day.month}/{day.year}"


def render(name: str, link: str, lines: Sequence[Mapping[str, Any]]) -> tuple[str, str, str]:
    """Subject, text and page of a letter; each line has ``item``, ``period``, ``due`` ..."""
    text, page = _templates()
    subject = SUBJECT.format(count=len(lines), day=lines[0]["due"], name=name)
    said = {"name": name, "link": link, "lines": lines, "sender": SENDER, "subject": subject}
    return subject, text.render(said), page.render(said)


def message(to: str, subject: str, text: str, page: str) -> EmailMessage:
    """The letter as the standard library builds it by itself."""
    built = EmailMessage()
    built["From"] = f"{SENDER.from_name} <{SENDER.from_address}>"
    built["To"] = to
    built["Subject"] = subject
    built.set_content(text)
    built.add_alternative(page, subtype="html")
    return built


def session(port: int) -> smtplib.SMTP:
    """One conversation with the server on loopback."""
    return smtplib.SMTP("127.0.0.1", port)
