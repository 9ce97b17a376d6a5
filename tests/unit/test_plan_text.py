"""A plan is stored as the same text in every process (rules 8, 38); found by the simulator."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ASK = """
from dataclasses import replace
from operations.plan_versions import plan_text
from tests.world import plan
from rules.values import Policies
steps = frozenset({"extend", "waive", "reopen", "cancel"})
print(plan_text(replace(plan(), policies=Policies(two_step=steps))))
"""


def test_the_text_of_a_plan_does_not_depend_on_the_order_of_hashes() -> None:
    """Its digest stands in the history: an application elsewhere must give the same."""
    said = set()
    for seed in ("1", "2", "3"):
        house = Path(__file__).parents[2]
        done = subprocess.run(
            [sys.executable, "-c", ASK],
            check=True,
            capture_output=True,
            text=True,
            cwd=house,
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(house)},
        )
        said.add(done.stdout)
    assert len(said) == 1
