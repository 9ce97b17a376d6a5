"""Each limit at each door: by account, by a letter's link, by the API, entered, and by deciders.

The same input gets the same Vietnamese reason wherever it comes in, and nothing is written
(rules 20 to 26). Decisions are people's, so they are tried at the pages of those who decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any, Final

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy.orm import Session

from models.tables import Assignment, PlanVersion
from operations.act import act
from operations.acting import ActRequest
from operations.extension_decisions import Decision, decide_extension
from operations.extensions import ask_extension
from operations.results import Paper, Result
from operations.stamp import Stamp
from operations.state import PLAN_ADAPTER
from portal.permissions import Visitor
from rules.asked import Figure, RequiredOutcome
from rules.lifecycle import Action
from tests import portal_site, world
from tests.portal_site import Site, mark_of

WORK, ASKING = "I.1/xa_van_ninh", "II.5/xa_van_ninh"
"""A plain piece of work of the commune's, and one that asks for figures and an outcome."""
WHO: Final = {"who_name": "Nguyễn Thị Hoa", "who_post": "Công chức"}
FULL: Final = {"text": "Đã ban hành.", "document": "125/QĐ-UBND", "issued_on": "26/2/2027"}
LATE = date(2027, 4, 12)
ASKED: Final = {"until": "30/4/2027", "reason": "Chờ nhân sự."}
NUMBERS: Final = {"figure.staff": "10", "figure.trained": "9"}
PRAISE: Final = {"outcome.praise.document": "7/QĐ-UBND", "outcome.praise.issued_on": "26/2/2027"}
AGENCY_DOORS: Final = ("api", "account", "link", "entered")


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal with open work; II.5 asks for two figures and an outcome."""
    with portal_site.site(database_url, tmp_path) as found:
        found.write(_ask_for_more)
        yield found


def _ask_for_more(session: Session) -> None:
    stored = session.get_one(PlanVersion, (world.PLAN, 1))
    plan = PLAN_ADAPTER.validate_json(stored.content)
    figures = (
        Figure(key="staff", label="Tổng số công chức", required=True),
        Figure(key="trained", label="Đã tập huấn", required=True, of="staff"),
    )
    outcomes = (RequiredOutcome(key="praise", label="Biểu dương"),)
    items = tuple(
        replace(one, calendar=replace(one.calendar, figures=figures, outcomes=outcomes))
        if one.key == "II.5"
        else one
        for one in plan.items
    )
    stored.content = PLAN_ADAPTER.dump_json(replace(plan, items=items)).decode()


def stamped(site: Site, stamp: Stamp) -> Stamp:
    """The same person at the portal's hour."""
    return replace(stamp, at=site.clock.now())


def file_result(site: Site, *, confirm: bool = False) -> None:
    """The commune's result stands, filed by it or entered for it, and confirmed where asked."""
    paper = Paper(code="125/QĐ-UBND", issued_on=date(2027, 2, 26))
    result = Result(text="Đã ban hành.", papers=(paper,))
    number = site.work[WORK]

    def do(session: Session) -> None:
        filer = stamped(site, world.agency())
        act(session, filer, number, Action.SUBMIT, ActRequest(result=result))
        if confirm:
            act(session, stamped(site, world.coordinator()), number, Action.CONFIRM)

    site.write(do)


def confirmed(site: Site) -> None:
    """The commune's result is confirmed."""
    file_result(site, confirm=True)


def ask(site: Site) -> int:
    """The commune has asked for another date."""
    stamp = stamped(site, world.agency())
    return site.write(
        lambda session: ask_extension(
            session, stamp, site.work[WORK], until=date(2027, 4, 30), reason="Chờ hướng dẫn."
        )
    ).request


def asked(site: Site) -> None:
    """A request waits."""
    ask(site)


def ask_after_the_cap(site: Site) -> None:
    """One extension was granted, as many as there may be, and another is asked for."""
    first, grant = ask(site), Decision(grant=True, reason="Hợp lý.")
    stamp = stamped(site, world.coordinator())
    site.write(lambda session: decide_extension(session, stamp, first, grant))
    stamp = stamped(site, world.agency())
    site.write(
        lambda session: ask_extension(
            session, stamp, site.work[WORK], until=date(2027, 5, 31), reason="Chờ thêm."
        )
    )


