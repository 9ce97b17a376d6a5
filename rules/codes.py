"""One-time codes at sign-in: the time step of a code, recovery codes, how people type them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

STEP_SECONDS: Final = 30
"""RFC 6238's time step, which all authenticator programs know."""
DRIFT: Final = 1
"""Steps that a telephone's clock may be before or after ours."""
RECOVERY_CODES: Final = 10
RECOVERY_LENGTH: Final = 12
"""Letters of a recovery code: 60 bits."""
RECOVERY_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
"""Base32: no 0, 1 or 8 that could be read as a letter."""
_BETWEEN: Final = re.compile(r"[\s.\-–]+")
_READ_AS: Final = str.maketrans({"0": "O", "1": "I", "8": "B"})


def one_code(typed: str) -> str | None:
    """The six digits that were typed, with or without blanks; None when it is something else."""
    found = _BETWEEN.sub("", typed)
    return found if len(found) == 6 and found.isascii() and found.isdigit() else None


def recovery_code(typed: str) -> str | None:
    """A recovery code as it was typed, in capitals without blanks; None when it cannot be one."""
    found = _BETWEEN.sub("", typed).upper().translate(_READ_AS)
    whole = len(found) == RECOVERY_LENGTH and set(found) <= set(RECOVERY_LETTERS)
    return found if whole else None


def steps_to_try(step: int, last: int | None) -> Iterable[int]:
    """The steps whose code is taken at ``step``, nearest first; none up to ``last``, the last used."""
    near = sorted(range(step - DRIFT, step + DRIFT + 1), key=lambda one: abs(one - step))
    return [one for one in near if last is None or one > last]


def in_groups(text: str, size: int = 4) -> str:
    """``text`` in groups of ``size``, as people read it off: ``ABCD EFGH``."""
    return " ".join(text[at : at + size] for at in range(0, len(text), size))
