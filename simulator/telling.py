"""What is told of a life at its end: the digest of its history, and what nobody foresaw."""

from __future__ import annotations

import hashlib
import traceback
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Event


def unforeseen(error: Exception) -> list[str]:
    """An error that no promise speaks of, with the last places of ours that it came through."""
    ours = [
        f"{Path(place.filename).name}:{place.lineno} {place.name}"
        for place in traceback.extract_tb(error.__traceback__)
        if ".venv" not in place.filename and "lib/python" not in place.filename
    ]
    return [f"unforeseen {type(error).__name__}: {error}", *(f"at {one}" for one in ours[-6:])]


def history_digest(session: Session) -> tuple[str, int]:
    """SHA-256 over what all events say but the numbers of links, and how many events there are.

    The number of a link is a secret of its own: it is drawn from no seed.
    """
    whole, links, count = hashlib.sha256(), [], 0
    query = select(Event.entity, Event.digest, Event.at, Event.action, Event.agency_key)
    for entity, digest, at, action, agency in session.execute(query.order_by(Event.id)):
        count += 1
        if entity == "link_token":
            links.append(f"{at} {action} {agency}")
        else:
            whole.update(digest)
    whole.update("\n".join(sorted(links)).encode())
    return whole.hexdigest(), count
