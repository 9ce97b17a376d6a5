"""Telling outlets: queue, then claim, send, record, one message at a time, each step committed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import date

from models.engine import Database
from notifications.chat import tell
from notifications.reaching import Called, Reach, post
from notifications.signatures import signed_headers
from operations.outlets import OutletKind
from operations.outward import Parcel, claim_outward, queue_outward, record_outward
from operations.stamp import Stamp
from operations.vault import Vault
from rules.actors import flow_actor
from runtime.clock import Clock
from runtime.logs import logger

AT_ONCE = 200
"""Messages of one run; the next run goes on."""
SECONDS_AT_MOST = 180.0
"""After which a run begins no other message: it keeps one of the few places for runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutwardOffice:
    """Where messages leave from."""

    database: Database
    clock: Clock
    vault: Vault = field(repr=False)
    reach: Reach
    portal_url: str
    off_days: int
    run: str | None = None

    def stamp(self, as_of: date) -> Stamp:
        """The circumstances of one step, now."""
        actor = flow_actor("báo ra ngoài")
        return Stamp(at=self.clock.now(), as_of=as_of, actor=actor, run=self.run)


def tell_outward(office: OutwardOffice, *, as_of: date) -> dict[str, int]:
    """Tell outlets what they have not been told; how many messages ended in which state.

    One that does not answer is asked once in a run, so that it keeps no other waiting.
    """
    found: dict[str, int] = {}
    silent: set[int] = set()
    ends = time.monotonic() + SECONDS_AT_MOST
    with office.database.write() as session:
        queue_outward(session, office.stamp(as_of), portal_url=office.portal_url)
    for _ in range(AT_ONCE):
        if time.monotonic() > ends:
            break
        with office.database.write() as session:
            stamp = office.stamp(as_of)
            parcel = claim_outward(session, stamp, office.vault, without=silent)
        if parcel is None:
            break
        called = _send(office, parcel)
        if called.status is None:
            silent.add(parcel.outlet)
        with office.database.write() as session:
            state = record_outward(
                session, office.stamp(as_of), parcel.id, called, off_days=office.off_days
            )
        found[state] = found.get(state, 0) + 1
    return found


def tell_quietly(office: OutwardOffice, *, as_of: date) -> None:
    """The same after letters, which nothing here may hold up: what goes wrong is logged."""
    try:
        tell_outward(office, as_of=as_of)
    except Exception as error:  # noqa: BLE001 - whatever it is, letters do not wait for it
        logger(__name__).error("telling outlets failed; the next run tries again", why=repr(error))


def _send(office: OutwardOffice, parcel: Parcel) -> Called:
    if not parcel.address:
        return Called(status=None, answer="Không đọc được địa chỉ: khóa của hệ thống đã thay đổi.")
    if parcel.kind is OutletKind.CHAT:
        return tell(parcel.address, parcel.body, office.reach)
    body = parcel.body.encode()
    at = int(office.clock.now().timestamp())
    headers = signed_headers(parcel.secret or "", message=parcel.key, at=at, body=body)
    return post(parcel.address, body, headers, office.reach)
