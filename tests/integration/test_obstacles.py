"""Obstacles: raised, answered or brought to the superior, closed (rule 42)."""

import json
from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from models.tables import Assignment, Obstacle
from operations.errors import Conflict, NotFound, NotPermitted, Refused
from operations.obstacles import (
    Answer,
    answer_consolidated,
    answer_obstacle,
    close_obstacle,
    consolidate_obstacles,
    raise_obstacle,
)
from rules.lifecycle import Status
from tests import world
from tests.world import A, B

REPORT = "77/BC-SNV"


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    with world.opened(database_url) as session:
        yield session


@pytest.fixture
def work(session: Session) -> Assignment:
    return world.row_of(session, world.open_work(session), A)


def tell(session: Session, agency: str = A, work: Assignment | None = None) -> Obstacle:
    number = raise_obstacle(
        session,
        world.agency(agency),
        text="Chưa có hướng dẫn",
        assignment_id=None if work is None else work.id,
    )
    return session.get_one(Obstacle, number)


def test_an_agency_raises_an_obstacle_about_its_work_and_its_clock_goes_on(
    session: Session, work: Assignment
) -> None:
    row = tell(session, work=work)
    assert (row.state, row.agency_key, row.assignment_id) == ("raised", A, work.id)
    assert (work.status, work.version) == (Status.NOT_STARTED, 1)
    (event,) = world.events(session, "obstacle", row.id)
    assert (event.action, event.item_key, event.agency_key) == ("raise", "I.1", A)


def test_an_obstacle_may_be_about_no_work_in_particular(session: Session) -> None:
    assert tell(session).assignment_id is None


def test_an_obstacle_about_another_agencys_work_is_refused(
    session: Session, work: Assignment
) -> None:
    """Rule 46."""
    with pytest.raises(NotPermitted):
        tell(session, B, work)
    for stamp in (world.auditor(), world.admin()):
        with pytest.raises(NotPermitted):
            raise_obstacle(session, stamp, text="Chưa có hướng dẫn")
    with pytest.raises(Refused, match="nội dung vướng mắc"):
        raise_obstacle(session, world.agency(A), text=" ")


def test_the_coordinator_answers_and_the_agency_closes(session: Session) -> None:
    row = tell(session)
    answer_obstacle(session, world.coordinator(), row.id, Answer(text="Làm theo mẫu 2"))
    assert (row.state, row.answer) == ("answered", "Làm theo mẫu 2")
    close_obstacle(session, world.agency(A), row.id)
    assert row.state == "closed"
    words = [one.action for one in world.events(session, "obstacle", row.id)]
    assert words == ["raise", "answer", "close"]


def test_the_agency_learns_of_the_answer_in_its_next_digest(
    session: Session, work: Assignment
) -> None:
    """Rules 27, 42: one line, with the words of the answer and the document that holds it."""
    row = tell(session, work=work)
    told = Answer(text="Dùng số liệu tạm tính.", document="12/SNV-CCHC")
    answer_obstacle(session, world.coordinator(), row.id, told)
    (notice,) = world.notices(session, "obstacle_answered")
    assert (notice.agency_key, notice.assignment_id, notice.at_once) == (A, work.id, False)
    said = {"note": "Dùng số liệu tạm tính. (văn bản 12/SNV-CCHC)"}
    assert json.loads(notice.payload) == said


def test_obstacles_are_brought_to_the_superior_and_the_answer_comes_back(session: Session) -> None:
    first, second = tell(session, A), tell(session, B)
    stamp = world.coordinator()
    numbers = [first.id, second.id]
    assert consolidate_obstacles(session, stamp, numbers, document=REPORT) == 2
    assert (first.state, second.document_code) == ("consolidated", REPORT)
    with pytest.raises(Refused, match="số, ký hiệu"):
        answer_obstacle(session, stamp, first.id, Answer(text="UBND tỉnh đồng ý"))
    theirs = Answer(text="UBND tỉnh đồng ý", document="5/UBND-NC")
    answer_obstacle(session, stamp, first.id, theirs)
    assert (first.state, first.answer_document, first.document_code) == (
        "answered",
        "5/UBND-NC",
        REPORT,
    )
    words = [one.action for one in world.events(session, "obstacle", first.id)]
    assert words == ["raise", "consolidate", "answer"]


