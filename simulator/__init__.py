"""The whole engine in one process under a seed: clock, mail server, deaths and people are drawn.

Everything else is the real code on a real database. ``invariants`` holds what must be true of
every database at every moment, however a run ended; tests use it as well.
"""
