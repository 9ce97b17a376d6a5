"""What people try and must not succeed in: each is refused, and nothing of it stays (20, 21, 26, 34)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from models.tables import Assignment
from operations.act import ActRequest, act
from operations.extensions import ask_extension
from operations.links import LinkPurpose, check
from operations.results import Paper, Result
from rules.actors import AccountRole
from rules.lifecycle import LEAD_STATUSES, OPEN, Action, Status
from simulator.agency_deeds import SECRET, by_link, file
from simulator.deeds import deed
from simulator.scene import NothingToDo, Scene, account


@deed(1, wrong=True)
def submit_nothing(scene: Scene) -> None:
    row = scene.work()
    act(scene.session, scene.person(row.agency_key), row.id, Action.SUBMIT, ActRequest())


@deed(1, wrong=True)
def submit_a_document_of_tomorrow(scene: Scene) -> None:
    row = scene.work()
    result = scene.result(row.item_key, issued_on=scene.day + timedelta(days=1))
    request = ActRequest(result=result)
    act(scene.session, scene.person(row.agency_key), row.id, Action.SUBMIT, request)


@deed(1, wrong=True)
def submit_a_date_without_its_document(scene: Scene) -> None:
    row = scene.work()
    result = Result(text="Đã xong", papers=(Paper(issued_on=scene.day),))
    request = ActRequest(result=result)
    act(scene.session, scene.person(row.agency_key), row.id, Action.SUBMIT, request)


@deed(2, wrong=True)
def submit_twice(scene: Scene) -> None:
    """A form that is sent again: the second is refused, whatever became of the first."""
    row = scene.work()
    person = scene.person(row.agency_key)
    with scene.session.begin_nested() as first:
        file(scene, row, person)
        first.commit()
    file(scene, row, person)


@deed(1, wrong=True)
def submit_an_old_form(scene: Scene) -> None:
    row = scene.work(where=lambda one: one.version > 1)
    request = ActRequest(result=scene.result(row.item_key), expected_version=row.version - 1)
    act(scene.session, scene.person(row.agency_key), row.id, Action.SUBMIT, request)


@deed(2, wrong=True)
def submit_for_somebody_else(scene: Scene) -> None:
    row = scene.work()
    others = [one for one in scene.agencies() if one != row.agency_key]
    file(scene, row, scene.person(scene.one_of(others)))


@deed(2, wrong=True)
def use_somebody_elses_link(scene: Scene) -> None:
    agency = scene.one_of(scene.agencies())
    row = scene.work(where=lambda one: one.agency_key != agency)
    file(scene, row, by_link(scene, agency))


@deed(1, wrong=True)
def forge_a_link(scene: Scene) -> None:
    agency = scene.one_of(scene.agencies())
    text = scene.chance.choice(("a.b", "", "AAAA.BBBB.CCCC", agency))
    check(scene.session, text, LinkPurpose.WORK, scene.clerk().at, secret=SECRET)


@deed(1, wrong=True)
def submit_the_centres_work_by_link(scene: Scene) -> None:
    row = scene.work(where=lambda one: one.agency_key == scene.centre)
    file(scene, row, by_link(scene, scene.centre))


@deed(1, wrong=True)
def confirm_ones_own(scene: Scene) -> None:
    """Whoever entered a result for an agency confirms it (20)."""
    row = scene.work({Status.SUBMITTED}, where=lambda one: one.agency_key != scene.centre)
    clerk = scene.clerk(1)
    if scene.session.get_one(Assignment, row.id).submitted_by != clerk.actor.identity:
        raise NothingToDo
    act(scene.session, clerk, row.id, Action.CONFIRM)


@deed(1, wrong=True)
def confirm_as_an_agency(scene: Scene) -> None:
    row = scene.work({Status.SUBMITTED}, where=lambda one: one.agency_key != scene.centre)
    act(scene.session, scene.person(row.agency_key), row.id, Action.CONFIRM)


@deed(1, wrong=True)
def decide_as_an_auditor(scene: Scene) -> None:
    row = scene.work([*OPEN, Status.SUBMITTED])
    auditor = scene.stamp(account(AccountRole.AUDITOR, "thanh_tra", 1))
    action = scene.chance.choice((Action.CONFIRM, Action.WAIVE, Action.SUBMIT, Action.START))
    request = ActRequest(reason="Thử", result=scene.result(row.item_key))
    act(scene.session, auditor, row.id, action, request)


@deed(1, wrong=True, centre=True)
def decide_without_a_reason(scene: Scene) -> None:
    row = scene.work()
    action = scene.chance.choice((Action.WAIVE, Action.CANCEL, Action.SUSPEND))
    request = ActRequest(document="1/UBND-NC")
    act(scene.session, scene.decider(row.agency_key), row.id, action, request)


@deed(1, wrong=True)
def act_on_what_has_ended(scene: Scene) -> None:
    ended = LEAD_STATUSES - OPEN - {Status.SUBMITTED, Status.SUSPENDED}
    row = scene.work(ended)
    file(scene, row, scene.person(row.agency_key))


@deed(1, wrong=True)
def ask_for_a_day_that_has_passed(scene: Scene) -> None:
    row = scene.work()
    until = min(row.due_on, scene.day) - timedelta(days=9)
    person = scene.person(row.agency_key)
    ask_extension(
        scene.session, person, row.id, until=until, reason="Chưa xong", explanation="Nhiều việc"
    )


@deed(1, wrong=True)
def cover_oneself(scene: Scene) -> None:
    row = scene.work()
    act(
        scene.session,
        scene.person(row.agency_key),
        row.id,
        Action.COVER,
        ActRequest(covered_by=row.id),
    )


@deed(1, wrong=True)
def enter_for_an_agency_without_saying_how(scene: Scene) -> None:
    row = scene.work(where=lambda one: one.agency_key != scene.centre)
    result = replace(scene.result(row.item_key), entered_channel="")
    act(scene.session, scene.clerk(1), row.id, Action.SUBMIT, ActRequest(result=result))
