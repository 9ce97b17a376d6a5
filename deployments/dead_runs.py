"""Ends runs whose process died, by an automation of Prefect's: they become Crashed by themselves.

A run tells every half minute that it lives (:data:`HEARTBEAT_SECONDS`). One of which nothing was
heard for :data:`SILENCE` is dead: its process was killed, or its host is gone. Its transaction was
never committed, so the state is all that is put right; the work is done by the next run.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prefect.automations import AutomationCore
    from prefect.client.orchestration import SyncPrefectClient

NAME = "tiendo: lượt chạy bị ngắt"
HEARTBEAT_SECONDS = 30
"""The least that Prefect takes."""
SILENCE = timedelta(minutes=3)
"""Six heartbeats: a server that is started again is not taken for the death of every run."""
MESSAGE = "Tiến trình đã dừng giữa chừng; lần chạy sau tự làm tiếp."
_OF_RUNS = "prefect.flow-run."
_ALIVE = ("Submitting", "InfrastructurePending", "Pending", "Running", "heartbeat")
"""From a worker's taking it up on: a run may also die before it says that it runs."""


def wanted() -> AutomationCore:
    """The automation as it should be.

    States of our own are called by names of our own, hence any event of the run counts as life.
    """
    from prefect.automations import AutomationCore
    from prefect.client.schemas.objects import StateType
    from prefect.events import Posture, ResourceSpecification
    from prefect.events.actions import ChangeFlowRunState
    from prefect.events.schemas.automations import EventTrigger

    return AutomationCore(
        name=NAME,
        description="Kết thúc lượt chạy mà tiến trình của nó không còn.",
        trigger=EventTrigger(
            posture=Posture.Proactive,
            match=ResourceSpecification.model_validate({"prefect.resource.id": f"{_OF_RUNS}*"}),
            for_each={"prefect.resource.id"},
            after={f"{_OF_RUNS}{word}" for word in _ALIVE},
            expect={f"{_OF_RUNS}*"},
            threshold=1,
            within=SILENCE,
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, message=MESSAGE)],
    )


def watch(client: SyncPrefectClient) -> None:
    """Put the automation into Prefect, or put right the one that is there."""
    found = client.read_automations_by_name(NAME)
    if not found:
        client.create_automation(wanted())
    for one in found[:1]:
        client.update_automation(one.id, wanted())
    for one in found[1:]:
        client.delete_automation(one.id)
