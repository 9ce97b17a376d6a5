"""Looks for secrets in what is committed, by detect-secrets: keys, tokens, passwords in addresses.

``python -m tests.secret_scan`` (in ``make check``) compares with ``.secrets.baseline``, which names
what was looked at and is none: words such as "password". Fixed passwords of tests are left out, other kinds are not. A line that
moves is no news; a new finding is. ``--write`` writes the baseline anew, to be read in the diff.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Final

from detect_secrets.core.potential_secret import PotentialSecret
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import default_settings

HOUSE: Final = Path(__file__).parents[1]
BASELINE: Final = HOUSE / ".secrets.baseline"
SEEN: Final = HOUSE / ".cache" / "secrets.json"
_LEFT_OUT: Final = (".lock", ".png", ".ttf", ".svg", ".pdf", ".docx", ".xlsx", ".secrets.baseline")
"""Hashes of packages, and what is no text."""

Known = dict[str, list[str]]
"""By file: each finding as its kind and the digest of what was found."""


def committed() -> list[str]:
    """Every text file that is committed or about to be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, capture_output=True, check=True, text=True, cwd=HOUSE)
    names = (name for name in done.stdout.splitlines() if not name.endswith(_LEFT_OUT))
    return sorted(name for name in names if (HOUSE / name).is_file())


def scan(files: Sequence[str], root: Path = HOUSE) -> Known:
    """What looks like a secret."""
    found = SecretsCollection(root=str(root))
    with default_settings():
        found.scan_files(*files)
    told = {
        name: sorted(
            f"{one.type} {one.secret_hash}" for one in set(found[name]) if not _of_a_test(name, one)
        )
        for name in sorted(found.files)
    }
    return {name: ones for name, ones in told.items() if ones}


def _of_a_test(name: str, found: PotentialSecret) -> bool:
    """Whether it is the fixed password of a test, as in ruff's rules."""
    return name.startswith("tests/") and found.type == "Secret Keyword"


def scan_again(files: Sequence[str]) -> Known:
    """The same, reading again only what has changed since it was last looked at."""
    seen: Known = json.loads(SEEN.read_text()) if SEEN.is_file() else {}
    keys = {name: _key(name) for name in files}
    changed = [name for name in files if keys[name] not in seen]
    found = scan(changed)
    kept = {key: seen[key] if key in seen else found.get(name, []) for name, key in keys.items()}
    SEEN.parent.mkdir(exist_ok=True)
    SEEN.write_text(json.dumps(kept))
    return {name: kept[key] for name, key in keys.items() if kept[key]}


def _key(name: str) -> str:
    digest = sha256((HOUSE / name).read_bytes()).hexdigest()
    return f"{version('detect-secrets')} {name} {digest}"


def news(found: Known, known: Known) -> list[str]:
    """What is not in the baseline, as lines for people; the secret itself is not repeated."""
    return [
        f"{name}: {one.rpartition(' ')[0]}"
        for name, ones in found.items()
        for one in ones
        if one not in known.get(name, ())
    ]


def main(arguments: Sequence[str]) -> int:
    """Scan; 1 when something is new."""
    found = scan_again(committed())
    if "--write" in arguments:
        text = json.dumps(found, indent=1, sort_keys=True)
        BASELINE.write_text(f"{text}\n", encoding="utf-8")
        return 0
    lines = news(found, json.loads(BASELINE.read_text(encoding="utf-8")))
    for line in lines:
        sys.stdout.write(f"{line}\n")
    if lines:
        sys.stdout.write(
            "This looks like a secret. If it is one, take it out and change it; if it is none: "
            "python -m tests.secret_scan --write, and read the diff.\n"
        )
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
