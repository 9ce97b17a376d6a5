"""The one memory: SQLAlchemy tables, constraints, migrations and the named queries. What a rule
promises, a constraint here enforces. It knows nothing of flows, portal or notifications.
"""