def test_consolidating_needs_a_document_and_changes_all_or_none(session: Session) -> None:
    first, second = tell(session, A), tell(session, B)
    stamp = world.coordinator()
    answer_obstacle(session, stamp, second.id, Answer(text="Xong"))
    with pytest.raises(Refused, match="văn bản tổng hợp"):
        consolidate_obstacles(session, stamp, [first.id], document="")
    with pytest.raises(Refused, match="ít nhất một"):
        consolidate_obstacles(session, stamp, [], document=REPORT)
    with pytest.raises(Conflict, match="Đã trả lời"):
        consolidate_obstacles(session, stamp, [first.id, second.id], document=REPORT)
    assert first.state == "raised"


def test_only_the_coordinator_answers_and_never_what_it_entered_itself(
    session: Session, work: Assignment
) -> None:
    """Rule 20."""
    with pytest.raises(NotPermitted):
        answer_obstacle(session, world.agency(A), tell(session).id, Answer(text="x"))
    entered = raise_obstacle(
        session, world.coordinator(), text="Nghe qua điện thoại", assignment_id=work.id
    )
    assert session.get_one(Obstacle, entered).agency_key == A
    with pytest.raises(NotPermitted, match="không tự trả lời"):
        answer_obstacle(session, world.coordinator(), entered, Answer(text="x"))
    answer_obstacle(session, world.leadership(), entered, Answer(text="Đã rõ"))


def test_an_agency_takes_its_obstacle_back_with_a_reason(session: Session) -> None:
    row = tell(session)
    with pytest.raises(Refused, match="lý do"):
        close_obstacle(session, world.agency(A), row.id)
    with pytest.raises(NotPermitted, match="chưa được trả lời"):
        close_obstacle(session, world.coordinator(), row.id, reason="Cũ")
    close_obstacle(session, world.agency(A), row.id, reason="Đã tự giải quyết")
    with pytest.raises(Conflict, match="Đã kết thúc"):
        close_obstacle(session, world.agency(A), row.id, reason="Lần nữa")


def test_an_agency_does_not_learn_of_anothers_obstacle(session: Session) -> None:
    """Rule 46: not there, or not for this actor, read the same."""
    row = tell(session)
    with pytest.raises(NotFound, match=f"Không có vướng mắc số {row.id}"):
        close_obstacle(session, world.agency(B), row.id, reason="x")
    close_obstacle(session, world.agency(A), row.id, reason="Đã tự giải quyết")
    with pytest.raises(NotFound, match=f"Không có vướng mắc số {row.id}"):
        close_obstacle(session, world.agency(B), row.id, reason="x")
    with pytest.raises(NotFound, match="Không có vướng mắc số 99"):
        close_obstacle(session, world.agency(B), 99, reason="x")


def test_of_two_who_answer_at_once_the_second_is_told(session: Session) -> None:
    """Rule 26."""
    row = tell(session)
    seen = row.version
    stamp = world.coordinator()
    answer_obstacle(session, stamp, row.id, Answer(text="Một"), expected_version=seen)
    with pytest.raises(Conflict):
        answer_obstacle(session, stamp, row.id, Answer(text="Hai"), expected_version=seen)
    assert row.answer == "Một"


def test_the_superiors_answer_returns_to_everybody_of_the_document(session: Session) -> None:
    """Rule 42: and to nobody else; without its document it is no answer of theirs."""
    first, second, other = tell(session), tell(session, B), tell(session, B)
    stamp = world.coordinator()
    consolidate_obstacles(session, stamp, [first.id, second.id], document=REPORT)
    with pytest.raises(Refused):
        answer_consolidated(session, stamp, Answer(text="Đồng ý"), sent=REPORT)
    answer = Answer(text="Đồng ý", document="90/UBND-NC")
    assert answer_consolidated(session, stamp, answer, sent=REPORT) == 2
    assert (first.state, second.state, other.state) == ("answered", "answered", "raised")
    assert (first.answer, second.answer_document) == ("Đồng ý", "90/UBND-NC")
    with pytest.raises(NotFound):
        answer_consolidated(session, stamp, answer, sent=REPORT)
