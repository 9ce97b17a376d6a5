"""Agencies change, by people's word: written like a catalog's successions, then replayed (35).

A change whose day is ahead is written at once, with its days; the runs replay it when its day has
come, and ``operations.settling`` lets accounts, links and contacts follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.bulk import allocate_ids
from models.tables import AgencyRow, GroupRow, ReorganisationRow
from operations.agencies import write_agency, write_group, write_succession
from operations.errors import Refused
from operations.guards import need_coordinator
from operations.history import Change, record, snapshot_of
from operations.opening import lock_plan
from operations.reorganising_checks import problems_of
from operations.settling import REORGANISATION, settle_due
from operations.stamp import Stamp
from operations.state import load_directory, load_state, plan_keys
from operations.succession import Moved, replay_successions
from rules.directory import Directory
from rules.reorganising import (
    Problem,
    Reorganisation,
    Successor,
    default_groups,
    key_of_name,
    successions_of,
)
from rules.values import Agency, Member


class ReorganisationRefused(Refused):
    """What was asked for cannot be; ``number`` is the change (from 0), ``problems`` all of it."""

    def __init__(self, number: int, problems: Sequence[Problem]) -> None:
        self.number, self.problems = number, tuple(problems)
        super().__init__(" ".join(one.text for one in problems), field=problems[0].field)


def reorganise(session: Session, stamp: Stamp, asked: Sequence[Reorganisation]) -> Moved:
    """Record changes of agencies, all or none, and move the open work of those whose day has come.

    Raises:
        NotPermitted: not the coordinator.
        ReorganisationRefused: with everything that is wrong with the first change that is.
    """
    need_coordinator(stamp)
    for key in plan_keys(session):
        lock_plan(session, key)
    for number, one in enumerate(asked):
        problems = problems_of(session, stamp, one)
        if problems:
            raise ReorganisationRefused(number, problems)
        _write(session, stamp, one)
    return catch_up(session, stamp)


def catch_up(session: Session, stamp: Stamp) -> Moved:
    """Move and settle all that is due by ``stamp.as_of``, in every plan."""
    total = Moved()
    for key in plan_keys(session):
        moved = replay_successions(session, stamp, load_state(session, key))
        total.created += moved.created
        total.linked += moved.linked
        total.ended += moved.ended
        total.to_review += moved.to_review
    settle_due(session, stamp)
    return total


def _write(session: Session, stamp: Stamp, asked: Reorganisation) -> None:
    directory = load_directory(session)
    one = _with_keys(asked, directory)
    successions = successions_of(one, [heir.agency or _new_key(heir) for heir in one.successors])
    document = successions[0].document if successions else one.document_code
    changes = [
        write_agency(session, replace(old, valid_to=one.last_day), _place(session, old.key))
        for old in map(directory.agency, one.predecessors)
    ]
    last = session.scalars(select(func.max(AgencyRow.position))).one() or 0
    for heir in one.successors:
        if heir.new is not None:
            last += 1
            changes.append(write_agency(session, _agency(one, heir, directory), last))
    session.flush()
    changes += _enter_groups(session, one, directory)
    changes += [write_succession(session, entry) for entry in successions]
    record(
        session,
        stamp,
        [
            replace(
                change,
                document=document,
                effective_on=one.effective_on,
                reason=one.reason or change.reason,
            )
            for change in changes
        ],
    )
    _remember(session, stamp, one)


def _with_keys(one: Reorganisation, directory: Directory) -> Reorganisation:
    """The same with a key for every new agency."""
    taken = {agency.key for agency in directory.agencies}
    heirs = []
    for heir in one.successors:
        if heir.new is not None:
            key = heir.new.key or key_of_name(heir.new.name, taken)
            taken.add(key)
            heir = replace(heir, new=replace(heir.new, key=key))  # noqa: PLW2901 - the filled one
        heirs.append(heir)
    return replace(one, successors=tuple(heirs))


def _new_key(heir: Successor) -> str:
    return (heir.new.key if heir.new is not None else None) or ""


def _agency(one: Reorganisation, heir: Successor, directory: Directory) -> Agency:
    new = heir.new
    if new is None or new.key is None:
        raise AssertionError(heir)
    old = directory.agency(one.predecessors[0]) if one.predecessors else None
    return Agency(
        key=new.key,
        name=new.name,
        formal_name=new.formal_name,
        kind=new.kind or (old.kind if old is not None else ""),
        code=new.code,
        valid_from=one.effective_on,
        letters=old.letters if old is not None else True,
    )


def _place(session: Session, key: str) -> int:
    return session.get_one(AgencyRow, key).position


def _enter_groups(session: Session, one: Reorganisation, directory: Directory) -> list[Change]:
    """Let the successors into their groups; the predecessors stay, for they were members."""
    entering: dict[str, list[Member]] = {}
    for heir in one.successors:
        key = heir.agency or _new_key(heir)
        for group in default_groups(one, heir, directory):
            there = directory.resolve([f"@{group}"], one.effective_on)
            if key not in there:
                member = Member(ref=key, valid_from=one.effective_on)
                entering.setdefault(group, []).append(member)
    changes = []
    for group, members in entering.items():
        known = directory.group(group)
        wanted = replace(known, members=(*known.members, *members))
        changes.append(write_group(session, wanted, session.get_one(GroupRow, group).position))
    return changes


def _remember(session: Session, stamp: Stamp, one: Reorganisation) -> None:
    row = ReorganisationRow(
        id=allocate_ids(session, "reorganisation", 1)[0],
        kind=one.kind.value,
        effective_on=one.effective_on,
        document_code=one.document_code,
        document_issued_on=one.document_issued_on,
        content=REORGANISATION.dump_json(one).decode(),
        recorded_on=stamp.as_of,
        recorded_at=stamp.at,
        recorded_by=stamp.actor.name,
    )
    session.add(row)
    session.flush()
    change = Change(
        entity="reorganisation",
        entity_id=str(row.id),
        action=one.kind.value,
        snapshot=snapshot_of(row),
        effective_on=one.effective_on,
        reason=one.reason,
        document=one.document_code,
    )
    record(session, stamp, [change])
