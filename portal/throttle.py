"""Rate limits on the doors: logging in, links, uploads, the local mailbox.

Counted in this process's memory, or in a Redis that several portal processes share
(``TIENDO_LIMITS_STORAGE``). A Redis that is not there stops the start; one that goes away later is
logged, and until it is back each process counts by itself, so that nobody is shut out. Offices share one public address, so
what counts by address is generous, and what guesses (a wrong password, a forged link) is counted
by itself.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from limits import RateLimitItem, parse
from limits.errors import ConfigurationError, StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from portal.errors import TooMany
from runtime.logs import logger

_T = TypeVar("_T")

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
FEEDS: Final = parse("120/hour")
"""Readings of one calendar, by all who subscribed to it."""
OPEN_DATA: Final = parse("120/minute")
"""Readings of the open data, by address."""
WRONG_FEEDS: Final = parse("60/5minute")
"""Calendar addresses that are none, by address; an old one goes on being asked for."""
API_CALLS: Final = parse("600/minute")
"""Requests to the API, by token."""
API_ADDRESS: Final = parse("1200/minute")
"""Requests to the API, by address; several programs of an office share one."""
AGAIN: Final = parse("10/hour")
"""Fresh links asked for, by address."""


class LimitsUnreachable(Exception):
    """The storage of the limits does not answer; the text says which one and what to do."""

    def __init__(self, storage: str) -> None:
        shown = re.sub(r"(?<=://)[^/@]*@", "***@", storage)
        super().__init__(
            f"TIENDO_LIMITS_STORAGE={shown}: không kết nối được. Đề nghị kiểm tra máy chủ Redis "
            "đang chạy và địa chỉ đúng, hoặc bỏ thiết lập này nếu chỉ chạy một tiến trình."
        )


@dataclass(frozen=True, slots=True)
class Throttle:
    """Counts what was done by whom within a moving window."""

    _limiter: MovingWindowRateLimiter = field(
        default_factory=lambda: MovingWindowRateLimiter(MemoryStorage())
    )
    _alone: MovingWindowRateLimiter = field(
        default_factory=lambda: MovingWindowRateLimiter(MemoryStorage())
    )
    """Counts while the shared storage does not answer."""

    def hit(self, item: RateLimitItem, *who: str) -> None:
        """Count one.

        Raises:
            TooMany: it was one too many; says how long to wait.
        """
        if not self._ask(lambda limiter: limiter.hit(item, *who)):
            self._refuse(item, who)

    def look(self, item: RateLimitItem, *who: str) -> None:
        """Count nothing, and refuse whoever has used up the window.

        Raises:
            TooMany: nothing is left.
        """
        if not self._ask(lambda limiter: limiter.test(item, *who)):
            self._refuse(item, who)

    def _refuse(self, item: RateLimitItem, who: tuple[str, ...]) -> None:
        reset, _ = self._ask(lambda limiter: limiter.get_window_stats(item, *who))
        raise TooMany(round(reset - time.time()))

    def _ask(self, ask: Callable[[MovingWindowRateLimiter], _T]) -> _T:
        try:
            return ask(self._limiter)
        except StorageError as error:
            logger(__name__).error("the shared limits do not answer", why=str(error))
            return ask(self._alone)


def open_throttle(storage: str) -> Throttle:
    """Limits counted at ``storage``, the address of a setting.

    Raises:
        LimitsUnreachable: nothing answers there.
    """
    if storage == "memory://":
        return Throttle()
    waits: dict[str, Any] = {"socket_connect_timeout": 3, "socket_timeout": 3}
    try:
        found = storage_from_string(storage, wrap_exceptions=True, **waits)
        if found.check():
            return Throttle(MovingWindowRateLimiter(found))
    except (ConfigurationError, StorageError, ValueError):
        pass
    raise LimitsUnreachable(storage)
