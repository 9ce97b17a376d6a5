"""``python -m tests.production [--national N] [--keep]``: the production stack, tried for real.

Needs root and systemd on a Debian whose packages can be fetched; see machine.sh. Takes a quarter of
an hour, with ``--national`` (agencies to add, such as 3400) twice as long. ``--keep`` leaves the
machine up, to look around in it: ``tests/production/machine.sh run PLACE bash``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import gettempdir

from tests.production.machine import Machine
from tests.production.national import National
from tests.production.rehearsal import Rehearsal, addresses


def national(machine: Machine, rehearsal: Rehearsal, agencies: int) -> bool:
    """The trial with a worker killed; whether nothing was lost."""
    trial = National(machine, rehearsal.told)
    trial.nation(agencies)
    addresses(machine)
    trial.prepare()
    trial.peace()
    trial.again()
    trial.disturbed()
    return trial.verdict()


def main() -> int:
    """0 when everything went as the guide says."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--national", type=int, default=0, metavar="N")
    asked.add_argument("--keep", action="store_true")
    asked.add_argument("--place", type=Path, default=Path(gettempdir()) / "tiendo-rehearsal")
    chosen = asked.parse_args()
    machine = Machine(chosen.place)
    machine.up()
    try:
        rehearsal = Rehearsal(machine)
        rehearsal.all()
        return 0 if not chosen.national or national(machine, rehearsal, chosen.national) else 1
    finally:
        if not chosen.keep:
            machine.down()


if __name__ == "__main__":
    sys.exit(main())
