"""Policies set in the system: in force from then on, kept by a catalog (rules 8, 20, 37)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from models.engine import Database
from models.tables import PolicySetting
from operations.act import act
from operations.acting import ActRequest
from operations.catalog import apply_catalog
from operations.errors import Conflict, NotFound, NotPermitted, Refused
from operations.opening import open_due
from operations.policies import PolicyView, policies, set_policy
from operations.state import load_plan
from portal.permissions import Visitor
from rules.lifecycle import Action, Status
from rules.values import Confirmation
from tasks_catalog.loader import load_plan as load_files
from tests import portal_site, world
from tests.engine import SMALL
from tests.portal_site import mark_of, text_of
from tests.world import PLAN, A

BASIS, REASON = "15/QĐ-SNV", "Thống nhất trong cơ quan"
PATH = "/danh-muc/chinh-sach"


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    with world.opened(database_url) as session:
        yield session


def change(session: Session, name: str, value: str | None, plan: str = PLAN) -> PolicyView:
    return set_policy(
        session, world.leadership(), plan, name, value=value, basis=BASIS, reason=REASON
    )


def in_force(session: Session, name: str) -> PolicyView:
    return next(one for one in policies(session, PLAN) if one.name == name)


def test_two_steps_hold_from_then_on(session: Session) -> None:
    """Rules 20, 37."""
    occurrence = world.open_work(session)
    first, second = (world.row_of(session, occurrence, key) for key in (A, world.B))
    why = ActRequest(reason="Giao nhầm")
    assert act(session, world.coordinator(), first.id, Action.CANCEL, why).proposal is None
    done = change(session, "two_step.cancel", "true")
    assert (done.value, done.basis, done.since, done.by) == (True, BASIS, world.TODAY, "Lãnh đạo")
    assert act(session, world.coordinator(), second.id, Action.CANCEL, why).proposal is not None
    assert (first.status, second.status) == (Status.CANCELLED, Status.NOT_STARTED)
    (event,) = world.events(session, "policy")
    assert (event.action, event.reason, event.document) == ("set", REASON, BASIS)
    change(session, "two_step.cancel", None)
    assert in_force(session, "two_step.cancel").since is None


def test_an_open_occurrence_keeps_how_it_is_confirmed(session: Session) -> None:
    """Rules 8, 20."""
    before = world.open_work(session)
    change(session, "confirmation.I.1", "accept")
    assert load_plan(session, PLAN).item("I.1").calendar.confirmation is Confirmation.ACCEPT
    open_due(session, world.flow(date(2028, 1, 3)), PLAN, only_item="I.1")
    assert before.confirmation == "required"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("extension_cap", "-1"),
        ("extension_cap", "hai"),
        ("extension_cap", "1"),
        ("respond_workdays", "0"),
        ("blast_factor", "nan"),
        ("two_step.cancel", "co"),
        ("confirmation.I.1", "x"),
    ],
)
def test_a_wrong_value_is_refused(session: Session, name: str, value: str) -> None:
    with pytest.raises(Refused) as error:
        change(session, name, value)
    assert error.value.field == "value"


def test_only_leadership_and_administrators_change_them_and_one_at_a_time(
    session: Session,
) -> None:
    """Rules 20, 26."""
    with pytest.raises(NotPermitted):
        set_policy(
            session, world.coordinator(), PLAN, "extension_cap", value="2", basis="a", reason="b"
        )
    with pytest.raises(Refused) as error:
        set_policy(
            session, world.leadership(), PLAN, "extension_cap", value="2", basis="", reason="b"
        )
    assert error.value.field == "basis"
    change(session, "blast_factor", "2,5")
    assert load_plan(session, PLAN).policies.blast_factor == 2.5
    with pytest.raises(Conflict):
        set_policy(
            session,
            world.admin(),
            PLAN,
            "blast_factor",
            value="3",
            basis="a",
            reason="b",
            expected=0,
        )
    with pytest.raises(NotFound):
        change(session, "khong_co", "1")


def test_a_catalog_keeps_what_was_set_unless_told_to_overwrite(database_url: str) -> None:
    """Rule 8."""
    database, files = Database(database_url), load_files(SMALL)
    key = files.plan.key
    with database.write() as session:
        apply_catalog(session, world.admin(), files, tracking_start=date(2027, 1, 1))
        change(session, "extension_cap", "4", plan=key)
        title = replace(files, plan=replace(files.plan, title="Tên mới"))
        done = apply_catalog(session, world.admin(), title, tracking_start=date(2027, 1, 1))
        assert done.kept == ("chính sách extension_cap",)
        assert load_plan(session, key).policies.extension_cap == 4
        apply_catalog(
            session, world.admin(), title, tracking_start=date(2027, 1, 1), overwrite=True
        )
        assert load_plan(session, key).policies.extension_cap == files.plan.policies.extension_cap
    database.close()


def test_the_page_says_what_is_in_force_and_changes_it(database_url: str, tmp_path: Path) -> None:
    with portal_site.site(database_url, tmp_path) as site:
        reads = site.logged_in(Visitor.COORDINATOR).get(PATH)
        assert "Số lần gia hạn tối đa" in text_of(reads)
        assert 'method="post"' not in reads.text.split("<main")[1]
        leader = site.logged_in(Visitor.LEADERSHIP)
        fields = {"mark": mark_of(leader.get(PATH)), "basis": BASIS, "reason": REASON}
        wrong = leader.post(f"{PATH}/extension_cap", data={**fields, "value": "99"})
        assert wrong.status_code == 422
        assert 'value="99"' in wrong.text
        done = leader.post(f"{PATH}/extension_cap", data={**fields, "value": "2"})
        page = text_of(leader.get(done.headers["location"]))
        assert "2 lần, áp dụng từ nay" in page
        assert BASIS in page
        assert site.read(lambda session: session.query(PolicySetting).count()) == 1
