"""Many at once on the same rows: one effect each, and no error that reaches anybody."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TypeVar

from sqlalchemy import func, select

from models.engine import Database
from models.tables import Assignment, LetterState, Obstacle, Submission
from operations.opening import open_due
from operations.reminding import remind
from operations.state import plan_keys
from runtime.delivery import deliver
from tests.engine import stamp
from tests.faults.conftest import SmallGrounds
from tests.faults.pictures import differences, picture
from tests.faults.portals import PERSON, RESULT, Browser, in_thread, links, text_of, works
from tests.faults.small import DAY, office, states
from tests.faults.test_mail_server import numbers
from tests.faults.tried import Tried
from tests.integration.test_smtp_session import ScriptedServer
from tests.invariants import check_invariants

Note = Callable[[Tried], None]
PEOPLE = 20
NEXT = (date(2027, 3, 2), date(2027, 3, 31), date(2027, 4, 1))
_T = TypeVar("_T")


def all_at_once(do: Callable[[int], _T], count: int) -> list[_T]:
    """Call ``do`` with 0 to ``count`` - 1 in threads that begin at the same moment."""
    barrier = threading.Barrier(count)

    def one(number: int) -> _T:
        barrier.wait(30)
        return do(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = Database(url, durable=False)
    try:
        yield database
    finally:
        database.close()


def sweep(url: str) -> None:
    """What the flows of some days do."""
    with opened(url) as database:
        for day in NEXT:
            with database.write() as session:
                for plan in plan_keys(session):
                    open_due(session, stamp(day), plan)
            with database.write() as session:
                remind(session, stamp(day))


def test_two_schedulers_leave_what_one_leaves(
    small_grounds: SmallGrounds, small_url: str, store: str, tmp_path: Path, note: Note
) -> None:
    """Rules 10, 11, 28: keyed by what they are, not by the run."""
    (tmp_path / "one").mkdir()
    with small_grounds(store).one(tmp_path / "one") as alone, opened(alone) as database:
        sweep(alone)
        wanted = picture(database)
    all_at_once(lambda _: sweep(small_url), 2)
    with opened(small_url) as database:
        found = differences(wanted, picture(database))
        check_invariants(database)
    lost, doubled = (sum(word in line for line in found) for word in (" lost: ", " too much: "))
    note(
        Tried(
            fault="two schedulers at once",
            store=store,
            times=len(NEXT),
            happened="the same rows as one",
            lost=lost,
            doubled=doubled,
        )
    )
    assert found == []


def test_four_deliveries_send_each_letter_once(small_url: str, store: str, note: Note) -> None:
    """Rule 33."""
    with ScriptedServer() as server, opened(small_url) as database:

        def one(_: int) -> None:
            with opened(small_url) as own:
                deliver(office(own, server.port), as_of=DAY, batch=1)

        all_at_once(one, 4)
        taken = numbers(server)
        assert set(states(database).values()) == {LetterState.SENT}
        check_invariants(database)
    doubled = sum(times - 1 for times in taken.values())
    said = f"{len(taken)} letters, each once"
    note(Tried(fault="four deliveries at once", store=store, happened=said, doubled=doubled))
    assert doubled == 0
    assert len(taken) == 3


def test_twenty_people_who_file_the_same_work_have_one_effect(
    small_url: str, store: str, tmp_path: Path, note: Note
) -> None:
    """Rule 26: the first is taken, the others hear who was first; nobody sees a fault."""
    with in_thread(small_url, tmp_path / "portal") as (runtime, url):
        database = runtime.database
        work = works(database)[-1]
        people = [Browser(url, link) for link in links(database, PEOPLE)]
        forms = [one.open(work) for one in people]

        def file(number: int) -> int:
            values = {**RESULT, **forms[number], "text": f"Kết quả thứ {number}"}
            answer = people[number].post(work, "cap-nhat", values)
            assert answer.status_code in {303, 409}, text_of(answer)
            assert answer.status_code != 409 or "cập nhật" in text_of(answer)
            return answer.status_code

        answers = Counter(all_at_once(file, PEOPLE))
        with database.read() as session:
            rows = session.scalar(select(func.count()).select_from(Submission))
            status = session.get_one(Assignment, work).status
        check_invariants(database)
    said = f"{answers[303]} taken, {answers[409]} told who was first"
    note(
        Tried(
            fault="twenty people file the same work",
            store=store,
            happened=said,
            lost=int(rows == 0),
            doubled=max((rows or 0) - 1, 0),
        )
    )
    assert answers == {303: 1, 409: PEOPLE - 1}
    assert rows == 1
    assert status in {"submitted", "confirmed"}


def test_twenty_obstacles_of_twenty_people_are_twenty(
    small_url: str, store: str, tmp_path: Path, note: Note
) -> None:
    """Rule 42: what does not exclude one another is all taken, none as a fault."""
    with in_thread(small_url, tmp_path / "portal") as (runtime, url):
        database = runtime.database
        work = works(database)[-1]
        people = [Browser(url, link) for link in links(database, PEOPLE)]
        forms = [one.open(work) for one in people]

        def tell(number: int) -> int:
            values = {**PERSON, **forms[number], "text": f"Vướng mắc thứ {number}"}
            return people[number].post(work, "vuong-mac", values).status_code

        answers = Counter(all_at_once(tell, PEOPLE))
        with database.read() as session:
            rows = Counter(session.scalars(select(Obstacle.text)))
        check_invariants(database)
    note(
        Tried(
            fault="twenty people raise obstacles",
            store=store,
            happened=f"{answers[303]} taken",
            lost=max(answers[303] - len(rows), 0),
            doubled=sum(times - 1 for times in rows.values()),
        )
    )
    assert answers == {303: PEOPLE}
    assert set(rows.values()) == {1}
    assert len(rows) == PEOPLE
