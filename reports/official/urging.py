"""The "công văn đôn đốc": what is overdue, of whom, to be done by when, signed by a person.

What the system sends by itself is never called so: urging is an act between offices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from reports.official.late import LateLine, late_grid
from reports.official.model import Annex, Block, OfficialDocument, Paragraph, to_write
from reports.official.numbers import vn_count, vn_day, vn_moment
from reports.official.offices import Issuer, Office, letterhead, recipients, signature


@dataclass(frozen=True, slots=True, kw_only=True)
class UrgingFacts:
    """What the letter is made from, as known at ``at``; ``late`` is what it covers."""

    issuer: Issuer
    office: Office
    plan_title: str
    decision: str
    decision_on: date | None
    issued_by: str
    at: datetime
    on: date
    late: tuple[LateLine, ...]
    respond_by: date | None = None
    """The day by which the agencies are asked to answer; people set it."""

    @property
    def agencies(self) -> int:
        """How many agencies it goes to."""
        return len({one.agency for one in self.late})


def urging_letter(facts: UrgingFacts) -> OfficialDocument:
    """The letter as a draft; its number and day are given when it is issued."""
    ours = facts.office
    above = ("Như trên", "UBND tỉnh (báo cáo)")
    if facts.issuer is Issuer.PROVINCE:
        above = ("Như trên", "Chủ tịch, các PCT UBND tỉnh")
    return OfficialDocument(
        letterhead=letterhead(facts.issuer, ours, kind="", year=facts.on.year),
        kind="",
        subject=f"đôn đốc thực hiện nhiệm vụ quá hạn của Đề án theo Quyết định số {facts.decision}",
        addressees=("Các cơ quan, đơn vị tại Phụ lục",),
        blocks=tuple(_body(facts)),
        signature=signature(facts.issuer),
        recipients=recipients(facts.issuer, ours, *above),
        annexes=(
            Annex(
                number="",
                title="Danh mục nhiệm vụ quá hạn",
                blocks=(
                    late_grid(facts.late),
                    Paragraph(text=f"Số liệu lúc {vn_moment(facts.at)}.", note=True),
                ),
                sideways=True,
            ),
        ),
        at=facts.at,
    )


def _body(facts: UrgingFacts) -> Iterator[Block]:
    day = f" ngày {vn_day(facts.decision_on)}" if facts.decision_on else ""
    yield Paragraph(
        text=f"Thực hiện Quyết định số {facts.decision}{day} của {facts.issued_by} về việc ban "
        f"hành Đề án “{facts.plan_title}”, qua theo dõi, đến {vn_moment(facts.at)} còn "
        f"{vn_count(len(facts.late))} nhiệm vụ của {vn_count(facts.agencies)} cơ quan, đơn vị đã "
        "quá hạn nhưng chưa hoàn thành (danh mục tại Phụ lục kèm theo)."
    )
    who = (
        f"{facts.office.name} đề nghị"
        if facts.issuer is Issuer.COORDINATOR
        else f"Theo đề nghị của {facts.office.name}, Ủy ban nhân dân tỉnh yêu cầu"
    )
    by = vn_day(facts.respond_by) if facts.respond_by else to_write("ngày, tháng, năm")
    yield Paragraph(text=f"{who} các cơ quan, đơn vị có tên tại Phụ lục:")
    yield Paragraph(
        text=f"1. Khẩn trương hoàn thành nhiệm vụ, cập nhật kết quả và tài liệu kiểm chứng lên hệ "
        f"thống theo dõi, chậm nhất ngày {by}."
    )
    yield Paragraph(
        text="2. Trường hợp đã ban hành văn bản, cập nhật ngay số, ngày của văn bản. Trường hợp có "
        f"khó khăn, vướng mắc, nêu rõ nguyên nhân và thời gian hoàn thành, gửi {facts.office.name} "
        "để được xem xét, tổng hợp."
    )
    yield Paragraph(text=f"3. {to_write('yêu cầu khác; không có thì bỏ mục này')}")
    polite = "đề nghị" if facts.issuer is Issuer.COORDINATOR else "yêu cầu"
    issuer = facts.office.name if facts.issuer is Issuer.COORDINATOR else "Ủy ban nhân dân tỉnh"
    yield Paragraph(text=f"{issuer} {polite} các cơ quan, đơn vị quan tâm thực hiện./.")
