"""Changes of agencies as a file, read whole or refused with every mistake by its line (rules 9, 35)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field

from rules.reorganising import (
    Accounts,
    ChangeKind,
    NewAgency,
    Problem,
    Reorganisation,
    Successor,
)
from tasks_catalog.errors import CatalogErrors
from tasks_catalog.schema import Key, Loose, Strict, Text
from tasks_catalog.wording import parse
from tasks_catalog.yaml_source import Loc, YamlSource, read_yaml


class PaperModel(Strict):
    code: Text
    issued_on: date | None = None


class NewAgencyModel(Strict):
    name: Text
    key: Key | None = None
    formal_name: Text | None = None
    kind: Key | None = None
    code: Text | None = None


class SuccessorModel(Strict):
    agency: Key | None = None
    new: NewAgencyModel | None = None
    items: list[Text] = Field(default_factory=list)
    groups: list[Key] | None = None


class ReorganisationModel(Strict):
    kind: Annotated[ChangeKind, Loose]
    effective_on: date
    document: PaperModel
    predecessors: list[Key] = Field(default_factory=list)
    successors: list[SuccessorModel] = Field(default_factory=list)
    reason: Text | None = None
    accounts: Annotated[Accounts, Loose] = Accounts.MOVE
    contacts: bool = False
    late: bool = False


class ReorganisationsFile(Strict):
    """The file: changes in the order in which they are made. Fields are those of ``rules``."""

    reorganisations: Annotated[list[ReorganisationModel], Field(min_length=1)]


class ReorganisationSource:
    """A file as read, which can still name the line of what is wrong in the database's eyes."""

    def __init__(self, source: YamlSource, changes: Sequence[Reorganisation]) -> None:
        self.source, self.changes = source, tuple(changes)

    def errors(self, number: int, problems: Sequence[Problem]) -> CatalogErrors:
        """The problems of one change (from 0), each by its line in the file."""
        for one in problems:
            what, mark, remedy = one.text.partition("; ")
            if not mark:
                what, remedy = "chưa hợp lệ", one.text
            self.source.refuse(_place(number, one.field), what, remedy.removesuffix("."))
        return CatalogErrors(self.source.errors)


def read_reorganisations(path: Path, raw: bytes | None = None) -> ReorganisationSource:
    """Read a file of changes; ``raw`` is its content where it came from elsewhere.

    Raises:
        CatalogErrors: with every mistake, by file, line, field and remedy.
    """
    source = read_yaml(path, raw)
    file = parse(ReorganisationsFile, source)
    if file is None:
        raise CatalogErrors(source.errors)
    return ReorganisationSource(source, [_value(one) for one in file.reorganisations])


def _value(model: ReorganisationModel) -> Reorganisation:
    return Reorganisation(
        kind=model.kind,
        effective_on=model.effective_on,
        document_code=model.document.code,
        document_issued_on=model.document.issued_on,
        predecessors=tuple(model.predecessors),
        successors=tuple(_successor(one) for one in model.successors),
        reason=model.reason,
        accounts=model.accounts,
        contacts=model.contacts,
        late=model.late,
    )


def _successor(model: SuccessorModel) -> Successor:
    return Successor(
        agency=model.agency,
        new=None if model.new is None else NewAgency(**model.new.model_dump()),
        items=tuple(model.items),
        groups=None if model.groups is None else tuple(model.groups),
    )


_PAPER = {"document": ("document", "code"), "issued_on": ("document", "issued_on")}
_OF_NEW = frozenset({"name", "key", "kind"})


def _place(number: int, field: str) -> Loc:
    """Where a field of :class:`rules.reorganising.Problem` stands in the file."""
    parts: list[str | int] = [int(one) if one.isdigit() else one for one in field.split(".")]
    if field in _PAPER:
        parts = list(_PAPER[field])
    elif len(parts) == 3 and parts[2] in _OF_NEW:
        parts.insert(2, "new")
    return ("reorganisations", number, *parts)
