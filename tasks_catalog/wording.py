"""What a mistake in the shape of a file is called in Vietnamese."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tasks_catalog import schema
from tasks_catalog.yaml_source import YamlSource


def _fields() -> set[str]:
    """The names of all fields, those of models outside of ``schema`` as well."""
    return {name for model in schema.Strict.__subclasses__() for name in model.model_fields}


_FORMATS: Mapping[str, tuple[str, str]] = {
    "string_type": ("không phải là chuỗi", 'đặt trong dấu nháy, ví dụ "2025"'),
    "int_type": ("không phải là số nguyên", "ghi số nguyên, không đặt trong dấu nháy"),
    "float_type": ("không phải là số", "ghi số, không đặt trong dấu nháy"),
    "bool_type": ("không phải là true hoặc false", "ghi true hoặc false"),
    "date_type": ("không phải là ngày", "ghi ngày theo dạng 2025-07-01, không đặt trong dấu nháy"),
    "list_type": ("không phải là danh sách", "ghi mỗi phần tử một dòng, bắt đầu bằng “- ”"),
    "dict_type": ("không phải là nhóm trường", "ghi mỗi trường một dòng, dạng “tên: giá trị”"),
    "model_type": ("không phải là nhóm trường", "ghi mỗi trường một dòng, dạng “tên: giá trị”"),
    "too_short": ("danh sách trống", "ghi ít nhất một phần tử"),
    "blank": ("để trống hoặc thừa dấu cách ở đầu, cuối", "ghi nội dung, bỏ dấu cách thừa"),
    "time_zone": ("không có múi giờ này", "ghi tên theo IANA, ví dụ Asia/Ho_Chi_Minh"),
    "month_day": ("không có ngày này", "ghi tháng-ngày, ví dụ 04-01"),
    "added_key": (
        "khóa dành cho việc ngoài Phụ lục",
        "chọn khóa khác, không bắt đầu bằng BS-, NPL.",
    ),
    "beside_key": ("khóa sai dạng", "ghi khóa bắt đầu bằng NPL., ví dụ NPL.1"),
    "string_pattern_mismatch": (
        "khóa sai dạng",
        "dùng chữ không dấu, số và dấu _ (nhóm cơ quan bắt đầu bằng @; khóa nhiệm vụ như I.1)",
    ),
}

_MISSING = {
    "basis": "ghi căn cứ: số, ký hiệu văn bản, hoặc “mặc định, chờ cơ quan điều phối quyết định”",
}

_Model = TypeVar("_Model", bound=schema.Strict)


def parse(model: type[_Model], source: YamlSource) -> _Model | None:
    """The file as ``model``; None when it is wrong, with every mistake noted in ``source``."""
    if source.errors:
        return None
    try:
        return model.model_validate(source.data)
    except ValidationError as error:
        for detail in error.errors():
            problem, remedy = _describe(detail)
            source.refuse(tuple(p for p in detail["loc"] if p != "[key]"), problem, remedy)
        return None


def nearest(name: str, known: Iterable[str], *, otherwise: str) -> str:
    """A remedy for an unknown name: the one that was probably meant."""
    close = get_close_matches(name, list(known), n=1)
    return f"có phải là “{close[0]}”? Nếu không, {otherwise}" if close else otherwise


def _describe(detail: ErrorDetails) -> tuple[str, str]:
    kind, name = detail["type"], str(detail["loc"][-1]) if detail["loc"] else ""
    limits = detail.get("ctx", {})
    match kind:
        case "missing":
            return "thiếu trường này", _MISSING.get(name, f"thêm dòng “{name}: …”")
        case "extra_forbidden":
            otherwise = "bỏ trường này hoặc sửa lại tên"
            return "trường không được dùng", nearest(name, _fields(), otherwise=otherwise)
        case "enum" | "literal_error":
            allowed = str(limits.get("expected", "")).replace(" or ", ", ")
            return f"giá trị “{detail['input']}” không được dùng", f"chọn một trong: {allowed}"
        case "greater_than_equal":
            return f"giá trị {detail['input']} quá nhỏ", f"ghi từ {limits['ge']} trở lên"
        case "less_than_equal":
            return f"giá trị {detail['input']} quá lớn", f"ghi không quá {limits['le']}"
        case "greater_than":
            return f"giá trị {detail['input']} quá nhỏ", f"ghi số lớn hơn {limits['gt']}"
        case "less_than":
            return f"giá trị {detail['input']} quá lớn", f"ghi số nhỏ hơn {limits['lt']}"
        case _ if kind in _FORMATS:
            problem, remedy = _FORMATS[kind]
            shown = f" (đang là {detail['input']!r})" if kind.endswith(("_type", "match")) else ""
            return problem + shown, remedy
        case _:
            return f"giá trị sai ({detail['msg']})", "xem lại theo các bản ghi cùng loại"
