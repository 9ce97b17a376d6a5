"""What stands in the template of a late start: everything known, and the choices of each cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Account, AgencyRow, Contact, ContactKind
from operations.contact_plan import FIELDS
from operations.contacts import CONTACT_WORDS
from operations.import_directory import KIND_WORDS, ROLE_WORDS
from operations.import_sheets import ACCOUNTS, AGENCIES, PEOPLE, RESULTS
from operations.import_stored import Filed, Stored
from operations.import_values import NO, STATE_WORDS, YES, ResultState
from operations.state import PlanState, load_directory, load_state
from rules.late_start import past_opening, past_periods
from rules.lifecycle import Status
from rules.values import Agency, Role

Cell = str | date
Lines = Sequence[Sequence[Cell]]
_FILLED_IN = (ContactKind.MAILBOX, ContactKind.FOCAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """The rows of each sheet below its headings, and the lists that cells offer.

    ``offers`` maps a sheet and field to the name of a list; the agencies of a row of results are
    those of its year, under :func:`year_list`.
    """

    rows: dict[str, Lines]
    lists: dict[str, Sequence[str]]
    offers: dict[tuple[str, str], str]
    years: Sequence[int]


def year_list(year: int) -> str:
    """The list of the agencies that existed in ``year``."""
    return f"Cơ quan {year}"


def template(session: Session, plan_key: str, today: date) -> Template:
    """The template of a plan on ``today``.

    Raises:
        NotFound: there is no such plan.
    """
    state = load_state(session, plan_key)
    names = _Names(state.directory.agencies)
    results = list(_results(session, state, names))
    years = sorted({int(str(line[2])[:4]) for line in results})
    lists = {
        "Cơ quan": [names.of(one) for one in state.directory.agencies],
        "Nhiệm vụ": [one.key for one in state.plan.items],
        "Kỳ": sorted({str(line[2]) for line in results}),
        "Kết quả": list(STATE_WORDS.values()),
        "Có, không": [YES, NO],
        "Loại liên hệ": list(CONTACT_WORDS.values()),
        "Vai trò": list(ROLE_WORDS.values()),
        "Loại cơ quan": list(KIND_WORDS.values()),
        "Thôi dùng": ["x"],
    }
    lists |= {year_list(year): _of_year(state, names, year) for year in years}
    return Template(
        rows={
            AGENCIES: [_agency(one) for one in state.directory.agencies],
            PEOPLE: list(_contacts(session, names, today)),
            ACCOUNTS: list(_accounts(session, names)),
            RESULTS: results,
        },
        lists={name: words for name, words in lists.items() if words},
        offers={
            (AGENCIES, "kind"): "Loại cơ quan",
            (PEOPLE, "agency"): "Cơ quan",
            (PEOPLE, "kind"): "Loại liên hệ",
            (PEOPLE, "end"): "Thôi dùng",
            (ACCOUNTS, "role"): "Vai trò",
            (ACCOUNTS, "agency"): "Cơ quan",
            (RESULTS, "item"): "Nhiệm vụ",
            (RESULTS, "period"): "Kỳ",
            (RESULTS, "state"): "Kết quả",
            (RESULTS, "papers"): "Có, không",
        },
        years=years,
    )


class _Names:
    """Agencies by what a cell calls them: the name, or the key where several have that name."""

    def __init__(self, agencies: Sequence[Agency]) -> None:
        self._count = Counter(one.name for one in agencies)
        self._by_key = {one.key: self.of(one) for one in agencies}

    def of(self, agency: Agency) -> str:
        return agency.key if self._count[agency.name] > 1 else agency.name

    def key(self, key: str) -> str:
        return self._by_key.get(key, key)


def _of_year(state: PlanState, names: _Names, year: int) -> list[str]:
    first, last = date(year, 1, 1), date(year, 12, 31)
    return [
        names.of(one)
        for one in state.directory.agencies
        if (one.valid_from is None or one.valid_from <= last)
        and (one.valid_to is None or one.valid_to >= first)
    ]


def _agency(one: Agency) -> Sequence[Cell]:
    kind = KIND_WORDS.get(one.kind, one.kind)
    return (one.key, one.name, kind, one.code or "", one.valid_from or "", one.valid_to or "")


def _contacts(session: Session, names: _Names, today: date) -> Iterator[Sequence[Cell]]:
    # A made-up address must not come back as a real one.
    query = select(Contact).where(Contact.active, Contact.sample.is_(False))
    stored = {(row.agency_key, row.kind): row for row in session.scalars(query)}
    for agency in load_directory(session).valid_on(today):
        for kind, word in CONTACT_WORDS.items():
            row = stored.get((agency.key, kind.value))
            if row is not None:
                texts = [getattr(row, field) or "" for field in FIELDS]
                yield (names.of(agency), word, *texts, "")
            elif kind in _FILLED_IN:
                yield (names.of(agency), word, "", "", "", "", "")


def _accounts(session: Session, names: _Names) -> Iterator[Sequence[Cell]]:
    for row in session.scalars(select(Account).where(Account.active).order_by(Account.username)):
        agency = names.key(row.agency_key) if row.agency_key else ""
        texts = (row.post or "", row.email or "", row.basis or "", row.valid_to or "")
        yield (row.username, row.name, ROLE_WORDS[row.role], agency, *texts)


def _results(session: Session, state: PlanState, names: _Names) -> Iterator[Sequence[Cell]]:
    """A row for each lead of each period: what is stored, or to be filled in."""
    stored = Stored(session, state.plan.key)
    known = set(session.scalars(select(AgencyRow.key)))
    lines = []
    for item in state.plan.items:
        for scheduled in past_periods(state.plan, item, state.tracking_start):
            key = (item.key, scheduled.period.key)
            if key in stored.occurrences:
                continue
            opening = past_opening(
                state.plan,
                state.directory,
                state.calendar,
                item=item,
                scheduled=scheduled,
                tracking_start=state.tracking_start,
            )
            leads = [one.agency for one in opening.parties if one.role is Role.LEAD]
            for agency in leads:
                told: Sequence[Cell] = (names.key(agency), *key, *[""] * 7)
                lines.append((scheduled.period.first_day, item.position, told))
    for key, occurrence in stored.occurrences.items():
        position = next((one.position for one in state.plan.items if one.key == key[0]), None)
        if position is None or occurrence.mode == "full":
            continue
        for agency, row in stored.leads(key).items():
            if agency in known and Status(row.status) is not Status.TRANSFERRED:
                told = (names.key(agency), *key, *_told(Status(row.status), stored.filed(row.id)))
                lines.append((occurrence.period_first, position, told))
    lines.sort(key=lambda one: (one[0], one[1]))
    return (line for _, _, line in lines)


def _told(status: Status, filed: Filed | None) -> Sequence[Cell]:
    if status is Status.NOT_APPLICABLE:
        word = STATE_WORDS[ResultState.NOT_APPLICABLE]
        return (word, "", "", "", "", "", "Đã ghi nhận")
    if status is not Status.CONFIRMED or filed is None or not filed.by_import:
        return ("",) * 7
    state = ResultState.UNCHANGED if filed.unchanged else ResultState.DONE
    text, reason = filed.parts
    papers = NO if reason else ""
    issued = filed.issued_on or ""
    return (
        STATE_WORDS[state],
        filed.completed_on,
        papers,
        filed.document or "",
        issued,
        text,
        reason,
    )