def overdue(site: Site) -> None:
    """The due date has passed."""
    site.clock.instant += LATE - world.TODAY


def started(site: Site) -> None:
    """The work is one version further than where the door looked."""
    stamp = stamped(site, world.agency())
    site.write(lambda session: act(session, stamp, site.work[WORK], Action.START))


def nothing(_site: Site) -> None:
    """As it was opened."""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What an agency may not do: how it would be asked for, and the reason it hears."""

    told: str
    deed: str
    form: Mapping[str, str]
    work: str = WORK
    before: Callable[[Site], None] = nothing
    version: int | None = None
    """The version that the door looked at; None the one that is there."""

    @property
    def doors(self) -> tuple[str, ...]:
        """Where it can be tried: nobody enters "không thay đổi" or a withdrawal for others."""
        return AGENCY_DOORS if self.deed in {"cap-nhat", "gia-han"} else AGENCY_DOORS[:3]


LIMITS: Final[Mapping[str, Limit]] = {
    "result without text": Limit(
        deed="cap-nhat",
        form=FULL | {"text": " "},
        told="Đề nghị ghi tóm tắt kết quả thực hiện.",
    ),
    "result without document": Limit(
        deed="cap-nhat",
        form={"text": "Đã ban hành."},
        told="Cần ít nhất một tài liệu kiểm chứng: số và ngày văn bản, hoặc một tệp đính kèm.",
    ),
    "document without date": Limit(
        deed="cap-nhat",
        form=FULL | {"issued_on": ""},
        told="Đề nghị ghi ngày ban hành của văn bản 125/QĐ-UBND, dạng ngày/tháng/năm.",
    ),
    "date without document": Limit(
        deed="cap-nhat",
        form=FULL | {"document": ""},
        told="Đã có ngày văn bản; đề nghị ghi cả số, ký hiệu.",
    ),
    "document code that is too long": Limit(
        deed="cap-nhat",
        form=FULL | {"document": "125/QĐ-" + "UBND" * 20},
        told="",
    ),
    "document of tomorrow": Limit(
        deed="cap-nhat",
        form=FULL | {"issued_on": "2/3/2027"},
        told="Đề nghị nhập ngày ban hành đã có, không muộn hơn hôm nay.",
    ),
    "document of tomorrow, said to be in force": Limit(
        deed="khong-thay-doi",
        form=FULL | {"text": "", "issued_on": "2/3/2027"},
        told="Đề nghị nhập ngày ban hành đã có, không muộn hơn hôm nay.",
    ),
    "in force without document": Limit(
        deed="khong-thay-doi",
        form={},
        told="Đề nghị ghi số, ký hiệu văn bản đang còn hiệu lực.",
    ),
    "figure above its denominator": Limit(
        work=ASKING,
        deed="cap-nhat",
        form=FULL | PRAISE | {"figure.staff": "10", "figure.trained": "11"},
        told="“Đã tập huấn” là một phần của “Tổng số công chức” nên không thể lớn hơn: đã nhập "
        "11 trên 10. Đề nghị kiểm tra lại.",
    ),
    "figure missing": Limit(
        work=ASKING,
        deed="cap-nhat",
        form=FULL | PRAISE | {"figure.staff": "10"},
        told="Đề nghị nhập số liệu “Đã tập huấn”.",
    ),
    "required outcome missing": Limit(
        work=ASKING,
        deed="cap-nhat",
        form=FULL | NUMBERS,
        told="“Biểu dương”: đề nghị ghi số, ký hiệu văn bản, hoặc lý do không phát sinh.",
    ),
    "unchanged where this year's figures are asked for": Limit(
        work=ASKING,
        deed="khong-thay-doi",
        form=FULL,
        told="thay đổi so với năm trước”; đề nghị cập nhật kết quả.",
    ),
    "extension without reason": Limit(
        deed="gia-han",
        form=ASKED | {"reason": ""},
        told="Đề nghị nêu lý do xin gia hạn.",
    ),
    "extension to an earlier date": Limit(
        deed="gia-han",
        form=ASKED | {"until": "1/3/2027"},
        told="Hạn mới phải sau hạn đang áp dụng 31/3/2027; ngày đã nhập: 1/3/2027.",
    ),
    "extension while overdue without giải trình": Limit(
        deed="gia-han",
        form=ASKED,
        before=overdue,
        told="Nhiệm vụ đã quá hạn 31/3/2027; đề nghị giải trình nguyên nhân cùng với đề nghị "
        "gia hạn.",
    ),
    "second open request": Limit(
        deed="gia-han",
        form=ASKED,
        before=asked,
        told="Đã có đề nghị gia hạn ngày 1/3/2027 đang chờ trả lời; đề nghị rút đề nghị đó "
        "trước khi gửi đề nghị mới.",
    ),
    "extension after ended work": Limit(
        deed="gia-han",
        form=ASKED,
        before=confirmed,
        told="Không thể đề nghị gia hạn khi trạng thái là “Đã xác nhận hoàn thành”.",
    ),
    "old version of a result": Limit(
        deed="cap-nhat",
        form=FULL,
        before=started,
        version=1,
        told="Nội dung này đã được cập nhật bởi Cán bộ Xã Vạn Ninh lúc 09 giờ 00 ngày 1/3/2027.",
    ),
    "old version of a request": Limit(
        deed="gia-han",
        form=ASKED,
        before=started,
        version=1,
        told="Nội dung này đã được cập nhật bởi Cán bộ Xã Vạn Ninh lúc 09 giờ 00 ngày 1/3/2027.",
    ),
    "old version of work that has moved on": Limit(
        deed="rut-lai",
        form={},
        before=confirmed,
        version=2,
        told="Nội dung này đã được cập nhật bởi Điều phối viên lúc 09 giờ 00 ngày 1/3/2027.",
    ),
    "withdraw after confirmation": Limit(
        deed="rut-lai",
        form={},
        before=confirmed,
        told="Không thể “Rút lại kết quả” khi trạng thái là “Đã xác nhận hoàn thành”.",
    ),
}
ACTIONS: Final = {"cap-nhat": "submit", "khong-thay-doi": "no_change", "rut-lai": "withdraw"}


def iso(text: str) -> str:
    """A day as the API takes it."""
    day, month, year = text.split("/")
    return f"{year}-{int(month):02}-{int(day):02}"


def paper_body(form: Mapping[str, str], start: str = "") -> dict[str, str]:
    """A document of a form as JSON."""
    found = {}
    if code := form.get(f"{start}document"):
        found["code"] = code
    if day := form.get(f"{start}issued_on"):
        found["issued_on"] = iso(day)
    return found


def body_of(limit: Limit) -> dict[str, Any]:
    """What a program would send instead of the form."""
    form = limit.form
    if limit.deed == "gia-han":
        said = {"reason": form["reason"]} if form["reason"] else {}
        return said | {"until": iso(form["until"])}
    found: dict[str, Any] = {"text": form["text"]} if form.get("text") else {}
    found |= {"documents": [paper]} if (paper := paper_body(form)) else {}
    figures = {
        name.removeprefix("figure."): text
        for name, text in form.items()
        if name.startswith("figure.")
    }
    found |= {"figures": figures} if figures else {}
    outcome = paper_body(form, "outcome.praise.")
    return found | ({"outcomes": {"praise": outcome}} if outcome else {})


def version_now(site: Site, work: str) -> int:
    return site.read(lambda session: session.get_one(Assignment, site.work[work]).version)


def post(browser: TestClient, page: str, path: str, form: Mapping[str, str]) -> Response:
    """Send a form with the mark of another page, for ended work shows none."""
    answer: Response = browser.post(path, data={"mark": mark_of(browser.get(page)), **form})
    return answer


def at_door(site: Site, door: str, limit: Limit, *, version: int) -> Callable[[], Response]:
    """The same input on its way in by ``door``; everything but the last step is done."""
    number, other = site.work[limit.work], site.work[ASKING]
    form = {**limit.form, "version": str(version)}
    if door == "api":
        program = site.program(site.api_token())
        body = body_of(limit) | {"version": version}
        if limit.deed == "gia-han":
            body |= {"assignment": number}
            return lambda: program.post("/api/v1/extensions", json=body)
        path = f"/api/v1/assignments/{number}/actions/{ACTIONS[limit.deed]}"
        return lambda: program.post(path, json=body)
    if door == "entered":
        staff, base = site.logged_in(Visitor.COORDINATOR), "/dieu-phoi/nhap-thay"
        form |= {"entered_channel": "Văn bản giấy"}
        deed = "nhap-thay" if limit.deed == "cap-nhat" else limit.deed
        return lambda: post(staff, f"{base}/{other}", f"{base}/{number}/{deed}", form)
    if door == "account":
        browser, base = site.logged_in(Visitor.AGENCY), "/co-quan"
    else:
        browser, base = site.browser(), site.link(days=200)
        # The first post by a link is the proof of notice, and that is written (rule 34).
        post(browser, f"{base}/viec/{other}", f"{base}/viec/{other}/bat-dau", {"version": "99"})
    path = f"{base}/viec/{number}/{limit.deed}"
    return lambda: post(browser, f"{base}/viec/{other}", path, {**form, **WHO})


def words_of(answer: Response) -> str:
    """What an answer says to people."""
    kind = answer.headers["content-type"]
    return (
        str(answer.json()["detail"]) if "json" in kind else " ".join(unescape(answer.text).split())
    )


@pytest.mark.parametrize("name", LIMITS)
def test_an_agency_hears_the_same_reason_at_each_door_and_nothing_is_written(
    site: Site, name: str
) -> None:
    """Rules 20, 21, 23, 26, 41."""
    limit = LIMITS[name]
    limit.before(site)
    told = limit.told
    for door in limit.doors:
        current = version_now(site, limit.work)
        version = current if limit.version is None else limit.version
        knock = at_door(site, door, limit, version=version)
        counts = site.counts()
        answer = knock()
        said = words_of(answer)
        assert answer.status_code in {409, 422}, f"{door}: {answer.status_code} {said[:300]}"
        told = told or said  # the API speaks first, the others say the same
        assert told in said, f"{door} says otherwise: {said[:1500]}"
        assert site.counts() == counts, door
        assert version_now(site, limit.work) == current, door


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What those who decide may not do."""

    told: str
    deed: str
    form: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[Site], None] = nothing
    pages: tuple[str, ...] = ("",)
    status: int = 422
    stale: bool = False


