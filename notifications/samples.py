"""One sample of every letter, for previews and tests. Addresses end in the reserved ``.test``.

The decision's words are those of the Appendix of Quyết định số 1718/QĐ-UBND; what is
answered, and by whom, is made up.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final

from notifications.compose import (
    render_checkpoint,
    render_digest,
    render_extension_decision,
    render_handover,
    render_link,
    render_monday_summary,
    render_operator_notice,
    render_receipt,
    render_returned,
)
from notifications.values import (
    Audience,
    Calendar,
    CheckpointLetter,
    DigestLetter,
    DueEvent,
    ExtensionLetter,
    Fact,
    FourCells,
    HandoverLetter,
    ItemRef,
    Line,
    LineKind,
    LinkLetter,
    MondaySummary,
    OperatorNotice,
    PlanRef,
    ReceiptLetter,
    Rendered,
    ReturnedLetter,
    Role,
    Sender,
    SummaryRow,
    SummarySection,
    SummaryTopic,
)

DAY: Final = date(2027, 3, 24)
INSTANT: Final = datetime(2027, 3, 24, 1, 0, tzinfo=UTC)

SENDER: Final = Sender(
    office_name="Sở Nội vụ",
    contact_line="Phòng Cải cách hành chính",
    phone="0258 3 000 000",
    from_name="Sở Nội vụ – Theo dõi CCHC-1718",
    from_address="nhacviec@sonoivu.test",
    portal_url="https://tiendo.sonoivu.test/",
    uid_domain="tiendo.sonoivu.test",
)

PLAN: Final = PlanRef(
    code="CCHC-1718",
    decision_line="Quyết định số 1718/QĐ-UBND ngày 21/7/2023 của UBND tỉnh",
)

TASKS: Final = {
    "I.1": "Rà soát, bố trí cán bộ, công chức, viên chức, các cơ quan, tổ chức, bộ phận được "
    "phân công tham mưu, thực hiện nhiệm vụ cải cách hành chính",
    "I.2": "Hoàn thiện cơ chế quản lý, chỉ đạo, điều hành cải cách hành chính",
    "II.2": "Khảo sát nhu cầu bồi dưỡng của cán bộ, công chức thực hiện công tác cải cách hành "
    "chính các cấp",
    "II.3": "Xây dựng chương trình, kế hoạch tập huấn, bồi dưỡng nghiệp vụ",
    "II.4": "Phổ biến, giới thiệu các chuyên đề bài giảng, áp dụng hình thức bồi dưỡng trực "
    "tuyến, bồi dưỡng qua mạng trên website của Bộ Nội vụ và của tỉnh",
    "IV.1": "Triển khai đánh giá kiến thức về cải cách hành chính",
    "V.1": "Tổ chức sơ kết, tổng kết việc thực hiện Đề án",
}

_ADDRESS: Final[dict[str, Any]] = {
    "to_address": "xavanninh@khanhhoa.test",
    "formal_name": "Ủy ban nhân dân xã Vạn Ninh",
    "short_name": "Xã Vạn Ninh",
    "sender": SENDER,
    "plans": (PLAN,),
    "day": DAY,
    "link_expires_on": date(2027, 4, 23),
}


def line(kind: LineKind = LineKind.DUE, item: str = "I.1", **changes: Any) -> Line:
    """A line of Xã Vạn Ninh in 2027, with whatever is to be different."""
    values: dict[str, Any] = {
        "kind": kind,
        "plan_code": PLAN.code,
        "item": item,
        "item_task": TASKS[item],
        "period_key": "2027",
        "period_label": "năm 2027",
        "agency": "xa-van-ninh",
        "agency_name": "Xã Vạn Ninh",
        "role": Role.LEAD,
        "due_on": date(2027, 3, 31),
        "days": 5,
        "assignment_id": f"{item}-2027-xa-van-ninh",
        "status_word": "Chưa thực hiện",
    }
    return Line(**(values | changes))


def digest(*lines: Line, **changes: Any) -> DigestLetter:
    """A digest to Xã Vạn Ninh with these lines."""
    values: dict[str, Any] = {"agency": "xa-van-ninh", "lines": lines}
    return DigestLetter(**(_ADDRESS | values | changes))


def finding_lines() -> tuple[Line, ...]:
    """A finding of an inspection in each of its lines."""
    told: dict[str, Any] = {
        "item": "Kiến nghị kiểm tra",
        "item_task": "Bổ sung hồ sơ phân công công chức làm công tác cải cách hành chính.",
        "period_key": "1",
        "period_label": "kết luận 15/KL-TTr",
        "assignment_id": "finding-1",
        "status_word": "Đang theo dõi",
    }
    due = line(LineKind.FINDING_DUE, **(told | {"item": "I.1"}))
    findings: dict[LineKind, dict[str, Any]] = {
        LineKind.FINDING: {"dated": False},
        LineKind.FINDING_DUE: {},
        LineKind.FINDING_LATE: {"due_on": date(2027, 3, 22), "days": -2},
        LineKind.FINDING_RETURNED: {"note": "Chưa có hồ sơ của hai công chức."},
        LineKind.FINDING_CLOSED: {
            "status_word": "Đã khắc phục",
            "note": "Đã kiểm tra lại.",
            "dated": False,
        },
    }
    return tuple(
        replace(due, kind=kind, item="Kiến nghị kiểm tra", **changes)
        for kind, changes in findings.items()
    )


def full_lines() -> tuple[Line, ...]:
    """A line of every kind."""
    later = {"due_on": date(2027, 6, 30), "days": 68}
    return (
        line(
            expected=("Văn bản phân công, bố trí công chức làm công tác cải cách hành chính",),
            rung=-5,
        ),
        line(LineKind.OVERDUE, "I.2", due_on=date(2027, 3, 22), days=-2, rung=2),
        line(
            LineKind.RETURNED,
            "I.2",
            respond_by=date(2027, 4, 9),
            days=12,
            note="Bổ sung văn bản phân công có số, ngày ban hành.\nGhi rõ người được phân công.",
            status_word="Đề nghị bổ sung, hoàn thiện",
            assignment_id="I.2-2026-xa-van-ninh",
            period_key="2026",
            period_label="năm 2026",
        ),
        line(
            LineKind.REQUEST,
            "II.3",
            role=Role.PARTNER,
            respond_by=date(2027, 3, 26),
            days=2,
            note="Đề xuất nội dung, số lượng người dự tập huấn năm 2027.",
            status_word="",
        ),
        line(LineKind.PAST_PROVISIONAL, "II.2", provisional=True, days=-3),
        line(LineKind.FIX_DATE, "IV.1", provisional=True, **later),
        line(LineKind.OPENED, "I.2", **later),
        line(LineKind.CHECK_IN, "II.4", period_key="2027-Q1", period_label="quý I/2027"),
        line(
            LineKind.DATE_CHANGED,
            "V.1",
            note="Điều chỉnh kế hoạch năm.",
            previous_due_on=date(2027, 4, 15),
            document="12/SNV-CCHC",
            **later,
        ),
        line(LineKind.EXTENSION_DECIDED, "II.2", note="Đồng ý gia hạn.", **later),
        line(LineKind.CONTRIBUTED, "V.1", note="Sở Tài chính: nhất trí với dự thảo.", **later),
        line(LineKind.OBSTACLE_ANSWERED, "II.2", note="Đồng ý dùng số liệu tạm tính.", **later),
        *finding_lines(),
        line(LineKind.CONFIRMED, "I.1", status_word="Đã xác nhận hoàn thành", **later),
        line(LineKind.RECORD_INVITE, "I.1", period_key="2026", period_label="năm 2026"),
        line(LineKind.RECORD_REMIND, "I.2", period_key="2026", period_label="năm 2026"),
        line(LineKind.LAPSED, "II.4", period_key="2026-Q4", period_label="quý IV/2026", days=-60),
    )


def openings() -> DigestLetter:
    """Monday's openings of a year, with their calendar file."""
    later = {"due_on": date(2027, 6, 30), "days": 68}
    lines = (line(LineKind.OPENED), line(LineKind.OPENED, "I.2", **later))
    events = tuple(
        DueEvent(
            assignment_id=opened.assignment_id,
            round=1,
            sequence=0,
            due_on=opened.due_on,
            item=opened.item,
            item_task=opened.item_task,
            period_label=opened.period_label,
            agency_name=opened.agency_name,
        )
        for opened in lines
    )
    return digest(*lines, calendar=Calendar(events=events, stamp=INSTANT))


