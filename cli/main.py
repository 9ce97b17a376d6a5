"""The console script ``tiendo``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from cli.app import Options, app
from cli.errors import report


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line and return the exit code; see :mod:`cli.errors`."""
    import cli.commands  # noqa: F401 - registers them all

    options = Options()
    try:
        code = typer.main.get_command(app).main(
            args=list(arguments), prog_name="tiendo", standalone_mode=False, obj=options
        )
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our answer has enough (`tiendo history | head`).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the one place that explains
        return report(error, as_json=options.json or "--json" in arguments)
    return code if isinstance(code, int) else 0


def main() -> None:
    """Entry point."""
    _speak_utf8()
    sys.exit(run(sys.argv[1:]))


def _speak_utf8() -> None:
    """Vietnamese leaves no machine with question marks in it, whatever its locale."""
    for stream in (sys.stdout, sys.stderr, sys.stdin):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None and (stream.encoding or "").lower() != "utf-8":
            reconfigure(encoding="utf-8", errors="backslashreplace")
