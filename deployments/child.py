"""Becomes another Python module that ends with its parent: ``python -m deployments.child module``.

For programs that are not ours: the wish to end with the parent outlives the exec. This module
imports nothing of the house, because its time is added to every start.
"""

import ctypes
import os
import signal
import sys


def main() -> None:
    """Ask the kernel, then become ``python -m`` of the arguments."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
    os.execv(sys.executable, [sys.executable, "-m", *sys.argv[1:]])  # noqa: S606 - no shell wanted


if __name__ == "__main__":
    main()