def to_the_head() -> DigestLetter:
    """Overdue by six working days: once to the head as well."""
    return digest(
        line(LineKind.OVERDUE, due_on=date(2027, 3, 16), days=-6, rung=6), audience=Audience.HEAD
    )


def item_ref(item: str = "I.1") -> ItemRef:
    """An item of 2027 with its date."""
    return ItemRef(
        item=item, item_task=TASKS[item], period_label="năm 2027", due_on=date(2027, 3, 31)
    )


def returned() -> ReturnedLetter:
    """A return with its reason."""
    return ReturnedLetter(
        **_ADDRESS,
        item=item_ref(),
        reason="- Số, ngày của văn bản phân công.\n- Danh sách công chức được phân công.",
        respond_by=date(2027, 4, 9),
    )


def extension(*, granted: bool) -> ExtensionLetter:
    """A decision on an extension."""
    moved = replace(item_ref(), due_on=date(2027, 4, 15)) if granted else item_ref()
    event = DueEvent(
        assignment_id="I.1-2027-xa-van-ninh",
        round=1,
        sequence=1,
        due_on=moved.due_on,
        item=moved.item,
        item_task=moved.item_task,
        period_label=moved.period_label,
        agency_name="Xã Vạn Ninh",
    )
    return ExtensionLetter(
        **_ADDRESS,
        item=moved,
        granted=granted,
        asked_for=date(2027, 4, 15),
        previous_due_on=date(2027, 3, 31),
        reason="Xã vừa kiện toàn tổ chức."
        if granted
        else "Văn bản đã có dự thảo, đủ thời gian hoàn thành trong hạn.",
        document="125/SNV-CCHC ngày 24/3/2027" if granted else None,
        calendar=Calendar(events=(event,), stamp=INSTANT) if granted else None,
    )


