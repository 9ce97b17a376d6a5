"""The console script ``tiendo``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

import typer

from cli.app import Options, app
from cli.errors import report


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line and return the exit code; see :mod:`cli.errors`."""
    options = Options()
    try:
        code = _command().main(
            args=list(arguments), prog_name="tiendo", standalone_mode=False, obj=options
        )
        sys.stdout.flush()
    except BrokenPipeError:
        return _had_enough()
    except SystemExit as ended:  # the library's own way of ending on the same
        if isinstance(ended.__context__, BrokenPipeError):
            return _had_enough()
        raise
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the one place that explains
        return report(error, as_json=options.json or "--json" in arguments)
    return code if isinstance(code, int) else 0


def _had_enough() -> int:
    """Whoever read our answer has enough of it (`tiendo history | head`): no mistake."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
    return 0


@cache
def _command() -> Any:
    import cli.commands  # noqa: F401 - registers them all

    return typer.main.get_command(app)


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
