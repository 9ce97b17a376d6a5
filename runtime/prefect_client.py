"""Reading Prefect's runs over its API: one kept connection, short waits, the last answer kept.

Prefect's own client is not used: importing it costs a second and 60 MB in processes that only ask.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from uuid import uuid4

import httpx

TIMEOUT_SECONDS = 1.5
FRESH_SECONDS = 5.0
"""How long an answer is given again without asking."""

_PAGE = 200
"""The most that one answer of Prefect holds; several plans have more deployments, and more runs."""


class PrefectDown(Exception):
    """Prefect did not answer, or not with what was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A flow run as Prefect has it. ``state`` is its name for people, ``type`` Prefect's own word:
    SCHEDULED, PENDING, RUNNING, COMPLETED, FAILED, CRASHED, CANCELLING, CANCELLED, PAUSED."""

    id: str
    name: str
    deployment: str | None
    type: str
    state: str
    message: str | None
    expected_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Runs, newest first. ``stale`` when Prefect did not answer and this is what it said last."""

    runs: tuple[Run, ...]
    asked_at: float
    """By the monotonic clock, in seconds."""
    stale: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A deployment as Prefect has it."""

    id: str
    name: str
    entrypoint: str
    tags: tuple[str, ...]
    crons: tuple[str, ...]
    pool: str | None = None
    paused: bool = False


@dataclass(slots=True)
class PrefectClient:
    """A connection to Prefect's API at ``url`` (ending in ``/api``); safe to keep, and to share."""

    url: str
    timeout: float = TIMEOUT_SECONDS
    tries: int = 1
    """How often a request is made before it counts as failed. More than once is for whoever can
    wait: on SQLite a busy Prefect answers 503 for a moment."""
    _http: httpx.Client = field(init=False, repr=False)
    _last: dict[Any, Answer] = field(init=False, default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._http = httpx.Client(
            base_url=self.url.rstrip("/"), timeout=self.timeout, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the connection."""
        self._http.close()

    def healthy(self) -> bool:
        """Whether Prefect answers."""
        try:
            return self._http.get("/health").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def recent_runs(
        self,
        *,
        tags: Sequence[str] = (),
        deployment_ids: Sequence[str] = (),
        types: Sequence[str] = (),
        limit: int = 50,
    ) -> Answer:
        """Runs that have all ``tags``, from the cache when asked a moment ago.

        Never raises: without an answer it gives the last one, or an empty one, as stale.
        """
        key = (tuple(tags), tuple(deployment_ids), tuple(types), limit)
        last = self._last.get(key)
        if last is not None and time.monotonic() - last.asked_at < FRESH_SECONDS:
            return last
        try:
            found = self.runs(tags=tags, deployment_ids=deployment_ids, types=types, limit=limit)
        except PrefectDown:
            return Answer(
                runs=() if last is None else last.runs,
                asked_at=0.0 if last is None else last.asked_at,
                stale=True,
            )
        self._last[key] = answer = Answer(runs=tuple(found), asked_at=time.monotonic())
        return answer

    def runs(
        self,
        *,
        ids: Sequence[str] = (),
        tags: Sequence[str] = (),
        deployment_ids: Sequence[str] = (),
        types: Sequence[str] = (),
        expected_before: datetime | None = None,
        limit: int | None = None,
    ) -> list[Run]:
        """The same, always asked: all, or the newest ``limit``, read page by page.

        Raises :class:`PrefectDown`.
        """
        wanted: dict[str, Any] = {}
        if ids:
            wanted["id"] = {"any_": list(ids)}
        if tags:
            wanted["tags"] = {"all_": list(tags)}
        if deployment_ids:
            wanted["deployment_id"] = {"any_": list(deployment_ids)}
        if types:
            wanted["state"] = {"type": {"any_": list(types)}}
        if expected_before is not None:
            wanted["expected_start_time"] = {"before_": expected_before.isoformat()}
        body = {"sort": "EXPECTED_START_TIME_DESC", "flow_runs": wanted}
        # By id: a run that is made meanwhile moves another one on to the next page.
        found = {one["id"]: _run(one) for one in self._pages("/flow_runs/filter", body, limit)}
        return list(found.values())

    def deployments(self) -> list[Deployment]:
        """All deployments. Raises :class:`PrefectDown`."""
        return [
            Deployment(
                id=one["id"],
                name=one["name"],
                entrypoint=one["entrypoint"] or "",
                tags=tuple(one["tags"]),
                crons=tuple(
                    each["schedule"]["cron"]
                    for each in one["schedules"]
                    if "cron" in each["schedule"]
                ),
                pool=one.get("work_pool_name"),
                paused=bool(one.get("paused")),
            )
            for one in self._pages("/deployments/filter", {"sort": "NAME_ASC"}, None)
        ]

    def _pages(
        self, path: str, body: Mapping[str, Any], limit: int | None
    ) -> Iterator[Mapping[str, Any]]:
        read = 0
        while limit is None or read < limit:
            page = _PAGE if limit is None else min(_PAGE, limit - read)
            more = self.post(path, {**body, "limit": page, "offset": read})
            yield from more
            if len(more) < page:
                return
            read += page

    def start_run(self, deployment_id: str, *, parameters: Mapping[str, Any] | None = None) -> str:
        """Ask for a run of a deployment now; returns its id. Raises :class:`PrefectDown`."""
        body = {
            "parameters": dict(parameters or {}),
            "state": {"type": "SCHEDULED"},
            "idempotency_key": uuid4().hex,  # asked again after a timeout, it is still one run
        }
        made = self.post(f"/deployments/{deployment_id}/create_flow_run", body)
        return str(made["id"])

    def set_state(self, run_id: str, *, type: str, name: str, message: str) -> None:  # noqa: A002
        """Put a run into a state, whatever it says of itself. Raises :class:`PrefectDown`."""
        state = {"type": type, "name": name, "message": message}
        self.post(f"/flow_runs/{run_id}/set_state", {"state": state, "force": True})

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Ask Prefect's API, again after a pause where ``tries`` allows. Raises
        :class:`PrefectDown`."""
        for attempt in range(1, self.tries + 1):
            try:
                answer = self._http.post(path, json=body)
                answer.raise_for_status()
                return answer.json() if answer.content else None
            except (httpx.HTTPError, ValueError) as error:
                if attempt == self.tries or not _may_pass(error):
                    raise PrefectDown(f"{path}: {type(error).__name__}") from error
                time.sleep(min(0.2 * 2**attempt, 3.0))
        raise AssertionError("a request is made at least once")


def _may_pass(error: Exception) -> bool:
    """Whether trying again may help."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in {429, 502, 503, 504}
    return isinstance(error, httpx.TransportError)


def _run(one: Mapping[str, Any]) -> Run:
    state = one.get("state") or {}
    return Run(
        id=one["id"],
        name=one["name"],
        deployment=one.get("deployment_id"),
        type=one.get("state_type") or "",
        state=one.get("state_name") or "",
        message=state.get("message"),
        expected_at=_instant(one.get("expected_start_time")),
        started_at=_instant(one.get("start_time")),
        ended_at=_instant(one.get("end_time")),
        tags=tuple(one.get("tags") or ()),
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