QUEUE: Final = ("", "/dieu-phoi")
DECISIONS: Final[Mapping[str, Decided]] = {
    "return without reason": Decided(
        deed="tra-lai", before=file_result, pages=QUEUE, told="cần nêu rõ lý do."
    ),
    "reopen without due date": Decided(
        deed="mo-lai",
        form={"reason": "Ghi nhầm văn bản"},
        before=confirmed,
        told="Mở lại cần hạn mới, sau hôm nay, dạng ngày/tháng/năm.",
    ),
    "reopen with a due date of today": Decided(
        deed="mo-lai",
        form={"reason": "Ghi nhầm văn bản", "due_on": "1/3/2027"},
        before=confirmed,
        told="Mở lại cần hạn mới, sau hôm nay, dạng ngày/tháng/năm.",
    ),
    "reopen without reason": Decided(
        deed="mo-lai",
        form={"due_on": "30/6/2027"},
        before=confirmed,
        told="“Mở lại” cần nêu rõ lý do.",
    ),
    "reopen on a day that nobody knows": Decided(
        deed="mo-lai",
        form={"reason": "Ghi nhầm văn bản", "due_on": "30/6/2045"},
        before=confirmed,
        told="Ngày 30/6/2045 nằm ngoài lịch ngày nghỉ đã có",
    ),
    "suspend without document": Decided(
        deed="tam-dung",
        form={"reason": "Chờ luật mới"},
        told="Tạm dừng cần có văn bản: đề nghị ghi số, ký hiệu văn bản cho phép tạm dừng.",
    ),
    "suspend without reason": Decided(
        deed="tam-dung", form={"document": "12/SNV-CCHC"}, told="cần nêu rõ lý do."
    ),
    "waive without reason": Decided(deed="khong-phat-sinh", told="cần nêu rõ lý do."),
    "cancel without reason": Decided(deed="thoi-theo-doi", told="cần nêu rõ lý do."),
    "extension beyond the cap without a reason of its own": Decided(
        deed="dong-y-gia-han",
        form={"reason": "Hợp lý"},
        before=ask_after_the_cap,
        pages=QUEUE,
        told="Nhiệm vụ đã được gia hạn 1 lần, mức tối đa là 1; để gia hạn thêm, đề nghị nêu lý do "
        "vượt số lần gia hạn.",
    ),
    "extension refused without reason": Decided(
        deed="khong-gia-han",
        before=asked,
        pages=QUEUE,
        told="Đề nghị nêu lý do của quyết định.",
    ),
    "confirmation of an older version": Decided(
        deed="xac-nhan",
        before=file_result,
        pages=QUEUE,
        stale=True,
        status=409,
        told="Nội dung này đã được cập nhật bởi Cán bộ Xã Vạn Ninh lúc 09 giờ 00 ngày 1/3/2027.",
    ),
}


