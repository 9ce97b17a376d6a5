"""``python -m benchmarks.mail [LETTERS]``: digests of 40 lines, rendered and sent to a fast sink.

The engine's way from values to the wire, beside a plain script and beside ``yagmail.send`` as it
comes. Then whole deliveries, with the states of each letter committed before and after it is on its
way: one alone, and two side by side.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import yagmail

from benchmarks import mail_plain as plain
from benchmarks.race import Entry, race, together, whole
from benchmarks.ratios import Aim, Ratio, Spent, Store, machine, stores, write_table
from benchmarks.sink import sink
from benchmarks.work_fill import found, open_work
from models.engine import Database
from notifications.compose import fill_link, render_digest
from notifications.lines import Line, LineKind
from notifications.message import build_message, message_bytes
from notifications.smtp import MailSession, Security, SmtpSettings
from notifications.values import DigestLetter, PlanRef
from operations.reminding import remind
from operations.stamp import Stamp
from operations.state import load_calendar
from rules.actors import flow_actor
from rules.values import Role
from runtime.clock import FixedClock
from runtime.delivery import PostOffice, deliver
from tasks_catalog.loader import load_plan
from tests import databases
from tests.engine import PROVINCE

LINES, TURN, DAY = 40, 50, date(2027, 3, 10)
NOW = datetime.combine(DAY, time(1), UTC)
LINK = f"{plain.SENDER.portal_url}/lien-ket/{'x' * 66}"
SECRET = "một bí mật chỉ để đo"  # noqa: S105 - of a database that is thrown away


def lines() -> list[dict[str, Any]]:
    """What a letter is about, as rows hold it."""
    items = load_plan(PROVINCE).plan.items
    return [
        {
            "item": items[n % len(items)].key,
            "task": items[n % len(items)].text.task,
            "expected": items[n % len(items)].calendar.expected,
            "period": f"tháng {n % 12 + 1}/2027",
            "due_on": DAY + timedelta(days=n % 15),
            "status": "Đang thực hiện",
            "number": n,
        }
        for n in range(LINES)
    ]


def office(database: Database, port: int, day: date) -> PostOffice:
    """Where the engine's letters leave from: the sink on ``port``."""
    return PostOffice(
        database=database,
        open_mail=lambda: MailSession(smtp(port)),
        clock=FixedClock(datetime.combine(day, time(1), UTC)),
        sender=plain.SENDER,
        secret=SECRET,
        real_server=False,
    )


def smtp(port: int) -> SmtpSettings:
    """The sink as a mail server."""
    return SmtpSettings(host="127.0.0.1", port=port, security=Security.NONE, helo_name="localhost")


def engine(port: int) -> Iterator[None]:
    """Rows into values, letter, message, wire: one session for all turns."""
    rows, number = lines(), 0
    ref = PlanRef(
        code="CCHC-1718",
        decision_line="Quyết định số 1718/QĐ-UBND ngày 21/7/2023 của UBND tỉnh Khánh Hòa",
    )
    with MailSession(smtp(port)) as session:
        session.connect()
        yield
        while True:
            for _ in range(TURN):
                number += 1
                to, name = f"xa-{number}@co-quan.test", f"Xã số {number}"
                letter = DigestLetter(
                    to_address=to,
                    formal_name=f"Ủy ban nhân dân {name}",
                    short_name=name,
                    sender=plain.SENDER,
                    plans=(ref,),
                    day=DAY,
                    agency="xa",
                    lines=tuple(_line(row) for row in rows),
                )
                built = build_message(
                    fill_link(render_digest(letter), LINK),
                    sender=plain.SENDER,
                    to_address=to,
                    to_name=name,
                    key=f"digest:{DAY}:{to}",
                    date=NOW,
                )
                session.send(message_bytes(built), sender=plain.SENDER.from_address, to=to)
            yield


def _line(row: dict[str, Any]) -> Line:
    return Line(
        kind=LineKind.DUE,
        plan_code="CCHC-1718",
        item=row["item"],
        item_task=row["task"],
        period_key="2027",
        period_label=row["period"],
        agency="xa",
        agency_name="Xã",
        role=Role.LEAD,
        due_on=row["due_on"],
        days=(row["due_on"] - DAY).days,
        assignment_id=str(row["number"]),
        status_word=row["status"],
        expected=row["expected"],
    )


def _plain_lines(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        row | {"due": plain.shown(row["due_on"]), "days": (row["due_on"] - DAY).days}
        for row in sorted(rows, key=lambda one: one["due_on"])
    ]