def receipt() -> ReceiptLetter:
    """A receipt with documents and a file."""
    return ReceiptLetter(
        **_ADDRESS,
        item=item_ref(),
        received_at=INSTANT,
        receipt_code="TN-2027-000123",
        submitted_by="Nguyễn Thị A, Công chức Văn phòng HĐND và UBND",
        summary="Đã ban hành văn bản phân công công chức làm công tác cải cách hành chính.",
        status_word="Chờ xác nhận",
        documents=("45/QĐ-UBND ngày 22/3/2027",),
        files=("45-qd-ubnd.pdf (245 KB)",),
        timeliness_word="Hoàn thành đúng hạn",
    )


def monday() -> MondaySummary:
    """The coordinator's Monday."""
    address = _ADDRESS | {
        "to_address": "cchc@sonoivu.test",
        "formal_name": "Sở Nội vụ",
        "short_name": "Sở Nội vụ",
        "link": SENDER.portal_url,
        "day": date(2027, 4, 5),
    }
    rows = (
        SummaryRow(agency_name="Xã Vạn Ninh", item="I.1", detail="đã chờ 6 ngày làm việc"),
        SummaryRow(agency_name="Phường Nha Trang", item="I.1", detail="đã chờ 3 ngày làm việc"),
    )
    fix = SummaryRow(agency_name="Sở Nội vụ", item="II.2", detail="mốc dự kiến 30/4/2027")
    urge = SummaryRow(agency_name="Xã Đại Lãnh", item="I.1", detail="quá hạn 31 ngày làm việc")
    return MondaySummary(
        **address,
        year=2027,
        cells=FourCells(on_time=1061, late=7, open_in_time=85, open_overdue=4),
        closed_last_week=61,
        sections=(
            SummarySection(topic=SummaryTopic.CONFIRM, total=12, rows=rows),
            SummarySection(topic=SummaryTopic.URGE, total=1, rows=(urge,)),
            SummarySection(topic=SummaryTopic.FIX_DATES, total=1, rows=(fix,)),
        ),
    )


