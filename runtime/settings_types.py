"""The types that settings are made of; their errors speak Vietnamese, for operators read them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from croniter import croniter
from pydantic import AfterValidator, Field, StringConstraints

from notifications.addresses import check_address


def setting(default: Any, description: str, right: str, *, shown: bool = True) -> Any:
    """A field: what it is, and (in Vietnamese, for errors) what would be right.

    ``shown`` off keeps a value that may hold a password out of texts.
    """
    extra: dict[str, Any] = {"right": right, "shown": shown}
    return Field(default, description=description, repr=shown, json_schema_extra=extra)


def _cron(text: str) -> str:
    if len(text.split()) != 5 or not croniter.is_valid(text):
        raise ValueError("không phải biểu thức cron năm trường")
    return text


def _web(text: str) -> str:
    if not text.startswith(("http://", "https://")) or not text.isascii():
        raise ValueError("không phải địa chỉ web bắt đầu bằng http:// hoặc https://")
    return text.rstrip("/")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("không có múi giờ này") from error
    return name


def _database(url: str) -> str:
    from sqlalchemy.exc import ArgumentError

    from models.engine import normalise_url

    try:
        return normalise_url(url)
    except (ArgumentError, ValueError) as error:
        raise ValueError("không phải địa chỉ cơ sở dữ liệu dùng được") from error


def _limits_storage(uri: str) -> str:
    scheme = uri.partition("://")[0]
    if uri != "memory://" and scheme not in {"redis", "rediss", "redis+unix"}:
        raise ValueError("không phải nơi đếm dùng được")
    return uri


def _age_keys(text: str) -> str:
    import pyrage

    for one in text.split():
        try:
            pyrage.x25519.Recipient.from_str(one)
        except pyrage.RecipientError as error:
            raise ValueError("không phải khóa công khai của age") from error
    return text


def _absolute(path: Path) -> Path:
    return path.expanduser().resolve()


def _file(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"không có tệp {path}")
    return path


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise ValueError(f"không có thư mục {path}")
    return path


def _plan_folder(path: Path) -> Path:
    if not (path / "plan.yaml").is_file():
        raise ValueError(f"không có tệp plan.yaml trong {path}")
    return path


Port = Annotated[int, Field(ge=1, le=65535)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]+$")]
Cron = Annotated[str, AfterValidator(_cron)]
ClaimName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:/-]{1,100}$")]
AgeKeys = Annotated[str, AfterValidator(_age_keys)]
Address = Annotated[str, AfterValidator(check_address)]
WebAddress = Annotated[str, AfterValidator(_web)]
LimitsStorage = Annotated[str, AfterValidator(_limits_storage)]
TimeZone = Annotated[str, AfterValidator(_zone)]
DatabaseUrl = Annotated[str, AfterValidator(_database)]
Folder = Annotated[Path, AfterValidator(_absolute)]
ExistingFolder = Annotated[Path, AfterValidator(_absolute), AfterValidator(_folder)]
ExistingFile = Annotated[Path, AfterValidator(_absolute), AfterValidator(_file)]
PlanFolder = Annotated[Path, AfterValidator(_absolute), AfterValidator(_plan_folder)]
