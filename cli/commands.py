"""Registers every command with the application."""

from __future__ import annotations

from cli import (
    account_commands,
    act_commands,
    agency_commands,
    backup_commands,
    catalog_commands,
    contact_commands,
    database_commands,
    dates_commands,
    document_commands,
    engine_commands,
    history_commands,
    import_commands,
    log_commands,
    obstacle_commands,
    rehearse_commands,
    simulate_commands,
    system_commands,
    token_commands,
    work_changes,
    work_commands,
)

__all__ = [
    "account_commands",
    "act_commands",
    "agency_commands",
    "backup_commands",
    "catalog_commands",
    "contact_commands",
    "database_commands",
    "dates_commands",
    "document_commands",
    "engine_commands",
    "history_commands",
    "import_commands",
    "log_commands",
    "obstacle_commands",
    "rehearse_commands",
    "simulate_commands",
    "system_commands",
    "token_commands",
    "work_changes",
    "work_commands",
]
