"""Verifying a long history in the background: a run at Prefect, asked for from the page (38)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from operations.errors import Conflict
from runtime.prefect_client import Deployment, PrefectClient, PrefectDown, Run

_FLOW: Final = ".verifying"
_WAITS: Final = ("SCHEDULED", "PENDING", "RUNNING")
SILENT: Final = (
    "Lịch sử dài nên kiểm chứng phải chạy nền, nhưng bộ chạy luồng (Prefect) không trả lời. Đề nghị "
    "thử lại sau ít phút, hoặc nhờ quản trị chạy “tiendo verify” (có “--against” nếu cần đối chiếu "
    "với niêm phong giữ ngoài hệ thống)."
)
_BUSY: Final = "Một lần kiểm chứng khác đang chạy nền; kết quả hiện ở trang này khi xong."


def going_on(client: PrefectClient, now: datetime) -> Run | None:
    """The verification that runs, or was asked for and waits for its turn.

    Raises:
        PrefectDown: nobody can say.
    """
    return _going_on(client, _deployment(client), now)


def ask_for(client: PrefectClient, now: datetime, *, note: str, by: str) -> str:
    """Ask for a verification, also against the checkpoint ``note`` unless it is empty; its id.

    Raises:
        PrefectDown: Prefect does not answer, or has no such flow.
        Conflict: one goes on already.
    """
    chosen = _deployment(client)
    if _going_on(client, chosen, now) is not None:
        raise Conflict(_BUSY)
    return client.start_run(chosen.id, parameters={"note": note or None, "by": by})


def _deployment(client: PrefectClient) -> Deployment:
    for one in client.deployments():
        if one.entrypoint.endswith(_FLOW):
            return one
    raise PrefectDown("no deployment verifies")


def _going_on(client: PrefectClient, chosen: Deployment, now: datetime) -> Run | None:
    found = client.runs(deployment_ids=[chosen.id], types=_WAITS)
    # Prefect plans the coming nights ahead: those are not waited for.
    return next((one for one in found if one.expected_at is None or one.expected_at <= now), None)
