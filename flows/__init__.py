"""Prefect flows: thin shells that resolve `as_of`, open one transaction, call one operation and name
the final state. Waiting for people is a row of ours, never a sleeping run. They do not know the
portal.
"""
