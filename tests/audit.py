"""The locked packages against known advisories: from a kept export, or by asking the service.

``python -m tests.audit`` (in ``make check``) asks nobody. It reads an export of OSV's advisories on
PyPI (``all.zip``, brought to closed networks as a file) that ``ADVISORIES`` names, by default
``var/advisories.zip``. Without one it says plainly that nothing was compared.
``python -m tests.audit --online`` (``make audit``) lets pip-audit ask the service instead.

What is known and bears no danger here stands in ``tests/advisories.toml``, each with its reason and
the day on which it has to be looked at again.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile, ZipFile

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

HOUSE: Final = Path(__file__).parents[1]
LOCKS: Final = ("requirements.lock", "requirements-dev.lock")
EXPORT: Final = HOUSE / "var" / "advisories.zip"
ACCEPTED: Final = HOUSE / "tests" / "advisories.toml"
STALE_DAYS: Final = 30
_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


class AuditError(Exception):
    """The audit could not be made; the text says why and what to do."""


@dataclass(frozen=True, order=True)
class Finding:
    """A locked package that an advisory speaks of."""

    package: str
    version: str
    advisory: str
    names: tuple[str, ...] = ()
    summary: str = ""


def locked(texts: Sequence[str]) -> dict[str, str]:
    """Every pinned package of some lock files, by its canonical name."""
    pins = (found for text in texts for found in _PIN.findall(text))
    return {canonicalize_name(name): version for name, version in pins}


def read_export(path: Path) -> Iterator[Mapping[str, Any]]:
    """The advisories of an export.

    Raises:
        AuditError: it is none.
    """
    try:
        with ZipFile(path) as kept:
            for name in kept.namelist():
                if name.endswith(".json"):
                    yield json.loads(kept.read(name))
    except (OSError, BadZipFile, ValueError) as error:
        raise AuditError(f"{path}: not an export of advisories ({error})") from None


def matches(advisory: Mapping[str, Any], pins: Mapping[str, str]) -> Iterator[Finding]:
    """The locked packages that an advisory (OSV's schema) speaks of; none where it is withdrawn."""
    if advisory.get("withdrawn"):
        return
    for one in advisory.get("affected", ()):
        package = one.get("package", {})
        name = canonicalize_name(str(package.get("name", "")))
        if package.get("ecosystem") != "PyPI" or name not in pins or not _hits(one, pins[name]):
            continue
        yield Finding(
            package=name,
            version=pins[name],
            advisory=str(advisory["id"]),
            names=(str(advisory["id"]), *map(str, advisory.get("aliases", ()))),
            summary=str(advisory.get("summary", "")),
        )


def _hits(affected: Mapping[str, Any], version: str) -> bool:
    if version in affected.get("versions", ()):
        return True
    ranges = [one for one in affected.get("ranges", ()) if one.get("type") == "ECOSYSTEM"]
    return any(_within(one.get("events", ()), Version(version)) for one in ranges)


def _within(events: Sequence[Mapping[str, str]], version: Version) -> bool:
    """Whether a version lies in a range: after the last "introduced" and before its end."""
    inside = False
    for event in sorted(events, key=lambda one: _number(next(iter(one.values())))):
        kind, text = next(iter(event.items()))
        if kind == "introduced" and version >= _number(text):
            inside = True
        elif (kind == "fixed" and version >= _number(text)) or (
            kind == "last_affected" and version > _number(text)
        ):
            inside = False
    return inside


def _number(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        return Version("0")


def accepted(text: str, today: date) -> dict[str, str]:
    """The advisories that are accepted for now, with the reason.

    Raises:
        AuditError: one has no reason, or its day has come.
    """
    found: dict[str, str] = {}
    for one in tomllib.loads(text).get("accepted", ()):
        name, why, until = one.get("advisory"), str(one.get("why", "")), one.get("until")
        if not name or len(why) < 20 or not isinstance(until, date):
            raise AuditError(f"{ACCEPTED.name}: {name}: needs advisory, why (a sentence) and until")
        if until < today:
            raise AuditError(f"{ACCEPTED.name}: {name}: was to be looked at again by {until}")
        found[str(name)] = why
    return found


def _offline(pins: Mapping[str, str], known: Mapping[str, str]) -> int:
    path = Path(os.environ.get("ADVISORIES", EXPORT))
    if not path.is_file():
        _say(
            f"Advisories: NOT compared. There is no export at {path}; “make audit” asks the "
            "service, docs/security.md says how to bring an export to a closed network."
        )
        return 0
    advisories = list(read_export(path))
    newest = max((str(one.get("modified", "")) for one in advisories), default="")[:10]
    found = sorted({hit for one in advisories for hit in matches(one, pins)})
    left = [one for one in found if not known.keys() & set(one.names)]
    for one in left:
        _say(f"{one.package} {one.version}: {one.advisory} {one.summary}")
    _say(
        f"Advisories: {len(advisories)} up to {newest or '?'} against {len(pins)} locked packages; "
        f"{len(left)} found, {len(found) - len(left)} accepted."
    )
    if newest and (datetime.now(UTC).date() - date.fromisoformat(newest)).days > STALE_DAYS:
        _say(f"Advisories: the export is older than {STALE_DAYS} days; bring a newer one.")
    return 1 if left else 0


def _online(known: Mapping[str, str]) -> int:
    ignored = [word for name in known for word in ("--ignore-vuln", name)]
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes"]
    locks = [word for name in LOCKS for word in ("-r", str(HOUSE / name))]
    return subprocess.run([*command, *ignored, *locks], check=False, cwd=HOUSE).returncode


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def main(arguments: Sequence[str]) -> int:
    """Compare, and say what was and what was not; 1 when something was found."""
    try:
        known = accepted(ACCEPTED.read_text(encoding="utf-8"), datetime.now(UTC).date())
        if "--online" in arguments:
            return _online(known)
        pins = locked([(HOUSE / name).read_text(encoding="utf-8") for name in LOCKS])
        return _offline(pins, known)
    except AuditError as error:
        _say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
