"""A throwaway machine to type commands into; see machine.sh."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("machine.sh")


class CommandFailed(Exception):
    """A command ended with something else than 0."""


@dataclass(frozen=True, slots=True)
class Machine:
    """``place`` is a folder of this machine, for what has to be remembered while it is up."""

    place: Path

    def up(self) -> None:
        """Boot; ready when systemd says that everything was started."""
        subprocess.run([SCRIPT, "up", self.place], check=True)

    def down(self) -> None:
        """Put it down; its files are gone with it."""
        subprocess.run([SCRIPT, "down", self.place], check=True)

    def type(
        self, script: str, *, fetching: bool = False, standing: bool = True, answer: str = ""
    ) -> str:
        """Type ``script`` into a shell of root; returns what was written to either stream.

        ``fetching`` lends the network of this machine, to install packages. With ``standing`` a
        command that fails is an error. ``answer`` is for what is asked back.

        Raises:
            CommandFailed: with what was typed and what came of it.
        """
        return self.pipe(
            ["bash", "-eu", "-o", "pipefail", "-c", script], answer.encode(), fetching, standing
        )

    def pipe(
        self, command: list[str], data: bytes, fetching: bool = False, standing: bool = True
    ) -> str:
        """Give ``data`` to the standard input of ``command``; as :meth:`type` otherwise."""
        done = subprocess.run(
            [SCRIPT, "fetch" if fetching else "run", self.place, *command],
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        said = done.stdout.decode(errors="replace")
        if standing and done.returncode:
            raise CommandFailed(f"{command[-1]}\n→ {done.returncode}\n{said}")
        return said

    def write(self, path: str, content: bytes) -> None:
        """Put a file of root's, mode 0600, into the machine."""
        self.pipe(["install", "-m", "600", "/dev/stdin", path], content)
