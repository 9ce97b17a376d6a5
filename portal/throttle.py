"""Rate limits on the doors: logging in, links, uploads, the local mailbox.

Counted in this process's memory: the portal is one process. Offices share one public address, so
what counts by address is generous, and what guesses (a wrong password, a forged link) is counted
by itself.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from portal.errors import TooMany

LOGIN: Final = parse("20/minute")
"""Tries to log in, by address."""
LOGIN_NAME: Final = parse("10/5minute")
"""Tries to log in, by account; the account itself locks after five wrong passwords."""
FORGED: Final = parse("20/5minute")
"""Links that we never issued, by address."""
OPENS: Final = parse("300/minute")
"""Pages opened by link, by address."""
POSTS: Final = parse("60/5minute")
"""Forms sent, by link or account."""
UPLOADS: Final = parse("30/10minute")
"""Forms with files, by link or account."""
AGAIN: Final = parse("10/hour")
"""Fresh links asked for, by address."""


@dataclass(frozen=True, slots=True)
class Throttle:
    """Counts what was done by whom within a moving window."""

    _limiter: MovingWindowRateLimiter = field(
        default_factory=lambda: MovingWindowRateLimiter(MemoryStorage())
    )

    def hit(self, item: RateLimitItem, *who: str) -> None:
        """Count one.

        Raises:
            TooMany: it was one too many; says how long to wait.
        """
        if not self._limiter.hit(item, *who):
            self._refuse(item, who)

    def look(self, item: RateLimitItem, *who: str) -> None:
        """Count nothing, and refuse whoever has used up the window.

        Raises:
            TooMany: nothing is left.
        """
        if not self._limiter.test(item, *who):
            self._refuse(item, who)

    def _refuse(self, item: RateLimitItem, who: tuple[str, ...]) -> None:
        reset, _ = self._limiter.get_window_stats(item, *who)
        raise TooMany(round(reset - time.time()))
