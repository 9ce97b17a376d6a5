"""The only composition root: settings read once, and the wiring of session factory, sender, clock and
Prefect client. Loops that need several transactions (claim, commit, SMTP, record, commit) call one
operation at a time from here.
"""
