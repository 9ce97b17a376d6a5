"""Every message, rendered: nothing undefined, nothing left over, both parts say the same."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

import notifications
from notifications.compose import LINK_PLACEHOLDER, MESSAGES, fill_link, render_digest
from notifications.compose import render_operator_notice as render_notice
from notifications.formats import vn_date
from notifications.samples import digest, full_lines, line, operator_notice, sample_letters
from notifications.values import LineKind, Rendered, SummaryTopic

LETTERS = sample_letters()
URL = "https://tiendo.sonoivu.test/l/abc.def-123?x=1&y=2"

SUBJECTS = {
    "digest": "[CCHC-1718] Thông báo quá hạn: I.2 – 2 ngày làm việc; 20 việc khác – Xã Vạn Ninh",
    "returned": "[CCHC-1718] Đề nghị bổ sung kết quả: I.1 – trước khi kết thúc ngày 9/4/2027 – "
    "Xã Vạn Ninh",
    "extension_decision": "[CCHC-1718] Kết quả xem xét gia hạn: I.1 – đồng ý gia hạn đến "
    "15/4/2027 – Xã Vạn Ninh",
    "extension_decision-refused": "[CCHC-1718] Kết quả xem xét gia hạn: I.1 – chưa đồng ý gia "
    "hạn, giữ hạn 31/3/2027 – Xã Vạn Ninh",
    "receipt": "[CCHC-1718] Đã tiếp nhận kết quả: I.1 năm 2027 – 08 giờ 00 ngày 24/3/2027 – "
    "Xã Vạn Ninh",
    "monday_summary": "[CCHC-1718] Tổng hợp tuần 5/4/2027: 4 việc quá hạn, 14 việc chờ xử lý – "
    "Sở Nội vụ",
    "checkpoint": "[Tiến độ] Niêm phong lịch sử ngày 24/3/2027: 12.480 sự kiện",
    "operator_notice": "[Tiến độ] Sự cố: Không gửi được thư hằng ngày – 08 giờ 00 ngày 24/3/2027",
    "link": "[CCHC-1718] Liên kết mới để cập nhật kết quả – Xã Vạn Ninh",
    "handover-new": "[CCHC-1718] Đầu mối theo dõi nhiệm vụ từ ngày 24/3/2027 – Xã Vạn Ninh",
}


class Page(HTMLParser):
    """Collects what a reader sees, where links lead, what would be loaded."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.links += [values["href"] or ""] if tag == "a" else []
        self.loads += [tag] if tag in ("img", "link", "script", "iframe", "style") else []
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.mark.parametrize("name", LETTERS)
def test_every_message_reads_well_in_both_parts(name: str) -> None:
    letter = LETTERS[name]
    filled = fill_link(letter, URL)
    page = Page(filled.html)
    for part in (letter.subject, filled.text, filled.html):
        assert unicodedata.is_normalized("NFC", part)
        assert not re.search(r"[{}]|None|Undefined|LineKind|&amp;amp;", part)
        assert "đôn đốc" not in part.replace("Cần văn bản đôn đốc", "")
    for words in ("Kính gửi: ", "Trân trọng.", "Thư tự động, không thay thế văn bản hành chính."):
        assert words in filled.text
        assert words in page.text
    assert page.links
    assert all(link in filled.text for link in page.links)
    assert not page.loads
    assert not page.open
    assert "<" not in filled.text
    assert "\n\n\n" not in filled.text
    assert max(map(len, filled.text.splitlines())) < 900


def test_every_folder_of_templates_is_a_message_with_a_sample() -> None:
    root = Path(notifications.__file__).parent / "templates"
    folders = {path.name for path in root.iterdir() if path.is_dir()}
    assert folders == set(MESSAGES)
    assert folders == {name.partition("-")[0] for name in LETTERS}
    for folder in folders:
        names = {path.name for path in (root / folder).iterdir()}
        assert names == {"subject.txt", "body.txt", "body.html"}


@pytest.mark.parametrize("name", SUBJECTS)
def test_subjects_are_as_agreed(name: str) -> None:
    assert LETTERS[name].subject == SUBJECTS[name]


@pytest.mark.parametrize("kind", LineKind)
@pytest.mark.parametrize("place", ["large", "compact"])
def test_both_parts_carry_the_date_and_the_words_of_each_line(kind: LineKind, place: str) -> None:
    (told,) = (each for each in full_lines() if each.kind is kind)
    before = [line(LineKind.OVERDUE, days=-n, assignment_id=str(n)) for n in (9, 8, 7)]
    if kind is LineKind.OVERDUE:
        told = replace(told, due_on=before[0].due_on.replace(month=12))
    letter = render_digest(digest(told, *(before if place == "compact" else [])))
    for text in (letter.text, Page(letter.html).text):
        assert vn_date(told.due_on) in text or not told.dated
        assert told.item_task[:60] in text
        assert told.note is None or told.note.splitlines()[0] in text
        assert LINK_PLACEHOLDER in letter.text
    assert LINK_PLACEHOLDER in Page(letter.html).links


def test_hostile_words_stay_words() -> None:
    evil = '<script>alert("x")</script>&{{ 7*7 }}{{LIEN_KET}}\r\nBcc: all@x.test'
    lines = [replace(each, note=evil, item_task=evil, agency_name=evil) for each in full_lines()]
    letter = render_digest(digest(*lines, formal_name=evil, short_name=evil))
    assert "\n" not in letter.subject
    assert "<script" not in letter.html
    assert letter.text.count(LINK_PLACEHOLDER) == 1
    assert letter.html.count(LINK_PLACEHOLDER) == 1
    assert "{{ 7*7 }}" in unescape(letter.html)


def test_the_live_link_is_put_in_at_sending_only() -> None:
    stored = LETTERS["digest-one"]
    sent = fill_link(stored, URL)
    assert URL in sent.text
    assert Page(sent.html).links == [URL]
    assert "abc.def" not in f"{stored.text}{stored.html}{stored.subject}{stored.ics}"


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "/l/secret", 'https://x.test/"onload=', "https://x.test/a b", ""],
)
def test_a_link_that_is_no_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="absolute") as caught:
        fill_link(LETTERS["link"], url)
    assert not url or url not in str(caught.value)


def test_a_notice_never_links_to_a_script() -> None:
    notice = replace(operator_notice(), url="javascript:alert(1)")
    assert "javascript" not in render_notice(notice).html


def test_a_list_of_forty_stays_small_enough_for_a_phone() -> None:
    many = [line(item="I.2", assignment_id=str(n)) for n in range(40)]
    letter: Rendered = render_digest(digest(*many))
    assert len(letter.html.encode()) < 60_000


def test_every_topic_of_the_summary_has_a_heading() -> None:
    from notifications.compose import SUMMARY_HEADINGS

    assert set(SUMMARY_HEADINGS) == set(SummaryTopic)


def _luminance(colour: str) -> float:
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_text_colour_has_contrast_enough() -> None:
    pages = "".join(letter.html for letter in LETTERS.values())
    for colour in set(re.findall(r"[;\"]color:(#[0-9a-f]{6})", pages)) - {"#ffffff"}:
        assert 1.05 / (_luminance(colour) + 0.05) >= 4.5, colour
    assert 1.05 / (_luminance("#0b4f8a") + 0.05) >= 4.5  # the button's white on blue
