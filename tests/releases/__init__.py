"""Databases as each earlier release left them, for the tests of the migrations."""