def fresh_link() -> LinkLetter:
    """A fresh link, asked for."""
    return LinkLetter(**_ADDRESS, requested_at=INSTANT)


def handover(*, receiving: bool) -> HandoverLetter:
    """Another focal point, as the new one and the old one read it."""
    links = {} if receiving else {"link": SENDER.portal_url, "link_expires_on": None}
    return HandoverLetter(
        **(_ADDRESS | links),
        new_name="Trần Thị B",
        new_post="Công chức Văn phòng HĐND và UBND",
        previous_name="Nguyễn Thị A",
        since=DAY,
        receiving=receiving,
    )


CHECKPOINT_NOTE: Final = """\
sonoivu.test/lich-su
12480
n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=
time 2027-03-24T00:45:00.000000Z
after 12455

— sonoivu.test/lich-su bWF1IGNodSBreSBjaHUga2hvbmcgcGhhaSBjaHUga3kgdGhhdCwgZGUgdGh1IGhpbmggdGh1Yw==
"""


def checkpoint(*, wrong: bool = False) -> CheckpointLetter:
    """The day's checkpoint, after a verification."""
    return CheckpointLetter(
        to_address="thanhtra@sonoivu.test",
        sender=SENDER,
        at=INSTANT,
        size=12480,
        pending=3,
        note=CHECKPOINT_NOTE,
        link="https://tiendo.sonoivu.test/kiem-tra/lich-su",
        verified_at=INSTANT,
        wrong=int(wrong),
        summary="Sự kiện số 7 (vị trí 6 trong nhật ký niêm phong) đã bị sửa nội dung sau khi ghi."
        if wrong
        else "",
    )


def operator_notice() -> OperatorNotice:
    """A delivery run that could not reach its server."""
    return OperatorNotice(
        to_address="vanhanh@sonoivu.test",
        sender=SENDER,
        title="Không gửi được thư hằng ngày",
        happened_at=INSTANT,
        summary="Máy chủ thư từ chối đăng nhập. 69 thư vẫn nằm trong hàng đợi, chưa thư nào bị mất.",
        facts=(
            Fact(label="Máy chủ", value="smtp.sonoivu.test:587"),
            Fact(label="Câu trả lời", value="535 5.7.8 Authentication failed"),
        ),
        steps=(
            "Kiểm tra tài khoản, mật khẩu SMTP trong cấu hình.",
            "Chạy lại lượt gửi thư; thư còn trong hàng đợi sẽ được gửi tiếp.",
        ),
        url=SENDER.portal_url,
    )


def sample_letters() -> dict[str, Rendered]:
    """Every message, some in two forms, by a name for people who preview them."""
    own = {"formal_name": "Sở Nội vụ", "short_name": "Sở Nội vụ", "agency": "so-noi-vu"}
    return {
        "digest": render_digest(digest(*full_lines())),
        "digest-one": render_digest(digest(line(rung=-5))),
        "digest-openings": render_digest(openings()),
        "digest-overdue": render_digest(digest(line(LineKind.OVERDUE, days=-2))),
        "digest-head": render_digest(to_the_head()),
        "digest-coordinator": render_digest(
            digest(*full_lines(), audience=Audience.COORDINATOR, link=SENDER.portal_url, **own)
        ),
        "returned": render_returned(returned()),
        "extension_decision": render_extension_decision(extension(granted=True)),
        "extension_decision-refused": render_extension_decision(extension(granted=False)),
        "receipt": render_receipt(receipt()),
        "monday_summary": render_monday_summary(monday()),
        "checkpoint": render_checkpoint(checkpoint()),
        "checkpoint-wrong": render_checkpoint(checkpoint(wrong=True)),
        "operator_notice": render_operator_notice(operator_notice()),
        "link": render_link(fresh_link()),
        "handover-new": render_handover(handover(receiving=True)),
        "handover-old": render_handover(handover(receiving=False)),
    }
