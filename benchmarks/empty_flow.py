"""A flow that does nothing, in a module that imports nothing but Prefect: the limit of a run."""

from __future__ import annotations

from prefect import flow


@flow(name="Lượt chạy rỗng")
async def empty() -> None:
    """A run that does nothing."""
