"""Log lines: one form for every process of ours. Secrets and letters' bodies never go there.

A line says who, what, and in which request or run: what a request or a run binds by
:func:`structlog.contextvars.bound_contextvars` stands on each line that is written meanwhile.
uvicorn's lines and Prefect's come in the same form (``prefect_logging.yml`` asks for it).
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Final, Literal

import structlog

Form = Literal["auto", "console", "json"]
"""``auto`` is for people at a terminal and JSON elsewhere."""

OURS: Final = (
    *("cli", "deployments", "flows", "portal", "runtime", "operations", "notifications"),
    *("reports", "models", "tasks_catalog", "rules", "uvicorn"),
)
"""Loggers that are heard from the level of the settings on; all others from warning on."""
PREFECT_FORM: Final = Path(__file__).with_name("prefect_logging.yml")
"""What Prefect reads in place of its own set-up of logs."""

_SECRET_NAME = re.compile(r"passw|secret|token|authorization|cookie|api_key", re.IGNORECASE)
_MASKS: Final = (
    (re.compile(r"(?<=://)([^/\s:@]+):[^/\s@]+@"), r"\1:***@"),
    (
        re.compile(r"(/(?:lien-ket|tai-khoan-dau-tien|dat-mat-khau|lich)/)[^/\s\"'<>?]+"),
        r"\1***",
    ),
    (re.compile(r"\b(td_\w{10})[\w-]+"), r"\1***"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"), r"\1 ***"),
)
"""Passwords in addresses, live links and calendars, tokens of the API."""
_LONG = re.compile(r"[\w.~=-]{30,}")


def mask(text: str) -> str:
    """``text`` without what opens anything."""
    for pattern, instead in _MASKS:
        text = pattern.sub(instead, text)
    return text


def mask_path(path: str) -> str:
    """The path of a request that may go into a log: also mistyped links are blotted out."""
    return _LONG.sub("***", mask(path))[:300]


def hide_secrets(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Blot out values under names that sound secret, and what opens anything in all others."""
    for name, value in event.items():
        event[name] = "***" if _SECRET_NAME.search(name) else _hidden(value)
    return event


def _hidden(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, (list, tuple)):
        return [_hidden(one) for one in value]
    if isinstance(value, dict):
        return dict(hide_secrets(None, "", dict(value)))
    return value


def _named(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Prefect's name of a run as ours."""
    if run := event.pop("flow_run_id", None):
        event.setdefault("run", run)
    return event


_SHARED: Final[list[Any]] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    hide_secrets,
]


def form_here(form: str) -> Literal["console", "json"]:
    """The form that ``auto`` stands for where this process writes."""
    if form == "auto":
        return "console" if sys.stderr.isatty() else "json"
    return "json" if form == "json" else "console"


def formatter(form: str = "auto", process: str | None = None) -> logging.Formatter:
    """What turns a line, ours or another library's, into text; sets structlog up on the way.

    ``process`` names the program on each line.
    """
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    last: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form_here(form) == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )

    def signed(
        _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        if process is not None:
            event["process"] = process
        return event

    extra = structlog.stdlib.ExtraAdder(allow={"flow_run_id", "flow_run_name"})
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[extra, _named, *_SHARED],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, signed, last],
    )


class _Handler(logging.StreamHandler[Any]):
    """Ours, so that it can be told from a handler that somebody else set."""


def set_up_logs(level: str = "info", form: Form = "auto", *, process: str | None = None) -> None:
    """Send our lines and the standard library's to stderr, in the same form.

    ``level`` is debug, info, warning or error; other libraries are heard from warning on.
    """
    handler = _Handler(sys.stderr)
    handler.setFormatter(formatter(form, process))
    root = logging.getLogger()
    for old in list(root.handlers):
        # Prefect writes to stderr as well, once it is imported; each line is wanted once.
        if isinstance(old, _Handler) or getattr(old, "stream", None) is sys.stderr:
            root.removeHandler(old)
    root.addHandler(handler)
    set_levels(level)


def set_levels(level: str) -> None:
    """Hear our own loggers from ``level`` on, all others from warning on."""
    logging.getLogger().setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(level.upper())


def logger(name: str) -> Any:
    """A logger that takes facts as keywords: ``logger(__name__).info("sent", letters=3)``."""
    return structlog.stdlib.get_logger(name)
