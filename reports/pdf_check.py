"""Look into PDFs in a process of its own: a hostile file can end that process and nothing else.

``python -m reports.pdf_check ROOTS FILE...`` prints a line of JSON a file; ROOTS is a folder of
certificates or ``-``. Time and memory are bounded here, and once more by whoever waits.
"""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any, Final

CHECK: Final = "1"
"""The version of what is looked at and how; another one has files looked at again."""
SECONDS: Final = 4
"""For one file."""
START_SECONDS: Final = 15
"""For the process to start, beside the files."""
MEMORY: Final = 1536 * 1024 * 1024
MAX_BYTES: Final = 64 * 1024 * 1024
UNEXAMINED: Final[Mapping[str, Any]] = {"verdict": "unexamined", "signatures": []}


def check_files(files: Sequence[Path], roots: Path | None) -> list[Mapping[str, Any]]:
    """What was found in each of ``files``, as ``reports.pdf_signatures.Examined`` in JSON.

    A file at which the process ended counts as not examined, and so do those behind it.
    """
    command = [sys.executable, "-m", "reports.pdf_check", str(roots or "-"), *map(str, files)]
    limit = START_SECONDS + SECONDS * len(files)
    try:
        done = subprocess.run(  # noqa: S603 - our own program, files named by their digest
            command, capture_output=True, timeout=limit, check=False, cwd=_ROOT
        )
        output = done.stdout
    except subprocess.TimeoutExpired as error:
        output = error.stdout or b""
    found = [_read(line) for line in output.splitlines()[: len(files)]]
    return found + [UNEXAMINED] * (len(files) - len(found))


_ROOT: Final = Path(__file__).resolve().parent.parent


def _read(line: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return UNEXAMINED
    return found if isinstance(found, dict) else UNEXAMINED


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise TimeoutError


def main(roots: str, files: Sequence[str]) -> None:
    """Print what is found in each file."""
    from reports.pdf_signatures import examine_pdf, trusted_roots

    certificates = trusted_roots(None if roots == "-" else Path(roots))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _stop)
    for name in files:
        found = dict(UNEXAMINED)
        signal.alarm(SECONDS)
        try:
            path = Path(name)
            if path.stat().st_size <= MAX_BYTES:
                found = asdict(examine_pdf(path.read_bytes(), certificates))
        except (TimeoutError, MemoryError, RecursionError, OSError):
            found = dict(UNEXAMINED)
        finally:
            signal.alarm(0)
        sys.stdout.write(f"{json.dumps(found)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
