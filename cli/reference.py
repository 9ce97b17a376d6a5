"""The list of all commands with their values and options, for ``docs/cli.md``.

``python -m cli.reference`` prints it; a test compares it with the document.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import typer

BEGIN = "<!-- made by python -m cli.reference -->"
BEGIN_WORDS = "<!-- words made by python -m cli.reference -->"
END = "<!-- end -->"


def commands() -> Iterator[tuple[str, list[str], list[str]]]:
    """Each command: its words (``work list``), its values, its own options."""
    import cli.commands  # noqa: F401 - registers them all
    from cli.app import app

    yield from _walk(typer.main.get_command(app), "")


def _walk(command: Any, words: str) -> Iterator[tuple[str, list[str], list[str]]]:
    children = getattr(command, "commands", None)
    if children is None or command.invoke_without_command:
        values = [one.metavar or one.name for one in command.params if _kind(one) == "argument"]
        options = [_option(one) for one in command.params if _kind(one) == "option"]
        yield words, values, options
    if children is None:
        return
    for name in sorted(children):
        yield from _walk(children[name], f"{words} {name}".strip())


def _kind(parameter: Any) -> str:
    return str(parameter.param_type_name)


def _option(parameter: Any) -> str:
    names = "/".join([*parameter.opts[:1], *parameter.secondary_opts[:1]])
    value = "" if parameter.is_flag else " …"
    return f"`{names}{value}`"


def reference() -> str:
    """The list, between its marks, as Markdown."""
    lines = [BEGIN, "", "| command | values | options |", "|---|---|---|"]
    for words, values, options in commands():
        shown = " ".join(f"`{one}`" for one in values)
        lines.append(f"| `tiendo {words}` | {shown} | {' '.join(options)} |")
    return "\n".join([*lines, "", END])


def word_lists() -> str:
    """The closed lists of the JSON contract, as Markdown."""
    from cli.words import ACCOUNT_ROLES, ACTS, CELLS, ROLES, STATUSES
    from models.tables import ContactKind
    from operations.doctor import Check, Level
    from operations.log_faults import Remark, Wrong
    from rules.actors import ActorKind
    from rules.values import Certainty, DateAuthority, ItemKind, LeadMode, TrackingMode

    lists: dict[str, Iterable[str]] = {
        "`status`": STATUSES,
        "`timeliness`": CELLS,
        "`role` of an assignment": ROLES,
        "`role` of an account": ACCOUNT_ROLES,
        "`action` of `act`": ACTS,
        "`actor_kind`": ActorKind,
        "`kind` of work": ItemKind,
        "`mode`": TrackingMode,
        "`lead_mode`": LeadMode,
        "`authority`": DateAuthority,
        "`certainty`": Certainty,
        "`kind` of a contact": ContactKind,
        "`check`": Check,
        "`level`": Level,
        "`kind` of a fault": Wrong,
        "`kind` of a remark": Remark,
    }
    rows = [
        f"| {name} | {' '.join(f'`{word}`' for word in words)} |" for name, words in lists.items()
    ]
    return "\n".join([BEGIN_WORDS, "", "| key | words |", "|---|---|", *rows, "", END])


if __name__ == "__main__":
    print(word_lists())
    print(reference())
