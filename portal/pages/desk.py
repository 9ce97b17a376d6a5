"""The desks of those who coordinate, under one address and one set of tabs."""

from __future__ import annotations

from fastapi import APIRouter

from portal.pages import bulk, entering, queue_answers, queues, requests, year_dates

_MODULES = (bulk, entering, queue_answers, queues, requests, year_dates)
router = APIRouter(routes=[route for module in _MODULES for route in module.router.routes])
