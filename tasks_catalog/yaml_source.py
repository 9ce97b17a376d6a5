"""Reading a YAML file of the catalog so that every mistake in it can be named by its line.

Only what the catalog needs is accepted: maps with text keys, lists, texts, whole and decimal
numbers, true and false, null and dates. Anchors, tags and merges are refused.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tasks_catalog.errors import CatalogError

Loc = tuple[str | int, ...]
"""Where a value stands: the keys and list positions that lead to it."""

_TAG = "tag:yaml.org,2002:"


@dataclass
class YamlSource:
    """A file as read: its ``data``, the line of each value, and what was wrong with its text."""

    path: Path
    data: object = None
    raw: bytes = b""
    lines: dict[Loc, int] = field(default_factory=dict)
    errors: list[CatalogError] = field(default_factory=list)
    brought: bool = False
    """Whether its content came from elsewhere, by a form: then its name has no folder."""

    @property
    def name(self) -> str:
        """How messages name the file: its folder and its own name."""
        if self.brought:
            return self.path.name
        return f"{self.path.resolve().parent.name}/{self.path.name}"

    def line(self, loc: Loc) -> int:
        """The line (from 1) of the value, or of the nearest one around it."""
        while loc and loc not in self.lines:
            loc = loc[:-1]
        return self.lines.get(loc, 1)

    def refuse(self, loc: Loc, problem: str, remedy: str) -> None:
        """Note a mistake at this place."""
        self.errors.append(
            CatalogError(self.name, self.line(loc), self.field_name(loc), problem, remedy)
        )

    def refuse_line(self, line: int, problem: str, remedy: str) -> None:
        """Note a mistake in the text of the file, before there are any fields."""
        self.errors.append(CatalogError(self.name, line, "tệp", problem, remedy))

    def field_name(self, loc: Loc) -> str:
        """The place as people read it: ``items > I.1 > due``, ``agencies > xa_a > name``."""
        names: list[str] = []
        here = self.data
        for part in loc:
            if isinstance(part, int):
                here = here[part] if isinstance(here, list) and part < len(here) else None
                key = here.get("key") if isinstance(here, dict) else None
                names.append(key if isinstance(key, str) else f"#{part + 1}")
            else:
                here = here.get(part) if isinstance(here, dict) else None
                names.append(part)
        return " > ".join(names) or "tệp"


def read_yaml(path: Path, raw: bytes | None = None) -> YamlSource:
    """Read a file; whatever is wrong with its text is in ``errors``, and then it has no data.

    ``raw`` is its content where it came from elsewhere.
    """
    source = YamlSource(path, raw=raw or b"", brought=raw is not None)
    text = _text(source)
    if text is None:
        return source
    try:
        node = YAML(typ="rt", pure=True).compose(text)
    except MarkedYAMLError as error:
        # An open quote is noticed at the end of the file and belongs where it was opened.
        quoted = error.context == "while scanning a quoted scalar"
        mark = error.context_mark if quoted else error.problem_mark or error.context_mark
        problem = f"sai cú pháp YAML ({error.problem or error.context})"
        line = mark.line + 1 if mark is not None else 1
        source.refuse_line(line, problem, "xem lại thụt dòng, dấu hai chấm và dấu nháy ở dòng này")
        return source
    except YAMLError as error:
        remedy = "bỏ ký tự lạ, lưu lại tệp ở mã UTF-8"
        source.refuse_line(1, f"không đọc được YAML ({error})", remedy)
        return source
    if node is None:
        source.refuse_line(1, "tệp trống", "ghi nội dung theo mẫu")
        return source
    source.data = _Reader(source).read(node, ())
    return source


def _text(source: YamlSource) -> str | None:
    try:
        if not source.brought:
            source.raw = source.path.read_bytes()
    except FileNotFoundError:
        source.refuse_line(1, "không có tệp này", "tạo tệp này, hoặc sửa lại đường dẫn")
        return None
    except OSError as error:
        remedy = "xem lại quyền đọc và đường dẫn của tệp"
        source.refuse_line(1, f"không đọc được tệp ({error.strerror})", remedy)
        return None
    try:
        text = source.raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source.raw.count(b"\n", 0, error.start) + 1
        source.refuse_line(line, "không phải mã UTF-8", "lưu lại tệp ở mã UTF-8 (Unicode)")
        return None
    for number, line_text in enumerate(text.splitlines(), start=1):
        if "\t" in line_text[: len(line_text) - len(line_text.lstrip())]:
            source.refuse_line(number, "thụt dòng bằng phím Tab", "thay bằng dấu cách")
    return None if source.errors else text


class _Reader:
    """Turns nodes into plain values, keeping lines and refusing what does not belong."""

    def __init__(self, source: YamlSource) -> None:
        self.source = source
        self.seen: set[int] = set()

    def read(self, node: Node, loc: Loc) -> object:
        self.source.lines.setdefault(loc, node.start_mark.line + 1)
        if id(node) in self.seen:
            self._refuse(node, loc, "dùng neo YAML (& và *)", "viết lại đầy đủ nội dung")
            return None
        self.seen.add(id(node))
        if isinstance(node, MappingNode):
            return self._map(node.value, loc)
        if isinstance(node, SequenceNode):
            return [self.read(child, (*loc, n)) for n, child in enumerate(node.value)]
        return self._scalar(node, loc) if isinstance(node, ScalarNode) else None

    def _map(self, pairs: Iterable[tuple[Node, Node]], loc: Loc) -> dict[str, object]:
        values: dict[str, object] = {}
        for key_node, value_node in pairs:
            key = self.read(key_node, (*loc, f"{key_node.value}"))
            place = (*loc, f"{key}")
            if not isinstance(key, str):
                remedy = f'đặt tên trường trong dấu nháy: "{key_node.value}"'
                self._refuse(key_node, place, "tên trường không phải là chuỗi", remedy)
            elif key in values:
                remedy = f"chỉ giữ một (lần đầu ở dòng {self.source.line(place)})"
                self._refuse(key_node, place, f"trùng khóa “{key}”", remedy)
            else:
                self.source.lines[place] = key_node.start_mark.line + 1
                values[key] = self.read(value_node, place)
        return values

    def _scalar(self, node: ScalarNode, loc: Loc) -> object:
        text = str(node.value)
        try:
            match str(node.tag).removeprefix(_TAG):
                case "str":
                    return self._string(text, node, loc)
                case "null":
                    return None
                case "bool":
                    return text.lower() == "true"
                case "int":
                    return int(text)
                case "float":
                    return float(text)
                case "timestamp":
                    return date.fromisoformat(text)
                case other:
                    remedy = "viết giá trị bình thường, không dùng nhãn"
                    self._refuse(node, loc, f"nhãn YAML “{other}” không được dùng", remedy)
        except ValueError:
            remedy = "ghi ngày theo dạng 2025-07-01; chuỗi thì đặt trong dấu nháy"
            self._refuse(node, loc, f"giá trị “{text}” không hợp lệ", remedy)
        return None

    def _string(self, text: str, node: Node, loc: Loc) -> str:
        if not unicodedata.is_normalized("NFC", text):
            remedy = "chuyển sang Unicode dựng sẵn (NFC) rồi lưu lại"
            self._refuse(node, loc, "chữ có dấu ở dạng Unicode tổ hợp", remedy)
        return text

    def _refuse(self, node: Node, loc: Loc, problem: str, remedy: str) -> None:
        line = node.start_mark.line + 1
        name = " > ".join(f"#{p + 1}" if isinstance(p, int) else p for p in loc)
        self.source.errors.append(CatalogError(self.source.name, line, name, problem, remedy))
