"""The directory of agencies in the database, taken over from files without losing edits (rule 8).

Three versions of each entry are compared: the one applied last, the one stored, the one in the
files. An entry whose stored form is no longer the applied one was edited in the system; it stays,
and is named, unless the caller asks to overwrite.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeVar

from pydantic import TypeAdapter
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.bulk import allocate_ids
from models.tables import AgencyRow, GroupRow, MemberRow, SuccessionRow
from operations.history import Change, record, snapshot_of
from operations.stamp import Stamp
from operations.state import load_directory
from rules.directory import Directory
from rules.values import Agency, Group, Succession

_AGENCIES = TypeAdapter(tuple[Agency, ...])
_GROUPS = TypeAdapter(tuple[Group, ...])
_SUCCESSIONS = TypeAdapter(tuple[Succession, ...])
_Entry = TypeVar("_Entry", Agency, Group)


def directory_to_json(directory: Directory) -> str:
    """A directory as JSON text with sorted keys."""
    return json.dumps(
        {
            "agencies": _AGENCIES.dump_python(directory.agencies, mode="json"),
            "groups": _GROUPS.dump_python(directory.groups, mode="json"),
            "successions": _SUCCESSIONS.dump_python(directory.successions, mode="json"),
        },
        ensure_ascii=False,
        sort_keys=True,
    )


def directory_from_json(text: str) -> Directory:
    """What :func:`directory_to_json` wrote."""
    found = json.loads(text)
    return Directory(
        agencies=_AGENCIES.validate_python(found["agencies"]),
        groups=_GROUPS.validate_python(found["groups"]),
        successions=_SUCCESSIONS.validate_python(found["successions"]),
    )


def union(stored: Directory, files: Directory) -> Directory:
    """``files`` laid over ``stored``: other plans' agencies stay."""
    return Directory(
        agencies=({one.key: one for one in stored.agencies} | _by_key(files.agencies)).values(),
        groups=({one.key: one for one in stored.groups} | _by_key(files.groups)).values(),
        successions=dict.fromkeys((*stored.successions, *files.successions)),
    )


def _by_key(entries: tuple[_Entry, ...]) -> dict[str, _Entry]:
    return {one.key: one for one in entries}


def store_directory(
    session: Session,
    stamp: Stamp,
    files: Directory,
    *,
    last_applied: Directory | None,
    overwrite: bool,
) -> list[str]:
    """Write new and changed entries; the names of those that were edited and therefore kept."""
    stored = load_directory(session)
    applied_agencies = _by_key(last_applied.agencies) if last_applied else {}
    applied_groups = _by_key(last_applied.groups) if last_applied else {}
    agencies, kept_agencies = _to_write(
        _by_key(files.agencies), _by_key(stored.agencies), applied_agencies, overwrite=overwrite
    )
    groups, kept_groups = _to_write(
        _by_key(files.groups), _by_key(stored.groups), applied_groups, overwrite=overwrite
    )
    # Held while they are written: each is then found in the session and not asked for singly.
    rows = session.scalars(select(AgencyRow)).all()
    absent = {one.key for one in agencies} - {one.key for one in rows}
    places = {one.key: place for place, one in enumerate(files.agencies)}
    changes = [
        write_agency(session, one, places[one.key], new=one.key in absent) for one in agencies
    ]
    changes += [write_group(session, one, files.groups.index(one)) for one in groups]
    session.flush()
    changes += [
        write_succession(session, one)
        for one in files.successions
        if one not in set(stored.successions)
    ]
    session.flush()
    record(session, stamp, changes)
    return kept_agencies + kept_groups


def _to_write(
    files: Mapping[str, _Entry],
    stored: Mapping[str, _Entry],
    applied: Mapping[str, _Entry],
    *,
    overwrite: bool,
) -> tuple[list[_Entry], list[str]]:
    write: list[_Entry] = []
    kept: list[str] = []
    for key, wanted in files.items():
        there = stored.get(key)
        if there == wanted:
            continue
        edited = there is not None and key in applied and there != applied[key]
        if edited and not overwrite:
            kept.append(wanted.name)
        else:
            write.append(wanted)
    return write, kept


def write_agency(session: Session, one: Agency, position: int, *, new: bool = False) -> Change:
    """Write an agency as it should be; the change is the caller's to record.

    ``new`` when the caller knows that there is none yet.
    """
    row = None if new else session.get(AgencyRow, one.key)
    values = {
        "position": position,
        "name": one.name,
        "formal_name": one.formal_name,
        "kind": one.kind,
        "code": one.code,
        "valid_from": one.valid_from,
        "valid_to": one.valid_to,
        "letters": one.letters,
        "certainty": one.certainty.value,
        "note": one.note,
    }
    if row is None:
        row = AgencyRow(key=one.key, pilot=False, version=1, **values)
        session.add(row)
    else:
        for name, value in values.items():
            setattr(row, name, value)
        row.version += 1
    return Change(
        entity="agency",
        entity_id=one.key,
        action="apply",
        snapshot=snapshot_of(row),
        agency=one.key,
    )


def write_group(session: Session, one: Group, position: int) -> Change:
    """Write a group with all its members; the change is the caller's to record."""
    row = session.get(GroupRow, one.key)
    if row is None:
        row = GroupRow(key=one.key)
        session.add(row)
    row.name, row.letters, row.note = one.name, one.letters, one.note
    row.position = position
    row.certainty = one.certainty.value
    session.flush()
    session.execute(delete(MemberRow).where(MemberRow.group_key == one.key))
    ids = allocate_ids(session, "group_member", len(one.members))
    session.add_all(
        MemberRow(
            id=number,
            group_key=one.key,
            position=position,
            ref=member.ref,
            valid_from=member.valid_from,
            valid_to=member.valid_to,
        )
        for position, (number, member) in enumerate(zip(ids, one.members, strict=True))
    )
    session.flush()
    return Change(
        entity="group",
        entity_id=one.key,
        action="apply",
        snapshot=snapshot_of(row)
        | {"members": [[m.ref, m.valid_from, m.valid_to] for m in one.members]},
    )


def write_succession(session: Session, one: Succession) -> Change:
    """Write a succession; the change is the caller's to record."""
    row = session.scalars(
        select(SuccessionRow).where(
            SuccessionRow.predecessor == one.predecessor,
            SuccessionRow.successor == one.successor,
            SuccessionRow.effective_on == one.effective_on,
        )
    ).one_or_none()
    if row is None:
        row = SuccessionRow(
            id=allocate_ids(session, "succession", 1)[0],
            predecessor=one.predecessor,
            successor=one.successor,
            effective_on=one.effective_on,
        )
        session.add(row)
    row.document, row.items, row.note = one.document, " ".join(one.items), one.note
    row.certainty = one.certainty.value
    session.flush()
    return Change(
        entity="succession",
        entity_id=str(row.id),
        action="apply",
        snapshot=snapshot_of(row),
        agency=one.predecessor,
        document=one.document,
        effective_on=one.effective_on,
    )
