"""Writing a plan back to its files (rule 8): what is read back is what was written."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import Enum
from io import StringIO
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter

from rules.directory import Directory
from rules.values import Plan
from tasks_catalog import schema
from tasks_catalog.build import (
    to_agencies_file,
    to_calendar_file,
    to_obligations_file,
    to_parties_file,
    to_plan_file,
)
from tasks_catalog.daysoff import Correction
from tasks_catalog.loader import AGENCIES, DAYS_OFF, OBLIGATIONS

_HEADINGS = {
    "plan.yaml": "Nguyên văn quyết định, kể cả chỗ viết chưa thống nhất (oddities). Không sửa chữ.",
    "calendar.yaml": "Ngày mở, hạn (cron: phút giờ ngày tháng thứ), bậc nhắc, quy định; có căn cứ.",
    "parties.yaml": "Mỗi cụm từ của quyết định chỉ cơ quan nào, theo ngày; có căn cứ.",
    OBLIGATIONS: "Việc, chỉ tiêu, kinh phí mà Đề án nêu ngoài Phụ lục: nguyên văn và cách hiểu.",
    AGENCIES: "Cơ quan và ngày hiệu lực (valid_to là ngày cuối), nhóm cơ quan, kế thừa.",
    DAYS_OFF: "Ngày nghỉ, ngày làm bù khác với thư viện ngày lễ; mỗi dòng có văn bản.",
}
_WIDTH = 100
_FLOW = 80
"""A list of plain values no longer than this stands on one line."""


def documents(plan: Plan, directory: Directory) -> dict[str, dict[str, object]]:
    """What each file of the plan would hold, by its name; the agencies' under ``agencies``."""
    files: dict[str, schema.Strict] = {
        "plan.yaml": to_plan_file(plan),
        "calendar.yaml": to_calendar_file(plan),
        "parties.yaml": to_parties_file(plan),
        AGENCIES: to_agencies_file(directory),
    }
    if (outside := to_obligations_file(plan)) is not None:
        files[OBLIGATIONS] = outside
    return {name: _document(model) for name, model in files.items()}


def days_off_document(corrections: Iterable[Correction]) -> dict[str, object]:
    """What ``days_off.yaml`` would hold."""
    models = [
        schema.CorrectionModel(day=c.day, working=c.working, name=c.name, document=c.document)
        for c in corrections
    ]
    return _document(schema.DaysOffFile(corrections=models))


def export_plan(
    plan: Plan,
    directory: Directory,
    folder: Path,
    agencies_dir: Path | None = None,
    *,
    corrections: Iterable[Correction] | None = None,
) -> tuple[Path, ...]:
    """Write the plan's files into ``folder``, those beside it as ``load_plan`` looks for them.

    ``days_off.yaml`` is written when ``corrections`` are given. Everything is rendered before
    anything is written, and each file is replaced at once. Returns the files written.
    """
    place = agencies_dir if agencies_dir is not None else folder.parent / AGENCIES
    content = documents(plan, directory)
    texts = {folder / name: _render(name, doc) for name, doc in content.items() if name != AGENCIES}
    texts[place / f"{plan.agencies_file}.yaml"] = _render(AGENCIES, content[AGENCIES])
    if corrections is not None:
        texts[folder.parent / DAYS_OFF] = _render(DAYS_OFF, days_off_document(corrections))
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(text, encoding="utf-8", newline="\n")
        unfinished.replace(path)
    return tuple(texts)


def _document(model: schema.Strict) -> dict[str, object]:
    """A model's fields as a file holds them: defaults left out, enumerations as text."""
    found: dict[str, object] = {}
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        if info.is_required() or value != info.default:
            found[name] = _as_data(value)
    return found


def _as_data(value: object) -> object:
    if isinstance(value, schema.MemberModel) and value.valid_from is value.valid_to is None:
        return value.ref
    if isinstance(value, schema.Strict):
        return _document(value)
    if isinstance(value, dict):
        return {key: _as_data(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_as_data(one) for one in value]
    return value.value if isinstance(value, Enum) else value


class _Plain(RoundTripRepresenter):
    """Writes every value out in full, and null by its name."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def represent_none(self, data: object) -> ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:null", "null")


_Plain.add_representer(type(None), _Plain.represent_none)


def _render(name: str, document: dict[str, object]) -> str:
    yaml = YAML(typ="rt", pure=True)
    yaml.Representer = _Plain
    yaml.width = _WIDTH
    yaml.allow_unicode = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    yaml.dump(_styled(document), out)
    # A long text is broken after a space; the break alone stands for it.
    lines = (line.rstrip() for line in out.getvalue().splitlines())
    return "\n".join((f"# {_HEADINGS[name]}", *lines, ""))


def _styled(value: object) -> object:
    """The same data, short lists and rungs on one line each."""
    if isinstance(value, dict):
        found = CommentedMap((key, _styled(one)) for key, one in value.items())
        if set(value) == {"offset", "audience"}:
            found.fa.set_flow_style()
        return found
    if isinstance(value, list):
        items = CommentedSeq(_styled(one) for one in value)
        plain = all(isinstance(one, str | int | date) for one in value)
        if plain and sum(len(str(one)) + 2 for one in value) <= _FLOW:
            items.fa.set_flow_style()
        return items
    return value
