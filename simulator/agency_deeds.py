"""What agencies do: in time, late, together, by the link of a letter, and with second thoughts."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from models.tables import Assignment, Contact, ContactKind, ExtensionRequest
from operations.act import ActRequest, act
from operations.contacts import hand_over_focal, set_contact
from operations.extensions import ask_extension, withdraw_extension
from operations.links import LinkPurpose, check, mark_first_post
from operations.money import MoneyInput, set_money
from operations.obstacles import raise_obstacle
from operations.partners import (
    PartnerRequest,
    close_silence,
    contribute,
    dismiss,
    receive,
    request_contribution,
)
from operations.results import Paper, Result
from operations.stamp import Stamp
from rules.actors import Actor, ActorKind
from rules.lifecycle import OPEN, Action, Status
from rules.values import ItemKind, LeadMode, Role
from simulator import town
from simulator.deeds import deed
from simulator.scene import NothingToDo, Scene, Work

SECRET = "bí mật của mô phỏng, đủ dài để ký liên kết"  # noqa: S105 - of a scratch database


@deed(14)
def start(scene: Scene) -> None:
    row = scene.work({Status.NOT_STARTED})
    act(scene.session, scene.person(row.agency_key), row.id, Action.START)


@deed(30)
def submit(scene: Scene) -> None:
    row = scene.work()
    file(scene, row, scene.person(row.agency_key))


def file(scene: Scene, row: Work, stamp: Stamp) -> None:
    """File a result that is as it should be."""
    result = scene.result(row.item_key)
    kind = scene.state.plan.item(row.item_key).calendar
    if kind.kind is ItemKind.TASK and not kind.figures and not kind.outcomes:
        unchanged = scene.chance.random() < 0.15
        result = Result(papers=result.papers, unchanged=True) if unchanged else result
    request = ActRequest(result=result, expected_version=row.version)
    act(scene.session, stamp, row.id, Action.SUBMIT, request)


@deed(8)
def submit_by_link(scene: Scene) -> None:
    row = scene.work(where=lambda one: one.agency_key != scene.centre)
    file(scene, row, by_link(scene, row.agency_key))


def by_link(scene: Scene, agency: str) -> Stamp:
    """Whoever opened the link in the agency's newest letter; the first POST is noted (34).

    Raises:
        NothingToDo: no letter with a link has arrived there.
    """
    boxes = scene.session.scalars(
        select(Contact.email)
        .where(Contact.agency_key == agency, Contact.active, Contact.email.is_not(None))
        .order_by(Contact.id)
    ).all()
    text = next((found for box in boxes if (found := scene.link_in(box or ""))), None)
    if text is None:
        raise NothingToDo
    before = scene.person(agency)
    token = check(scene.session, text, LinkPurpose.WORK, before.at, secret=SECRET)
    actor = Actor(
        kind=ActorKind.MAILBOX,
        name="Người giữ hộp thư",
        post="Văn thư",
        mailbox=token.mailbox,
        agency=token.agency_key,
    )
    stamp = scene.stamp(actor)
    mark_first_post(scene.session, stamp, token)
    return stamp


@deed(3)
def withdraw(scene: Scene) -> None:
    row = scene.work({Status.SUBMITTED})
    act(scene.session, scene.person(row.agency_key), row.id, Action.WITHDRAW)


@deed(3)
def await_issuance(scene: Scene) -> None:
    row = scene.work({Status.IN_PROGRESS})
    act(scene.session, scene.person(row.agency_key), row.id, Action.AWAIT_ISSUANCE)


@deed(2)
def resume_after_waiting(scene: Scene) -> None:
    row = scene.work({Status.AWAITING_ISSUANCE})
    act(scene.session, scene.person(row.agency_key), row.id, Action.RESUME)


@deed(2)
def cover(scene: Scene) -> None:
    joint = LeadMode.JOINT_OR_SEPARATE.value
    row = scene.work(where=lambda one: one.lead_mode == joint)
    others = scene.works([*OPEN, Status.SUBMITTED, Status.CONFIRMED, Status.COVERED])
    same = [one.id for one in others if one.occurrence_id == row.occurrence_id and one != row]
    request = ActRequest(covered_by=scene.one_of(same))
    act(scene.session, scene.person(row.agency_key), row.id, Action.COVER, request)


@deed(6)
def ask_for_longer(scene: Scene) -> None:
    row = scene.work()
    until = max(row.due_on, scene.day) + timedelta(days=scene.chance.randint(1, 60))
    ask_extension(
        scene.session,
        scene.person(row.agency_key),
        row.id,
        until=until,
        reason="Chờ hướng dẫn của cấp trên",
        explanation="Khối lượng công việc lớn" if scene.chance.random() < 0.8 else None,
    )


@deed(1)
def ask_for_longer_no_more(scene: Scene) -> None:
    found = scene.session.execute(
        select(ExtensionRequest.id, Assignment.agency_key)
        .join(Assignment, Assignment.id == ExtensionRequest.assignment_id)
        .where(ExtensionRequest.state.in_(("asked", "proposed")))
        .order_by(ExtensionRequest.id)
    ).all()
    number, agency = scene.one_of([(one.id, one.agency_key) for one in found])
    withdraw_extension(scene.session, scene.person(agency), number)


@deed(8)
def ask_partners(scene: Scene) -> None:
    row = scene.work()
    partners = [
        one.id
        for one in scene.works(
            [Status.DORMANT, Status.REQUESTED, Status.UNANSWERED, Status.CONTRIBUTED],
            role=Role.PARTNER,
        )
        if one.occurrence_id == row.occurrence_id and one.agency_key != row.agency_key
    ]
    if not partners:
        raise NothingToDo
    some = scene.chance.sample(partners, scene.chance.randint(1, min(4, len(partners))))
    request = PartnerRequest(
        content="Đề nghị gửi số liệu",
        respond_by=scene.ahead(1, max(2, (row.due_on - scene.day).days)),
        document=scene.document("SNV-CCHC") if scene.chance.random() < 0.5 else None,
    )
    request_contribution(scene.session, scene.person(row.agency_key), row.id, some, request)


@deed(7)
def answer_as_partner(scene: Scene) -> None:
    row = scene.work({Status.REQUESTED, Status.DORMANT, Status.UNANSWERED}, role=Role.PARTNER)
    papers = (Paper(code=scene.document(), issued_on=scene.day),) if row.id % 2 else ()
    result = Result(text="Gửi số liệu phối hợp", papers=papers)
    contribute(scene.session, scene.person(row.agency_key), row.id, result)


def _asker(scene: Scene, row: Work) -> Stamp:
    """The lead that asked this partner, or any of its leads."""
    asked_by = scene.session.get_one(Assignment, row.id).requested_by
    leads = [one for one in scene.works(list(Status)) if one.occurrence_id == row.occurrence_id]
    keys = [one.agency_key for one in leads]
    if asked_by is None or asked_by not in keys:
        asked_by = str(scene.one_of(keys))
    return scene.person(asked_by)


@deed(3)
def mark_received(scene: Scene) -> None:
    row = scene.work({Status.CONTRIBUTED, Status.REQUESTED}, role=Role.PARTNER)
    result = Result(text="Đã nhận qua điện thoại", entered_channel="Điện thoại")
    receive(scene.session, _asker(scene, row), row.id, result)


@deed(1)
def need_no_partner(scene: Scene) -> None:
    row = scene.work({Status.DORMANT, Status.REQUESTED}, role=Role.PARTNER)
    dismiss(scene.session, _asker(scene, row), row.id, reason="Không cần nữa")


@deed(2)
def close_over_silence(scene: Scene) -> None:
    silent = scene.work({Status.REQUESTED}, role=Role.PARTNER)
    leads = [one for one in scene.works(list(Status)) if one.occurrence_id == silent.occurrence_id]
    number = scene.one_of([one.id for one in leads])
    lead = next(one for one in leads if one.id == number)
    person = scene.person(lead.agency_key)
    close_silence(scene.session, person, number, reason="Đã quá ngày đề nghị trả lời")


@deed(2)
def raise_an_obstacle(scene: Scene) -> None:
    row = scene.work()
    person = scene.person(row.agency_key)
    raise_obstacle(scene.session, person, text="Chưa có hướng dẫn", assignment_id=row.id)


@deed(1)
def say_what_it_costs(scene: Scene) -> None:
    row = scene.work([*OPEN, Status.SUBMITTED, Status.CONFIRMED])
    plan = scene.state.plan
    asked = MoneyInput(
        line=scene.one_of([one.key for one in plan.cost_lines]),
        source=scene.one_of([one.key for one in plan.cost_sources]),
        planned=scene.chance.randint(0, 500),
        spent=scene.chance.randint(0, 500),
    )
    set_money(scene.session, scene.person(row.agency_key), row.id, asked)


@deed(2)
def change_the_focal_point(scene: Scene) -> None:
    agency, memory = scene.one_of(scene.agencies()), scene.memory
    memory.addresses += 1
    hand_over_focal(
        scene.session,
        scene.person(agency),
        agency_key=agency,
        name=f"Đầu mối mới {memory.addresses}",
        post="Chuyên viên",
        email=town.address(agency, ContactKind.FOCAL, memory.addresses),
        phone="0258 3822 001",
    )


@deed(2)
def open_another_mailbox(scene: Scene) -> None:
    agency, memory = scene.one_of(scene.agencies()), scene.memory
    memory.addresses += 1
    wanted = town.contact(agency, ContactKind.MAILBOX, memory.addresses)
    set_contact(scene.session, scene.clerk(), wanted)
