"""Starting late: taking over a workbook of agencies, contacts, accounts and past results (rule 19).

:func:`take_over` checks the whole file against the system and raises with everything that is
wrong. Agencies and accounts are added while it checks, so that later sheets may name them: the
caller's transaction is the measure, and a preview is rolled back. Run twice, nothing changes.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.orm import Session

from operations.contact_files import FileError, FileRefused, FileRow
from operations.contact_plan import Step, apply_plan, plan_contacts
from operations.contact_plan import Verdict as ContactVerdict
from operations.errors import NotPermitted
from operations.guards import need_coordinator
from operations.import_directory import Added, add_accounts, add_agencies, opens_accounts
from operations.import_results import ResultCheck, ResultPlan, ResultStep, Verdict
from operations.import_sheets import ACCOUNTS, AGENCIES, PEOPLE, RESULTS, Sheets
from operations.import_stored import Stored
from operations.import_writing import opened_keys, write_results
from operations.stamp import Stamp
from operations.state import PlanState, load_state
from rules.events import canonical_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a workbook does, or did."""

    agencies: Added = field(default_factory=Added)
    contacts: Mapping[ContactVerdict, int] = field(default_factory=dict)
    accounts: Added = field(default_factory=Added)
    results: ResultPlan = field(default_factory=ResultPlan)
    left_results: int = 0
    """Rows of results that the coordinator has to take over: the actor may not."""

    @property
    def counts(self) -> Mapping[tuple[str, int], Counter[Verdict]]:
        """The rows of results by item and year, and in them by what becomes of each."""
        found: dict[tuple[str, int], Counter[Verdict]] = {}
        for one in self.results.steps:
            found.setdefault((one.item, one.period.year), Counter())[one.verdict] += 1
        return dict(sorted(found.items()))

    @property
    def verdicts(self) -> Counter[Verdict]:
        """The rows of results by what becomes of each."""
        return Counter(one.verdict for one in self.results.steps)

    @property
    def contact_changes(self) -> int:
        """How many contacts are added, changed or ended."""
        return sum(n for word, n in self.contacts.items() if word is not ContactVerdict.SAME)

    @property
    def changes(self) -> int:
        """Everything that differs from what was there; 0 when the file was taken over before."""
        done = self.verdicts[Verdict.NEW] + self.verdicts[Verdict.CORRECTED]
        added = len(self.agencies.new) + len(self.accounts.new)
        return added + self.contact_changes + done + len(self.results.openings)

    @property
    def corrections(self) -> Sequence[ResultStep]:
        """The results that a file states differently, with a reason."""
        return [one for one in self.results.steps if one.verdict is Verdict.CORRECTED]

    @property
    def digest(self) -> str:
        """What tells this outcome from another: a preview holds only while it stays the same."""
        told = {
            "agencies": list(self.agencies.new),
            "accounts": list(self.accounts.new),
            "contacts": {word.value: count for word, count in self.contacts.items()},
            "openings": [list(one) for one in opened_keys(self.results)],
            "results": [[one.where, one.verdict.value] for one in self.results.steps],
        }
        return hashlib.sha256(canonical_json(told).encode()).hexdigest()


def take_over(
    session: Session, stamp: Stamp, plan_key: str, sheets: Sheets, *, preview: bool = False
) -> Outcome:
    """Take over a workbook; the caller commits, or rolls back what was only a ``preview``.

    Accounts are an administrator's to open and results the coordinator's to take over: the part of
    a file that the actor may not do is checked and left, and the outcome says so.

    Raises:
        FileRefused: with every error of the file. The caller must roll back.
        NotPermitted: the actor may do nothing of it.
        NotFound: there is no such plan.
    """
    if not (_coordinates(stamp) or opens_accounts(stamp)):
        msg = (
            "Tệp này do cơ quan điều phối hoặc người quản trị nhập; đề nghị gửi cơ quan điều phối."
        )
        raise NotPermitted(msg)
    errors: list[FileError] = []
    agencies = add_agencies(session, stamp, sheets.get(AGENCIES, ()), errors)
    contacts = _contacts(session, stamp, sheets.get(PEOPLE, ()), errors)
    accounts = add_accounts(session, stamp, sheets.get(ACCOUNTS, ()), errors)
    state = load_state(session, plan_key)
    results = _results(session, stamp, state, sheets.get(RESULTS, ()), errors)
    if errors:
        raise FileRefused(sorted(errors, key=_place))
    left = 0
    if not _coordinates(stamp):
        left = sum(one.verdict in {Verdict.NEW, Verdict.CORRECTED} for one in results.steps)
        results = ResultPlan()
    outcome = Outcome(
        agencies=agencies,
        contacts=dict(Counter(one.verdict for one in contacts)),
        accounts=accounts,
        results=results,
        left_results=left,
    )
    if preview:
        return outcome
    apply_plan(session, stamp, [one.as_json() for one in contacts])
    write_results(session, stamp, state, results)
    return outcome


def _contacts(
    session: Session, stamp: Stamp, rows: Sequence[FileRow], errors: list[FileError]
) -> list[Step]:
    try:
        return plan_contacts(session, stamp, rows)
    except FileRefused as refused:
        errors += refused.errors
        return []


def _results(
    session: Session,
    stamp: Stamp,
    state: PlanState,
    rows: Sequence[FileRow],
    errors: list[FileError],
) -> ResultPlan:
    if not rows:
        return ResultPlan()
    stored = Stored(session, state.plan.key)
    return ResultCheck(state, stored, stamp).plan(rows, errors)


_ORDER: Final = {name: n for n, name in enumerate((AGENCIES, PEOPLE, ACCOUNTS, RESULTS))}


def _place(error: FileError) -> tuple[int, int, int, str]:
    """The order in which somebody goes through the file: by sheet, row and column."""
    column = (error.cell or "").rstrip("0123456789")
    return _ORDER.get(error.sheet or "", -1), error.row or 0, len(column), column


def _coordinates(stamp: Stamp) -> bool:
    """Whether the actor may take over results (rule 20)."""
    try:
        need_coordinator(stamp)
    except NotPermitted:
        return False
    return True
