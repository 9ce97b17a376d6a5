"""Who opened or read what (rules 34, 40)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from models.tables import AccessLog, LinkToken

_SCANNER: Final = re.compile(
    r"bot|crawl|spider|scan|preview|proxy|fetch|headless|python|curl|wget|java/|go-http|"
    r"outlook.*safelinks|barracuda|mimecast|proofpoint",
    re.IGNORECASE,
)


def _plain(text: str) -> str:
    """``text`` without characters that a database cannot keep, such as a NUL from ``%00``."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)


def log_access(
    session: Session,
    *,
    at: datetime,
    actor: str,
    method: str,
    path: str,
    token: LinkToken | None = None,
    api_token: str | None = None,
    address: str | None = None,
    agent: str | None = None,
) -> None:
    """Log who opened or read what (rules 34, 40).

    Opens by link (GET, HEAD) may always be a scanner's and are marked so; so is whatever calls
    itself one; a program with a token of the API, named by its public part, is none. The token's
    text never goes into ``path``.
    """
    path, agent = _plain(path), agent and _plain(agent)
    by_link = token is not None and method.upper() in {"GET", "HEAD"}
    session.add(
        AccessLog(
            at=at,
            actor=actor[:400],
            method=method.upper()[:24],
            path=path,
            token_id=api_token if token is None else token.id,
            address=address,
            agent=agent,
            maybe_scanner=by_link or bool(api_token is None and agent and _SCANNER.search(agent)),
        )
    )
