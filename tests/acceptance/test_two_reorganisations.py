"""The plan tracked from 2023, through the two reorganisations of 2025, as the catalog ships them.

1/3/2025: departments merge. 1/7/2025: the districts end, Ninh Thuận joins, 65 units at commune
level begin (rules 11, 12, 35, 36).
"""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import select

from models.tables import Assignment, Contact, ContactKind, Evidence, Occurrence, Submission
from operations.collecting import collect
from operations.history import snapshot_of
from rules.actors import AccountRole
from rules.lifecycle import Action, Status
from rules.values import Role
from tests.engine import PROVINCE, Engine, engine, filed, person

CLOSED = (Status.CONFIRMED, Status.COVERED, Status.NOT_APPLICABLE)


@pytest.fixture
def one(database_url: str) -> Iterator[Engine]:
    with engine(database_url, folder=PROVINCE, start=date(2023, 8, 1)) as made:
        yield made


def of(one: Engine, item: str, period: str, role: Role) -> dict[str, str]:
    """Agency to status."""
    with one.database.read() as session:
        rows = session.execute(
            select(Assignment.agency_key, Assignment.status)
            .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
            .where(
                Occurrence.item_key == item,
                Occurrence.period_key == period,
                Assignment.role == role,
            )
        )
        return dict(rows.tuples().all())


def standing(one: Engine, item: str, period: str, role: Role = Role.LEAD) -> set[str]:
    """Those whose work has neither moved nor ended without anybody."""
    gone = {Status.TRANSFERRED, Status.CANCELLED}
    return {key for key, status in of(one, item, period, role).items() if status not in gone}


def closed(one: Engine) -> dict[int, dict[str, object]]:
    with one.database.read() as session:
        rows = session.scalars(select(Assignment).where(Assignment.status.in_(CLOSED)))
        return {row.id: snapshot_of(row) for row in rows}


def mailbox(one: Engine, agency: str) -> None:
    with one.database.write() as session:
        session.add(
            Contact(
                agency_key=agency,
                kind=ContactKind.MAILBOX.value,
                email=f"{agency}@khanhhoa.test",
                updated_at=one.events()[0].at,
            )
        )


def test_the_plan_lives_through_both(one: Engine) -> None:
    """(11, 12, 35, 36)"""
    for day in (date(2023, 8, 1), date(2024, 3, 1), date(2024, 8, 5), date(2025, 2, 10)):
        one.run(day)
    assert standing(one, "II.5", "2024") == {"so_noi_vu", "so_tttt"}
    assert standing(one, "II.5", "2024", Role.PARTNER) == {"so_tai_chinh", "vp_ubnd_tinh"}
    assert {"so_nn_ptnt", "thanh_pho_nha_trang", "huyen_truong_sa"} <= standing(one, "II.2", "2025")
    official = person(AccountRole.AGENCY, "so_nn_ptnt")
    own = one.find("I.1", "2025", "so_nn_ptnt")
    one.act(own, Action.SUBMIT, official, date(2025, 2, 14), filed("31/QĐ-SNN", date(2025, 2, 13)))
    done = one.find("II.2", "2025", "so_gddt")
    teacher = person(AccountRole.AGENCY, "so_gddt")
    one.act(
        done, Action.SUBMIT, teacher, date(2025, 2, 14), filed("77/SGDĐT-VP", date(2025, 2, 13))
    )
    for agency in ("so_nn_ptnt", "so_nn_mt", "so_noi_vu"):
        mailbox(one, agency)
    before, due = closed(one), one.find("II.2", "2025", "so_nn_ptnt").due_on

    moved = one.run(date(2025, 3, 3)).moved
    assert moved.created > 0
    assert moved.linked > 0
    assert before.items() <= closed(one).items()
    _after_the_departments(one, due)
    with one.database.read() as session:
        letters = collect(session, date(2025, 4, 10)).parcels
    lines = {line.assignment_id for line in letters["so_nn_mt@khanhhoa.test"].rungs}
    assert one.find("II.2", "2025", "so_nn_mt").id in lines
    assert "so_nn_ptnt@khanhhoa.test" not in letters

    before = closed(one)
    one.run(date(2025, 7, 1))
    assert before.items() <= closed(one).items()
    assert standing(one, "II.2", "2025") == {"so_noi_vu", "so_gddt", "so_y_te", "so_nn_mt"}
    ended = of(one, "II.2", "2025", Role.LEAD)
    assert {ended[key] for key in ended if key.startswith(("huyen", "thi_xa", "thanh_pho"))} == {
        Status.CANCELLED
    }
    one.run(date(2026, 2, 2))
    assert standing(one, "II.5", "2025") == {"so_noi_vu", "so_khcn"}
    assert standing(one, "II.2", "2026") == {"so_noi_vu", "so_gddt", "so_y_te", "so_nn_mt"}
    partners = standing(one, "II.2", "2026", Role.PARTNER)
    assert len([key for key in partners if key.startswith(("xa_", "phuong_", "dac_khu"))]) == 65
    assert "phuong_phan_rang" in partners


def _after_the_departments(one: Engine, due: date) -> None:
    old, new = one.find("II.5", "2024", "so_tttt"), one.find("II.5", "2024", "so_khcn")
    assert (old.status, old.successor_id) == (Status.TRANSFERRED, new.id)
    assert old.agency_name == "Sở Thông tin và Truyền thông"
    assert new.agency_name == "Sở Khoa học và Công nghệ"
    assert (new.due_on, new.original_due_on) == (old.due_on, old.original_due_on)
    assert standing(one, "II.5", "2024") == {"so_noi_vu", "so_khcn"}
    assert one.find("II.2", "2025", "so_nn_mt").due_on == due
    heir = one.find("I.1", "2025", "so_nn_mt")
    assert heir.status == Status.SUBMITTED
    with one.database.read() as session:
        papers = session.scalars(
            select(Evidence.document_code)
            .join(Submission, Submission.id == Evidence.submission_id)
            .where(Submission.assignment_id == heir.id)
        ).all()
    assert papers == ["31/QĐ-SNN"]