def script(port: int) -> Iterator[None]:
    """The limit: a plain template, EmailMessage, one session."""
    rows, number = lines(), 0
    with plain.session(port) as session:
        yield
        while True:
            for _ in range(TURN):
                number += 1
                name = f"Ủy ban nhân dân Xã số {number}"
                subject, text, page = plain.render(name, LINK, _plain_lines(rows))
                built = plain.message(f"xa-{number}@co-quan.test", subject, text, page)
                session.send_message(built)
            yield


def stock(port: int) -> Iterator[None]:
    """``yagmail.send`` as it comes, of the same page."""
    rows, number = lines(), 0
    client = yagmail.SMTP(
        plain.SENDER.from_address,
        "",
        host="127.0.0.1",
        port=port,
        smtp_starttls=False,
        smtp_ssl=False,
        smtp_skip_login=True,
        soft_email_validation=False,
    )
    client.set_logging(None)
    yield
    while True:
        for _ in range(TURN):
            number += 1
            name = f"Ủy ban nhân dân Xã số {number}"
            subject, _, page = plain.render(name, LINK, _plain_lines(rows))
            client.send(to=f"xa-{number}@co-quan.test", subject=subject, contents=page)
        yield


def delivery(url: str, port: int) -> Iterator[None]:
    """A delivery of all that waits."""
    database = Database(url)
    yield
    deliver(office(database, port, DAY), as_of=DAY)
    yield


def queue(url: str, letters: int) -> None:
    """Queue ``letters`` digests of ``LINES`` lines each by the engine's own sweep."""
    database = Database(url, durable=False)
    catalog, agencies = found(database, letters)
    with database.read() as session:
        due = load_calendar(session).add(DAY, 15)
    row = {"due_on": due, "next_reminder_on": DAY}
    with database.write() as session:
        open_work(session, catalog, agencies, LINES * letters, lambda _: row)
    with database.write() as session:
        done = remind(session, Stamp(at=NOW, as_of=DAY, actor=flow_actor("đo")))
    database.close()
    if (done.letters, done.rungs, done.held) != (letters, LINES * letters, 0):
        raise AssertionError(f"not what was to be measured: {done}")


def sending(letters: int) -> Iterator[Ratio]:
    """The lines of the table about letters alone, without a database."""
    with sink() as port:
        ways: dict[str, Entry] = {
            "script": (script, (port,)),
            "stock": (stock, (port,)),
            "ours": (engine, (port,)),
        }
        taken = {name: whole(turns) for name, turns in race(ways, letters // TURN).items()}
    ours = taken["ours"]
    for name, job, aim in (
        ("script", "render and send, beside a plain script", Aim(at_least=0.9)),
        ("stock", "render and send, beside yagmail.send", Aim(at_least=2.0)),
    ):
        limit = taken[name]
        yield Ratio(
            job=job, store="–", size=_size(letters, ours, limit), ours=ours, limit=limit, aim=aim
        )


def _size(letters: int, ours: Spent, limit: Spent) -> str:
    return (
        f"{letters:,} letters, {letters / ours.seconds:,.0f} and {letters / limit.seconds:,.0f} "
        f"a second, by processor time {limit.cpu / ours.cpu:.2f}"
    )


def deliveries(store: Store, letters: int) -> Iterator[Ratio]:
    """Whole deliveries of as many letters: one, and two side by side."""
    with sink() as port, store.one() as alone, store.one() as shared:
        for url in (alone, shared):
            queue(url, letters)
        one = race({"one": (delivery, (alone, port))}, 1)["one"][0]
        seconds = together([(delivery, (shared, port))] * 2)
        two = replace(one, seconds=seconds)
        size = f"{letters:,} letters, {letters / seconds:,.0f} and {letters / one.seconds:,.0f} a second"
        job = "two deliveries side by side, beside one"
        yield Ratio(
            job=job, store=store.name, size=size, ours=two, limit=one, aim=Aim(at_least=1.5)
        )


def main(letters: int, wanted: Sequence[str]) -> None:
    """Measure and print the table."""
    print(machine())
    with stores(wanted=wanted) as each:
        print("; ".join(f"{one.name}: {one.durability}" for one in each) + ".\n")

        def measured() -> Iterator[Ratio]:
            yield from sending(letters)
            for store in each:
                yield from deliveries(store, letters)

        write_table(measured())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("letters", nargs="?", type=int, default=500)
    parser.add_argument("--only", choices=databases.STORES)
    given = parser.parse_args()
    main(given.letters, [given.only] if given.only else databases.STORES)
