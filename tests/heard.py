"""What the tests log, kept in a file, and looked through for what no log may hold."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from runtime.logs import formatter, set_levels

FORBIDDEN: Final = {
    "a password of the tests": re.compile(
        r"mat-khau-rat-dai-2027|Mat-khau-bi-mat-123|mười hai con giáp|cá vàng 6"
    ),
    "the key that signs links": re.compile(r"a-secret-for-tests|a secret of the fault tests"),
    "a live link": re.compile(
        r"/(?:lien-ket|tai-khoan-dau-tien|dat-mat-khau|lich)/[\w-]{6,}(?:\.|%2E)[\w-]{6,}"
    ),
    "a token of the API": re.compile(r"td_[0-9a-f]{10}_[\w-]{6,}"),
    "a hashed password": re.compile(r"\$argon2"),
    "the secret of one-time codes": re.compile(r"otpauth://|secret=[A-Z2-7]{16,}"),
    "a session": re.compile(r"tiendo_phien=[\w.]"),
    "the body of a letter": re.compile(r"Kính gửi|BEGIN:VCALENDAR|<!doctype html|Trân trọng"),
    "values of a statement": re.compile(r"\[parameters: (?!\[?SQL parameters hidden)"),
}
"""Marks of what the log of the suite must not hold, each by what it is."""


def secrets_in(text: str) -> list[str]:
    """What of it stands in ``text``, with the line."""
    return [
        f"{what}: {line[:300]}"
        for line in text.splitlines()
        for what, mark in FORBIDDEN.items()
        if mark.search(line)
    ]


@contextmanager
def heard(file: Path, level: str = "info") -> Iterator[Path]:
    """Write every line of the log to ``file`` as JSON, until the block ends."""
    handler = logging.FileHandler(file, encoding="utf-8")
    handler.setFormatter(formatter("json"))
    root = logging.getLogger()
    root.addHandler(handler)
    set_levels(level)
    try:
        yield file
    finally:
        root.removeHandler(handler)
        handler.close()
