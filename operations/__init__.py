"""The one corridor: one use case a file (open work, take an action, queue reminders, deliver the
outbox, succeed an agency, import, seal the history). Each takes a session and never commits; the
clock, people and operators all come through here. No Prefect, no FastAPI.
"""
