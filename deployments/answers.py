"""Waits until an address answers: ``python -m deployments.answers http://127.0.0.1:8718/health``.

For units and containers that are ready when they answer. Only the standard library, for it runs at
every start.
"""

from __future__ import annotations

import sys
import time
import urllib.error
import urllib.request

SECONDS = 120.0


def wait(address: str, seconds: float = SECONDS) -> bool:
    """Whether ``address`` (http, on this machine) answered with 200 within ``seconds``."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with opener.open(address, timeout=3) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    return False


def main(arguments: list[str]) -> int:
    """0 when it answers, 1 when it did not."""
    return 0 if wait(arguments[0]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
