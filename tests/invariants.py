"""The promises of ``simulator.invariants``, for any test to call at its end."""

from simulator.invariants import InvariantsBroken, broken_promises, check_invariants

__all__ = ["InvariantsBroken", "broken_promises", "check_invariants"]
