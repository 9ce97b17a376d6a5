"""What a few tests need of the machine: without it they are skipped, in CI they fail.

CI is where the variable CI is set to something but a no: there a test that did not run must not
look like one that passed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

import pytest

_NO: Final = frozenset({"", "0", "false", "no"})


def in_ci() -> bool:
    """Whether nobody looks at the list of skipped tests."""
    return os.environ.get("CI", "").strip().lower() not in _NO


def missing(what: str, remedy: str) -> None:
    """Skip the test that asks, or in CI fail it; ``remedy`` says what brings what is missing."""
    if in_ci():
        pytest.fail(f"{what} In CI this may not be skipped: {remedy}", pytrace=False)
    pytest.skip(what)


def need(there: Callable[[], bool] | bool, what: str, remedy: str) -> None:
    """Go on where ``there`` holds; else as :func:`missing`."""
    if not (there() if callable(there) else there):
        missing(what, remedy)