def decide(site: Site, desk: TestClient, page: str, one: Decided) -> Response:
    number = site.work[WORK]
    version = 1 if one.stale else version_now(site, WORK)
    path = f"{page}/viec/{number}/{one.deed}"
    return post(desk, f"/viec/{site.work[ASKING]}", path, {**one.form, "version": str(version)})


TWO_STEPS: Final = frozenset({"mo-lai", "khong-phat-sinh", "thoi-theo-doi", "dong-y-gia-han"})
"""Decisions of which a policy may make a proposal first."""


@pytest.mark.parametrize(
    ("name", "proposes"),
    [
        (name, proposes)
        for name, one in DECISIONS.items()
        for proposes in ((False, True) if one.deed in TWO_STEPS else (False,))
    ],
)
def test_a_decision_beyond_the_limits_is_refused_on_each_page_and_writes_nothing(
    site: Site, name: str, proposes: bool
) -> None:
    """Rules 20, 22, 23, 25, 26; a proposal is no way around them."""
    one = DECISIONS[name]
    one.before(site)
    if proposes:
        two = ("waive", "reopen", "cancel", "extend")
        site.write(lambda session: world.set_policies(session, two_step=two))
    desk = site.logged_in(Visitor.COORDINATOR)
    for page in one.pages:
        before, version = site.counts(), version_now(site, WORK)
        answer = decide(site, desk, page, one)
        assert answer.status_code == one.status, words_of(answer)[:300]
        assert one.told in words_of(answer)
        assert (site.counts(), version_now(site, WORK)) == (before, version)


