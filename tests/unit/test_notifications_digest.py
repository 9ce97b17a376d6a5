"""Subjects, order and words of digests."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.digest_view import digest_view
from notifications.samples import PLAN, digest, full_lines, line
from notifications.subjects import SUBJECT_LIMIT, digest_subject
from notifications.values import Audience, Line, LineKind, PlanRef, Role
from notifications.wording import RANKS, SECTIONS, by_urgency, item_order, said_as, when


def subject(*lines: Line) -> str:
    return digest_subject(lines, short_name="Xã Vạn Ninh")


def test_a_single_reminder_has_the_agreed_subject() -> None:
    assert subject(line()) == (
        "[CCHC-1718] Nhắc việc: I.1 – hạn 31/3/2027 (còn 5 ngày làm việc) – Xã Vạn Ninh"
    )


def test_a_single_overdue_line_has_the_agreed_subject() -> None:
    assert subject(line(LineKind.OVERDUE, days=-2)) == (
        "[CCHC-1718] Thông báo quá hạn: I.1 – 2 ngày làm việc – Xã Vạn Ninh"
    )


def test_a_return_has_the_agreed_subject_and_the_agency() -> None:
    returned = line(LineKind.RETURNED, respond_by=date(2027, 4, 9))
    assert subject(returned) == (
        "[CCHC-1718] Đề nghị bổ sung kết quả: I.1 – trước khi kết thúc ngày 9/4/2027 – Xã Vạn Ninh"
    )


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            (line(), line(item="I.2", due_on=date(2027, 6, 30), days=60), line(item="II.3")),
            "Nhắc việc: 3 nhiệm vụ, hạn gần nhất 31/3/2027 (còn 5 ngày làm việc)",
        ),
        ((line(days=0),), "Nhắc việc: I.1 – hạn 31/3/2027 (hạn cuối hôm nay)"),
        (
            (line(item="II.2", provisional=True),),
            "Nhắc việc: II.2 – mốc dự kiến 31/3/2027 (còn 5 ngày làm việc)",
        ),
        (
            (line(LineKind.OVERDUE, item="II.2", provisional=True, days=-1),),
            "Nhắc việc: II.2 – qua mốc dự kiến 31/3/2027",
        ),
        (
            tuple(line(LineKind.PAST_PROVISIONAL, i, provisional=True) for i in ("I.1", "II.2")),
            "Nhắc việc: 2 nhiệm vụ đã qua mốc dự kiến",
        ),
        ((line(LineKind.OPENED),), "Nhiệm vụ năm 2027: I.1 – hạn 31/3/2027"),
        (
            (line(LineKind.OPENED), line(LineKind.OPENED, "I.2", due_on=date(2027, 6, 30))),
            "Nhiệm vụ năm 2027: 2 nhiệm vụ, hạn gần nhất 31/3/2027",
        ),
        (
            tuple(line(LineKind.RECORD_INVITE, i, period_label="năm 2026") for i in ("I.1", "I.2")),
            "Đề nghị ghi nhận kết quả năm 2026: 2 nhiệm vụ",
        ),
        (
            (line(LineKind.RECORD_REMIND, period_label="năm 2026"),),
            "Nhắc ghi nhận kết quả năm 2026: I.1 – trước khi kết thúc ngày 31/3/2027",
        ),
        (
            (line(LineKind.OVERDUE, days=-2), line(item="I.2")),
            "Thông báo quá hạn: I.1 – 2 ngày làm việc; 1 việc khác",
        ),
        (
            tuple(line(LineKind.OVERDUE, i, days=-2) for i in ("I.1", "I.2")),
            "Thông báo quá hạn: 2 nhiệm vụ, lâu nhất 2 ngày làm việc",
        ),
        (
            (line(), line(agency="so-noi-vu", agency_name="Sở Nội vụ")),
            "Nhắc việc: 2 việc, hạn gần nhất 31/3/2027 (còn 5 ngày làm việc)",
        ),
        (
            tuple(line(LineKind.CONFIRMED, i) for i in ("I.1", "I.2")),
            "Đã xác nhận hoàn thành: 2 nhiệm vụ",
        ),
    ],
)
def test_subjects_say_the_gravest_first(lines: tuple[Line, ...], expected: str) -> None:
    assert subject(*lines) == f"[CCHC-1718] {expected} – Xã Vạn Ninh"


def test_several_plans_are_named_or_counted() -> None:
    others = [line(plan_code=code) for code in ("CCHC-1718", "CDS-20", "DT-7")]
    assert subject(*others[:2]).startswith("[CCHC-1718, CDS-20] ")
    assert subject(*others).startswith("[CCHC-1718, +2 đề án] ")


def test_a_digest_without_lines_is_refused() -> None:
    with pytest.raises(ValueError, match="without lines"):
        subject()


TEXT = st.text(min_size=0, max_size=300)
LINES = st.lists(
    st.builds(
        Line,
        kind=st.sampled_from(LineKind),
        plan_code=TEXT,
        item=TEXT,
        item_task=TEXT,
        period_key=TEXT,
        period_label=TEXT,
        agency=TEXT,
        agency_name=TEXT,
        role=st.sampled_from(Role),
        due_on=st.dates(date(1900, 1, 1), date(9000, 1, 1)),
        days=st.integers(-9999, 9999),
        assignment_id=TEXT,
        provisional=st.booleans(),
        respond_by=st.none() | st.dates(date(1900, 1, 1), date(9000, 1, 1)),
    ),
    min_size=1,
    max_size=6,
)


@given(LINES, TEXT)
def test_a_subject_is_one_line_of_bounded_length(lines: list[Line], name: str) -> None:
    result = digest_subject(lines, short_name=name)
    assert len(result) <= SUBJECT_LIMIT
    assert result.isprintable() or not [c for c in result if ord(c) < 32 or c in "\x7f\u2028\u2029"]
    assert "\n" not in result
    assert "\r" not in result


@given(LINES)
def test_a_provisional_line_is_never_called_overdue(lines: list[Line]) -> None:
    for each in lines:
        if each.provisional:
            assert said_as(each) is not LineKind.OVERDUE
            assert "quá hạn" not in when(each)


def test_every_kind_has_its_rank_and_section() -> None:
    assert set(RANKS) == set(SECTIONS) == set(LineKind)
    assert {each.kind for each in full_lines()} == set(LineKind)


def test_overdue_comes_first_then_returned_then_the_nearest_date() -> None:
    kinds = [said_as(each) for each in by_urgency(full_lines())]
    late, returned = (LineKind.OVERDUE, LineKind.FINDING_LATE), LineKind.RETURNED
    assert kinds[:4] == [*late, returned, LineKind.REQUEST]
    assert kinds[-1] in (LineKind.CONFIRMED, LineKind.LAPSED, LineKind.FINDING_CLOSED)


def test_the_longest_overdue_comes_first() -> None:
    older = line(LineKind.OVERDUE, "I.2", due_on=date(2027, 1, 4), days=-50)
    newer = line(LineKind.OVERDUE, "I.1", days=-2)
    assert by_urgency([newer, older]) == [older, newer]


def test_items_sort_as_in_the_appendix() -> None:
    keys = ["V.1", "IV.2", "BS-2027/01", "II.10", "II.3", "I.1"]
    assert sorted(keys, key=item_order) == ["I.1", "II.3", "II.10", "IV.2", "V.1", "BS-2027/01"]


def test_a_due_line_whose_day_has_passed_is_said_overdue() -> None:
    assert said_as(line(days=-1)) is LineKind.OVERDUE
    assert said_as(line(days=-1, provisional=True)) is LineKind.PAST_PROVISIONAL
    assert said_as(line(days=0)) is LineKind.DUE


def test_three_lines_stand_large_and_the_rest_below() -> None:
    view = digest_view(digest(*full_lines()))
    assert len(view.large) == 3
    assert sum(len(section.lines) for section in view.sections) == len(full_lines()) - 3


def test_the_head_is_greeted_as_the_head() -> None:
    view = digest_view(digest(line(LineKind.OVERDUE, days=-6), audience=Audience.HEAD))
    assert view.greeting == "Lãnh đạo Ủy ban nhân dân xã Vạn Ninh"
    assert digest_view(digest(line(), audience=Audience.FOCAL)).greeting.startswith("Đầu mối")


def test_the_words_of_the_first_letter_are_those_agreed() -> None:
    assert digest_view(digest(line())).intro == [
        (
            "Thực hiện Quyết định số 1718/QĐ-UBND ngày 21/7/2023 của UBND tỉnh, Sở Nội vụ đề nghị "
            "Quý cơ quan cập nhật kết quả nhiệm vụ I.1, hạn hết ngày 31/3/2027."
        )
    ]


def test_the_words_of_the_overdue_letter_are_those_agreed() -> None:
    assert digest_view(digest(line(LineKind.OVERDUE, days=-2))).intro == [
        (
            "Đến 08 giờ 00 ngày 24/3/2027, hệ thống chưa ghi nhận kết quả nhiệm vụ I.1. Trường hợp đã "
            "ban hành văn bản, đề nghị Quý cơ quan cập nhật số, ngày văn bản; nếu có vướng mắc, đề "
            "nghị phản ánh để được xem xét."
        )
    ]


def test_another_agency_or_plan_is_named_in_the_line() -> None:
    mine, other = line(), line(agency="x", agency_name="Xã Đại Lãnh", role=Role.PARTNER)
    view = digest_view(digest(mine, other))
    assert {each.title for each in view.large} == {
        "I.1 · năm 2027",
        "I.1 · năm 2027 · Xã Đại Lãnh · phối hợp",
    }
    plans = (PLAN, PlanRef(code="CDS-20", decision_line="Quyết định số 20/QĐ-UBND"))
    two = digest(mine, line(plan_code="CDS-20", due_on=mine.due_on + timedelta(1)), plans=plans)
    assert digest_view(two).large[0].title == "CCHC-1718 · I.1 · năm 2027"
    assert " và Quyết định số 20/QĐ-UBND" in digest_view(two).intro[0]


def test_the_coordinator_is_not_asked_as_a_guest_of_itself() -> None:
    own = digest(line(), formal_name="Sở Nội vụ", short_name="Sở Nội vụ")
    assert not [words for words in digest_view(own).intro if "Quý cơ quan" in words]
