"""The table of transitions, whole: what is in it and what is not (rules 14, 16, 20, 24, 25, 35)."""

from itertools import product
from pathlib import Path

import pytest

from rules.actors import (
    AccountRole,
    Actor,
    ActorKind,
    Capacity,
    Standing,
    capacities,
    flow_actor,
)
from rules.lifecycle import (
    ACTION_WORDS,
    LEAD_STATUSES,
    MOVABLE,
    OPEN,
    PARTNER_STATUSES,
    STATUS_WORDS,
    TRANSITIONS,
    Action,
    ActionNotAllowed,
    Status,
    allowed_actions,
    is_complete,
    transition,
)
from rules.lifecycle_chart import markdown

# Written out by hand, from the rules and not from the code: status, action, who, where to.
# L lead, P partner, O a lead of the occurrence towards a partner, D decider, S the engine.
EXPECTED = """
not_started        start             LD  in_progress
not_started        submit            LD  submitted
not_started        suspend           D   suspended
not_started        waive             D   not_applicable
not_started        cover             LD  covered
not_started        cancel            DS  cancelled
not_started        transfer          DS  transferred
not_started        lapse             S   lapsed
in_progress        submit            LD  submitted
in_progress        await_issuance    LD  awaiting_issuance
in_progress        suspend           D   suspended
in_progress        waive             D   not_applicable
in_progress        cover             LD  covered
in_progress        cancel            DS  cancelled
in_progress        transfer          DS  transferred
in_progress        lapse             S   lapsed
awaiting_issuance  submit            LD  submitted
awaiting_issuance  resume            LD  in_progress
awaiting_issuance  suspend           D   suspended
awaiting_issuance  waive             D   not_applicable
awaiting_issuance  cover             LD  covered
awaiting_issuance  cancel            DS  cancelled
awaiting_issuance  transfer          DS  transferred
awaiting_issuance  lapse             S   lapsed
submitted          accept            S   confirmed
submitted          withdraw          L   in_progress
submitted          return            D   in_progress
submitted          confirm           D   confirmed
submitted          cancel            DS  cancelled
submitted          transfer          DS  transferred
suspended          resume            D   before
suspended          waive             D   not_applicable
suspended          cancel            DS  cancelled
suspended          transfer          DS  transferred
confirmed          reopen            D   in_progress
not_applicable     reopen            D   in_progress
covered            reopen            D   in_progress
cancelled          reassign          S   before
dormant            request           OD  requested
dormant            contribute        P   contributed
dormant            receive           OD  contributed
dormant            dismiss           OD  not_needed
dormant            cancel            DS  cancelled
dormant            transfer          DS  transferred
requested          contribute        P   contributed
requested          receive           OD  contributed
requested          dismiss           OD  not_needed
requested          close_unanswered  OD  unanswered
requested          cancel            DS  cancelled
requested          transfer          DS  transferred
unanswered         request           OD  requested
contributed        request           OD  requested
unanswered         contribute        P   contributed
unanswered         receive           OD  contributed
"""
LETTERS = {
    "L": Capacity.LEAD,
    "P": Capacity.PARTNER,
    "O": Capacity.OCCURRENCE_LEAD,
    "D": Capacity.DECIDER,
    "S": Capacity.SYSTEM,
}
TABLE = {
    (Status(status), Action(action), LETTERS[letter]): to
    for status, action, who, to in (line.split() for line in EXPECTED.strip().splitlines())
    for letter in who
}
EVERY = list(product(Status, Action, Capacity))


@pytest.mark.parametrize(("status", "action", "capacity"), EVERY)
def test_each_pair_of_status_and_action_is_allowed_to_exactly_these_capacities(
    status: Status, action: Action, capacity: Capacity
) -> None:
    """(20) Every combination, the absent ones too: what the table lacks does not exist."""
    expected = TABLE.get((status, action, capacity))
    if expected is None:
        with pytest.raises(ActionNotAllowed) as refused:
            transition(status, action, frozenset({capacity}))
        assert refused.value.allowed == allowed_actions(status, frozenset({capacity}))
        return
    found = transition(status, action, frozenset({capacity})).to
    assert found == (None if expected == "before" else Status(expected))


def test_nobody_without_a_capacity_may_do_anything() -> None:
    """(20, 46) Somebody else's work is nobody's to touch."""
    for status, action in product(Status, Action):
        with pytest.raises(ActionNotAllowed):
            transition(status, action, frozenset())


def test_the_refusal_says_what_could_be_done_instead() -> None:
    with pytest.raises(ActionNotAllowed) as refused:
        transition(Status.SUBMITTED, Action.START, frozenset({Capacity.LEAD}))
    assert str(refused.value) == (
        "Không thể “Bắt đầu thực hiện” khi trạng thái là “Chờ xác nhận”. "
        "Thao tác được phép lúc này: “Rút lại kết quả”."
    )


