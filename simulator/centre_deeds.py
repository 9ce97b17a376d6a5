"""What the coordinator and its leadership do with the work of others and with their own (20-25)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from models.tables import (
    Assignment,
    Contact,
    ContactKind,
    ExtensionRequest,
    Finding,
    LetterState,
    Mailbox,
    Obstacle,
    Proposal,
)
from models.tables import Letter as LetterRow
from operations.act import ActRequest, act
from operations.approvals import decide
from operations.contacts import set_contact
from operations.extension_decisions import Decision, approve_extension, decide_extension
from operations.finding_reports import MendedReport, report_finding, return_report
from operations.findings import NewFinding, close_finding, record_finding
from operations.obstacles import Answer, answer_obstacle, close_obstacle, consolidate_obstacles
from operations.outbox import release_held
from operations.parties import Addition, add_agency, drop_agency
from operations.rescheduling import reschedule
from operations.urging import Issued, record_urging
from reports.official.offices import Issuer
from rules.lifecycle import OPEN, Action, Status
from rules.values import Role
from simulator import town
from simulator.deeds import deed
from simulator.scene import NothingToDo, Scene


@deed(26, centre=True)
def confirm(scene: Scene) -> None:
    row = scene.work({Status.SUBMITTED})
    act(scene.session, scene.decider(row.agency_key), row.id, Action.CONFIRM)


@deed(7, centre=True)
def send_back(scene: Scene) -> None:
    row = scene.work({Status.SUBMITTED})
    by = scene.ahead(1, 20) if scene.chance.random() < 0.5 else None
    request = ActRequest(reason="Đề nghị bổ sung số liệu", respond_by=by)
    act(scene.session, scene.decider(row.agency_key), row.id, Action.RETURN, request)


@deed(4, centre=True)
def enter_for_an_agency(scene: Scene) -> None:
    row = scene.work(where=lambda one: one.agency_key != scene.centre)
    result = replace(scene.result(row.item_key), entered_channel="Zalo", entered_number="12")
    act(scene.session, scene.clerk(1), row.id, Action.SUBMIT, ActRequest(result=result))


@deed(2, centre=True)
def waive(scene: Scene) -> None:
    row = scene.work([*OPEN, Status.SUSPENDED])
    request = ActRequest(reason="Trong năm không phát sinh")
    act(scene.session, scene.decider(row.agency_key), row.id, Action.WAIVE, request)


@deed(2, centre=True)
def suspend(scene: Scene) -> None:
    row = scene.work()
    request = ActRequest(reason="Chờ sắp xếp bộ máy", document=scene.document("UBND-NC"))
    act(scene.session, scene.decider(row.agency_key), row.id, Action.SUSPEND, request)


@deed(3, centre=True)
def resume(scene: Scene) -> None:
    row = scene.work({Status.SUSPENDED})
    act(scene.session, scene.decider(row.agency_key), row.id, Action.RESUME)


@deed(1, centre=True)
def cancel(scene: Scene) -> None:
    row = scene.work([*OPEN, Status.SUBMITTED, Status.SUSPENDED])
    request = ActRequest(reason="Không còn nhiệm vụ")
    act(scene.session, scene.decider(row.agency_key), row.id, Action.CANCEL, request)


@deed(3, centre=True)
def reopen(scene: Scene) -> None:
    row = scene.work({Status.CONFIRMED, Status.COVERED, Status.NOT_APPLICABLE})
    request = ActRequest(reason="Kết quả chưa đúng", due_on=scene.ahead(5, 60))
    act(scene.session, scene.decider(row.agency_key), row.id, Action.REOPEN, request)


@deed(2, centre=True)
def move_one_date(scene: Scene) -> None:
    row = scene.work([*OPEN, Status.SUSPENDED])
    document = scene.document("SNV-CCHC") if scene.chance.random() < 0.5 else None
    reschedule(
        scene.session,
        scene.decider(row.agency_key),
        row.id,
        until=scene.ahead(0, 60),
        reason="Theo kế hoạch chung",
        document=document,
    )


@deed(6, centre=True)
def decide_on_longer(scene: Scene) -> None:
    number, agency = _request(scene, "asked")
    decision = Decision(
        grant=scene.chance.random() < 0.7,
        reason="Lý do phù hợp",
        document=scene.document("SNV-CCHC") if scene.chance.random() < 0.3 else None,
        cap_reason="Tình hình đặc biệt" if scene.chance.random() < 0.5 else None,
    )
    decide_extension(scene.session, scene.decider(agency), number, decision)


@deed(3, centre=True)
def approve_longer(scene: Scene) -> None:
    number, _ = _request(scene, "proposed")
    approve = scene.chance.random() < 0.8
    approve_extension(scene.session, scene.leader(), number, approve=approve, reason="Cân nhắc lại")


def _request(scene: Scene, state: str) -> tuple[int, str]:
    rows = scene.session.execute(
        select(ExtensionRequest.id, Assignment.agency_key)
        .join(Assignment, Assignment.id == ExtensionRequest.assignment_id)
        .where(ExtensionRequest.state == state)
    ).all()
    number, agency = scene.one_of([(one.id, one.agency_key) for one in rows])
    return number, agency


@deed(5, centre=True)
def second_step(scene: Scene) -> None:
    query = select(Proposal.id).where(Proposal.state == "proposed")
    number = scene.one_of(scene.session.scalars(query).all())
    approve = scene.chance.random() < 0.8
    decide(scene.session, scene.leader(), number, approve=approve, reason="Đã xem xét")


@deed(2, centre=True)
def let_another_take_part(scene: Scene) -> None:
    row = scene.work()
    role = scene.one_of([Role.LEAD, Role.PARTNER])
    addition = Addition(
        agency=scene.one_of(scene.agencies()),
        role=role,
        reason="Liên quan trực tiếp",
        due_on=scene.ahead(5, 60) if scene.chance.random() < 0.4 else None,
    )
    add_agency(scene.session, scene.clerk(), row.occurrence_id, addition)


@deed(1, centre=True)
def drop(scene: Scene) -> None:
    role = scene.one_of([Role.LEAD, Role.PARTNER])
    row = scene.work([*OPEN, Status.DORMANT, Status.REQUESTED], role=role)
    drop_agency(scene.session, scene.decider(row.agency_key), row.id, reason="Không liên quan")


@deed(4, centre=True)
def release(scene: Scene) -> None:
    query = select(LetterRow.id).where(LetterRow.state == LetterState.HELD.value).limit(1)
    if scene.session.scalar(query) is None:
        raise NothingToDo
    release_held(scene.session, scene.clerk())


@deed(3, centre=True)
def mend_an_address(scene: Scene) -> None:
    query = (
        select(Contact.agency_key, Contact.kind)
        .join(Mailbox, Mailbox.address == Contact.email)
        .where(Contact.active, Mailbox.state != "ok")
    )
    rows = scene.session.execute(query).all()
    agency, kind = scene.one_of([(one.agency_key, one.kind) for one in rows])
    scene.memory.addresses += 1
    wanted = town.contact(agency, ContactKind(kind), scene.memory.addresses)
    set_contact(scene.session, scene.clerk(), wanted)


@deed(2, centre=True)
def answer_an_obstacle(scene: Scene) -> None:
    query = select(Obstacle.id, Obstacle.state).where(
        Obstacle.state.in_(("raised", "consolidated"))
    )
    rows = scene.session.execute(query).all()
    number, state = scene.one_of([(one.id, one.state) for one in rows])
    if state == "raised" and scene.chance.random() < 0.3:
        code = scene.document("SNV-CCHC")
        consolidate_obstacles(scene.session, scene.clerk(), [number], document=code)
        return
    answer = Answer(text="Thực hiện theo hướng dẫn", document=scene.document("UBND-NC"))
    answer_obstacle(scene.session, scene.clerk(), number, answer)


@deed(0.5, centre=True)
def close_an_obstacle(scene: Scene) -> None:
    number = scene.one_of(scene.session.scalars(select(Obstacle.id)).all())
    close_obstacle(scene.session, scene.clerk(), number, reason="Đã giải quyết xong")


@deed(1, centre=True)
def enter_a_finding(scene: Scene) -> None:
    new = NewFinding(
        document=scene.document("KL-SNV"),
        text="Cần khắc phục việc chậm báo cáo",
        agency=scene.one_of(scene.agencies()),
        issued_on=scene.day - timedelta(days=2),
        due_on=scene.ahead(5, 60) if scene.chance.random() < 0.8 else None,
    )
    record_finding(scene.session, scene.clerk(1), new)


@deed(2)
def report_on_a_finding(scene: Scene) -> None:
    query = select(Finding.id, Finding.agency_key).where(Finding.state.in_(("open", "reported")))
    rows = scene.session.execute(query).all()
    number, agency = scene.one_of([(one.id, one.agency_key) for one in rows])
    report = MendedReport(text="Đã khắc phục", document=scene.document())
    report_finding(scene.session, scene.person(agency), number, report)


@deed(1.5, centre=True)
def close_a_finding(scene: Scene) -> None:
    rows = scene.session.scalars(select(Finding.id).where(Finding.state == "reported")).all()
    number = scene.one_of(rows)
    if scene.chance.random() < 0.3:
        return_report(scene.session, scene.clerk(2), number, reason="Chưa đủ tài liệu")
        return
    close_finding(scene.session, scene.clerk(2), number, fixed=True, reason="Đã kiểm tra lại")


@deed(0.7, centre=True)
def urge(scene: Scene) -> None:
    stamp = scene.clerk()
    letter = Issued(
        code=scene.document("SNV-CCHC"),
        issued_on=scene.day,
        issuer=Issuer.COORDINATOR,
        data_at=stamp.at,
    )
    record_urging(scene.session, stamp, scene.memory.plan, letter)
