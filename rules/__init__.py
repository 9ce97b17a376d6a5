"""Pure decisions: working days, recurrence, who is assigned, the lifecycle table, timeliness,
which reminder is owed. Values in, values out; time is an argument. No I/O of any kind here, and no
SQLAlchemy, Prefect, FastAPI, Jinja2 or yagmail.
"""
