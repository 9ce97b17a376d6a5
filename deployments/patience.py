"""How long one connection may keep the portal waiting, and how many may wait at once.

uvicorn waits for ever for the head of a request and for a reader of an answer; a few thousand such
connections would use up the files that a process may open, and nobody else would get in. Behind a
reverse proxy these limits are met seldom; without one they are what stands between a slow client
and everybody else. Bodies are hurried by ``portal.guard``, where there is a page to answer with.
"""

from __future__ import annotations

import asyncio
import resource
from typing import Final

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

HEAD_SECONDS: Final = 20.0
"""From a connection, or the first byte of its next request, to the end of the request's head."""
READER_SECONDS: Final = 60.0
"""For a reader to take something of an answer that waits for it."""
MOST: Final = 2000
"""Connections at once; beyond it the one that has waited longest without a request is let go."""
HEAD_BYTES: Final = 32 * 1024
"""Of the head of a request: cookies, and the longest address of a filter."""
_SPARE: Final = 200
"""Files that the portal opens beside connections."""


class PatientProtocol(H11Protocol):
    """uvicorn's protocol, which lets go of connections that keep it waiting."""

    _head: asyncio.TimerHandle | None = None
    _reader: asyncio.TimerHandle | None = None
    since: float = 0.0
    """The loop's time from which it waits for a head."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._wait_for_head()
        if len(self.connections) > _most():
            self._make_room()

    def data_received(self, data: bytes) -> None:
        """Take some bytes; whether they end a head is seen by the request that they begin."""
        if self._head is None and self.is_waiting:
            self._wait_for_head()
        super().data_received(data)
        if not self.is_waiting:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._stop_waiting()
        self._stop_reading()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The reader does not take what is there."""
        super().pause_writing()
        self._reader = self.loop.call_later(READER_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The reader took some."""
        self._stop_reading()
        super().resume_writing()

    @property
    def is_waiting(self) -> bool:
        """Whether no request is being answered."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _wait_for_head(self) -> None:
        self.since = self.loop.time()
        self._head = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _stop_reading(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            self._reader = None

    def _too_slow(self) -> None:
        self._head = None
        if self.is_waiting and not self.transport.is_closing():
            self.transport.close()

    def _make_room(self) -> None:
        """Let go of whoever has sent no request for the longest; of this one where all work."""
        # One that was let go a moment ago is counted until the loop comes round.
        held = [one for one in self.connections if not one.transport.is_closing()]
        if len(held) <= _most():
            return
        waiting = [one for one in held if isinstance(one, PatientProtocol) and one.is_waiting]
        oldest = min(waiting, key=lambda one: one.since, default=self)
        oldest.transport.abort()


def _most() -> int:
    return min(MOST, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _SPARE)


def open_more_files() -> None:
    """Let this process open as many files as it may without asking anybody."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * MOST if hard == resource.RLIM_INFINITY else min(hard, 4 * MOST)
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