@pytest.mark.parametrize("deed", ["xac-nhan", "tra-lai"])
def test_nobody_decides_on_a_result_that_they_entered_themselves(site: Site, deed: str) -> None:
    """Rule 20: on the work's own page and in the queue alike."""
    desk, number = site.logged_in(Visitor.COORDINATOR), site.work[WORK]
    form = {**FULL, "version": "1", "entered_channel": "Zalo"}
    path = f"/dieu-phoi/nhap-thay/{number}/nhap-thay"
    assert post(desk, f"/dieu-phoi/nhap-thay/{number}", path, form).status_code == 303
    own = Decided(
        deed=deed,
        form={"reason": "Thiếu"},
        told="Người đã cập nhật hoặc nhập thay kết quả không tự xác nhận hay trả lại kết quả đó.",
    )
    before, version = site.counts(), version_now(site, WORK)
    for page in QUEUE:
        answer = decide(site, desk, page, own)
        assert answer.status_code == 403
        assert own.told in words_of(answer)
        assert (site.counts(), version_now(site, WORK)) == (before, version)
    other = site.logged_in(Visitor.COORDINATOR, username="nguoi-khac")
    assert decide(site, other, "", own).status_code == 303


@pytest.mark.parametrize("door", AGENCY_DOORS)
def test_the_same_input_within_the_limits_is_taken_at_each_door(site: Site, door: str) -> None:
    """What was refused above was refused for its fault alone."""
    good = Limit(work=ASKING, deed="cap-nhat", form=FULL | NUMBERS | PRAISE, told="")
    assert at_door(site, door, good, version=1)().status_code in {200, 303}