def test_ended_work_is_reopened_or_stays() -> None:
    """(24, 25) Nothing that ended changes by itself."""
    ended = {Status.CONFIRMED, Status.NOT_APPLICABLE, Status.COVERED}
    closed = {Status.TRANSFERRED, Status.LAPSED}
    closed |= {Status.NOT_NEEDED}
    actions = {
        status: {row.action for row in TRANSITIONS.values() if row.status is status}
        for status in Status
    }
    assert all(actions[status] == {Action.REOPEN} for status in ended)
    assert all(not actions[status] for status in closed)
    # An agency that was dropped may be added again, in a round of its own (12).
    assert actions[Status.CANCELLED] == {Action.REASSIGN}
    # Asked by another lead, where each leads its own (14).
    assert actions[Status.CONTRIBUTED] == {Action.REQUEST}


def test_every_open_status_can_be_submitted_so_late_completion_is_always_possible() -> None:
    """(24) There is no status of open work from which a result cannot be filed."""
    assert all((status, Action.SUBMIT) in TRANSITIONS for status in OPEN)


def test_succession_moves_what_is_open_and_nothing_else() -> None:
    """(35) Nothing closed is touched."""
    moved = {row.status for row in TRANSITIONS.values() if row.action is Action.TRANSFER}
    assert moved == MOVABLE


def test_leads_and_partners_keep_to_their_own_statuses() -> None:
    """(14) No action leads from a lead's status to a partner's or back."""
    for row in TRANSITIONS.values():
        for family in (LEAD_STATUSES, PARTNER_STATUSES):
            if (
                row.status in family
                and row.to is not None
                and row.status not in (LEAD_STATUSES & PARTNER_STATUSES)
            ):
                assert row.to in family


def test_every_status_and_action_has_words_for_people() -> None:
    assert set(STATUS_WORDS) == set(Status)
    assert set(ACTION_WORDS) == set(Action)


OTHERS = Standing(agency="xa", partner=False, leads=frozenset(), coordinator="so")
OWN = Standing(agency="so", partner=False, leads=frozenset(), coordinator="so")
PARTNERS = Standing(agency="xa", partner=True, leads=frozenset({"so"}), coordinator="so")


def _person(role: AccountRole, agency: str | None) -> Actor:
    return Actor(kind=ActorKind.PERSON, name="A", account="a", role=role, agency=agency)


_XA_BY_LINK = Actor(kind=ActorKind.MAILBOX, name="A", mailbox="xa@x.test", agency="xa")
_SO_BY_LINK = Actor(kind=ActorKind.MAILBOX, name="A", mailbox="so@x.test", agency="so")


@pytest.mark.parametrize(
    ("actor", "standing", "expected"),
    [
        (_person(AccountRole.AGENCY, "xa"), OTHERS, {Capacity.LEAD}),
        (_person(AccountRole.AGENCY, "xa2"), OTHERS, set()),
        (_XA_BY_LINK, OTHERS, {Capacity.LEAD}),
        (_SO_BY_LINK, OWN, set()),
        (_SO_BY_LINK, OTHERS, set()),
        (_person(AccountRole.COORDINATOR, "so"), OTHERS, {Capacity.DECIDER}),
        (_person(AccountRole.COORDINATOR, "so"), OWN, {Capacity.LEAD}),
        (_person(AccountRole.LEADERSHIP, "so"), OWN, {Capacity.DECIDER}),
        (_person(AccountRole.LEADERSHIP, "so"), OTHERS, {Capacity.DECIDER}),
        (_person(AccountRole.AUDITOR, "so"), OTHERS, set()),
        (_person(AccountRole.AUDITOR, "xa"), OTHERS, set()),
        (_person(AccountRole.ADMIN, "xa"), OTHERS, set()),
        (_person(AccountRole.AGENCY, "xa"), PARTNERS, {Capacity.PARTNER}),
        (
            _person(AccountRole.COORDINATOR, "so"),
            PARTNERS,
            {Capacity.OCCURRENCE_LEAD, Capacity.DECIDER},
        ),
        (flow_actor("x"), OTHERS, {Capacity.SYSTEM}),
    ],
)
def test_what_an_actor_is_to_a_piece_of_work(
    actor: Actor, standing: Standing, expected: set[Capacity]
) -> None:
    """(20, 34) The coordinator does not decide on its own work, nor submit it by a link."""
    assert capacities(actor, standing) == expected


def test_the_page_of_the_documentation_says_what_the_table_says() -> None:
    """Made again by `python -m rules.lifecycle_chart > docs/lifecycle.md`."""
    page = Path(__file__).parents[2] / "docs" / "lifecycle.md"
    assert page.read_text(encoding="utf-8") == markdown()


@pytest.mark.parametrize(
    ("leads", "complete"),
    [
        ([Status.CONFIRMED, Status.COVERED, Status.NOT_APPLICABLE], True),
        ([Status.CONFIRMED, Status.SUBMITTED], False),
        ([Status.CONFIRMED, Status.TRANSFERRED, Status.CANCELLED], True),
        ([Status.TRANSFERRED], False),
        ([Status.LAPSED], False),
        ([], False),
    ],
)
def test_an_occurrence_is_complete_when_every_counted_lead_is_done(
    leads: list[Status],
    complete: bool,
) -> None:
    """(13)"""
    assert is_complete(leads) is complete
