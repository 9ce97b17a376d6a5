"""Somebody who opens an invitation, logs in, and opens every page and file of the portal by TLS.

``python -m tests.production.walk LINK NAME`` inside the machine, with the code that is installed
there; what the services may not do shows as a page that fails. Prints JSON.
"""

from __future__ import annotations

import json
import ssl
import sys
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.crawler import Crawler

PASSWORD = "một hai ba bốn năm sáu"


def walk(link: str, name: str) -> dict[str, Any]:
    """Statuses of all pages and files by kind; what is ``failed`` no person should see."""
    parts = urlsplit(link)

    def typed(field: str) -> str:
        return name if field == "username" else PASSWORD

    browser: Any = httpx.Client(
        base_url=f"{parts.scheme}://{parts.netloc}",
        timeout=180.0,
        verify=ssl.create_default_context(),
    )
    with browser:
        door = Crawler(browser)
        door.walk(parts.path)
        chosen = next(one for one in door.forms.values() if one.action.startswith(parts.path))
        door.send(chosen, typed, ("", b""))
        entry = Crawler(browser)
        entry.walk("/dang-nhap")
        login = next(one for one in entry.forms.values() if "password" in one.typed)
        entry.send(login, typed, ("", b""))
        inside = Crawler(browser, most=3000)
        inside.walk("/")
    kinds = Counter(
        one.headers.get("content-type", "").partition(";")[0] for one in inside.seen.values()
    )
    seen = {path: one.status_code for path, one in inside.seen.items()}
    return {
        "pages": len(seen),
        "kinds": kinds,
        "refused": [path for path, status in seen.items() if status == httpx.codes.FORBIDDEN],
        "failed": {
            path: status
            for path, status in seen.items()
            if status >= httpx.codes.BAD_REQUEST and status != httpx.codes.FORBIDDEN
        },
    }


if __name__ == "__main__":
    print(json.dumps(walk(*sys.argv[1:]), ensure_ascii=False))  # noqa: T201 - the answer
