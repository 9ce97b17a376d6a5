"""A form that lacks several things is told all of them at once, each by its field."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy.orm import Session

from models.tables import ContactKind
from operations.act import act
from operations.acting import ActRequest
from operations.added import AddedInput, add_work
from operations.api_tokens import NewToken, issue_token
from operations.contacts import ContactInput
from operations.errors import Checks, Conflict, Refused
from operations.findings import NewFinding, record_finding
from operations.handover import name_contact
from operations.open_data import OpenKind, set_switch
from operations.policies import set_policy
from operations.results import Result, check_figures, check_outcomes
from rules.asked import Figure
from rules.lifecycle import Action
from rules.values import RequiredOutcome
from tests import world


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    with world.opened(database_url) as found:
        world.open_work(found, "I.1", "2027")
        yield found


def _submit(session: Session) -> None:
    number = world.work_row(session, "I.1", "2027", world.A)
    act(session, world.coordinator(), number, Action.SUBMIT, ActRequest(result=Result(text="")))


def _suspend(session: Session) -> None:
    number = world.work_row(session, "I.1", "2027", world.A)
    act(session, world.coordinator(), number, Action.SUSPEND, ActRequest())


def _added(session: Session) -> None:
    empty = AddedInput(basis_code="", basis_on=None, task="", product="", due_on=None, leads=())
    add_work(session, world.coordinator(), world.PLAN, empty)


def _policy(session: Session) -> None:
    boss, name = world.leadership(), "extension_cap"
    set_policy(session, boss, world.PLAN, name, value="nhiều", basis="", reason="")


def _token(session: Session) -> None:
    empty = NewToken(name="", purpose="", agency=world.A, scopes=(), valid_to=None)
    issue_token(session, world.admin(), empty)


def _focal(session: Session) -> None:
    wanted = ContactInput(agency_key=world.A, kind=ContactKind.FOCAL, phone="12")
    name_contact(session, world.agency(), wanted)


CASES: tuple[tuple[Callable[[Session], object], tuple[str, ...]], ...] = (
    (_submit, ("entered_channel", "text", "document")),
    (_suspend, ("reason", "document")),
    (_added, ("basis_code", "basis_on", "task", "product", "due_on")),
    (_policy, ("value", "basis", "reason")),
    (_token, ("name", "purpose", "scopes", "valid_to")),
    (_focal, ("email", "name", "phone")),
    (
        lambda s: record_finding(
            s, world.coordinator(), NewFinding(document="", text="", agency="")
        ),
        ("document", "agency", "text"),
    ),
    (
        lambda s: set_switch(s, world.coordinator(), OpenKind.MATERIALS, is_open=True, basis=""),
        ("items", "basis"),
    ),
)


@pytest.mark.parametrize(("do", "fields"), CASES, ids=[one[1][0] for one in CASES])
def test_every_field_that_is_wrong_is_named(
    session: Session, do: Callable[[Session], object], fields: tuple[str, ...]
) -> None:
    with pytest.raises(Refused) as refused:
        do(session)
    assert tuple(one.field for one in refused.value.each) == fields
    assert all(str(one) in str(refused.value) for one in refused.value.each)


def test_every_figure_and_every_outcome_that_is_wrong_is_named() -> None:
    """(20) With their own fields."""
    figures = [Figure(key=key, label=key, unit="người") for key in ("a", "b", "c")]
    with pytest.raises(Refused) as refused:
        check_figures(figures, {"b": "nhiều", "c": "1"})
    assert [one.field for one in refused.value.each] == ["figure.a", "figure.b"]
    outcomes = [RequiredOutcome(key=key, label=key) for key in ("x", "y")]
    with pytest.raises(Refused) as refused:
        check_outcomes(outcomes, {})
    wanted = ["outcome.x.document", "outcome.y.document"]
    assert [one.field for one in refused.value.each] == wanted


def test_a_conflict_is_no_mistake_of_the_form_and_is_told_alone() -> None:
    """(26)"""

    def late() -> None:
        raise Conflict("đã được cập nhật")

    checks = Checks()
    checks.add(Refused("thiếu", field="name"))
    with pytest.raises(Conflict):
        checks.run(late, None)
