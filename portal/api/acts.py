"""Doing: actions on assignments, extensions, obstacles; each once for each ``Idempotency-Key``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from operations.act import act
from operations.acting import ActRequest
from operations.api_reading import file_name_for
from operations.api_replies import claim, keep
from operations.errors import NotFound, NotPermitted, Refused
from operations.extensions import ask_extension
from operations.obstacles import raise_obstacle
from operations.partners import contribute
from portal.api.door import BASE, By, Caller
from portal.api.lists import NO_SUCH, ApiAction, detail_for
from portal.api.parameters import WorkId
from portal.api.problems import KeyReused, VersionNeeded
from portal.api.shapes import Done, ExtensionDone, ObstacleDone
from portal.api.taken import (
    ActBody,
    ActIn,
    Body,
    ExtensionBody,
    ExtensionIn,
    ObstacleBody,
    ObstacleIn,
    described,
)
from rules.lifecycle import ACTION_WORDS, Action, Status

router = APIRouter(prefix=BASE)
Do = Callable[[Session], BaseModel]
_CHOICES: Final[dict[str, Any]] = {"enum": [one.value for one in ApiAction]}


def once(by: Caller, *, key: str | None, digest: str, status: int, do: Do) -> Response:
    """Do something in one transaction and answer; with a key that was used, answer again.

    Raises:
        KeyReused: the key was used for another request.
    """
    stamp, token = by.stamp(), by.token.id
    with by.portal.runtime.database.write() as session:
        if key is not None:
            earlier = claim(session, stamp, token=token, key=key, request=digest)
            if earlier is not None:
                if earlier.request != digest:
                    raise KeyReused
                return _answer(earlier.body, earlier.status, again=True)
        body = json.dumps(do(session).model_dump(mode="json"), ensure_ascii=False)
        if key is not None:
            keep(session, token=token, key=key, status=status, body=body)
    return _answer(body, status)


def _answer(body: str, status: int, *, again: bool = False) -> Response:
    headers = {"idempotency-replayed": "true"} if again else None
    return Response(body, status, headers=headers, media_type="application/json")


def _names(session: Session, by: Caller, given: ActIn) -> dict[str, str]:
    """The names of the cited files, all of which this agency brought or filed before."""
    found: dict[str, str] = {}
    for one in given.documents:
        if one.sha256 is None:
            continue
        name = file_name_for(session, one.sha256, by.agency)
        if name is None:
            msg = "Chưa có tệp này của cơ quan; đề nghị gửi tệp đến POST /files trước."
            raise Refused(msg, field="file")
        found[one.sha256] = name
    return found


@router.post(
    "/assignments/{assignment}/actions/{action}",
    name="v1_act",
    response_model=Done,
    openapi_extra=described(ActIn),
)
def take_action(
    by: By,
    assignment: WorkId,
    action: Annotated[str, Path(json_schema_extra=_CHOICES, description="Thao tác.")],
    body: ActBody,
) -> Response:
    """Thực hiện một thao tác của cơ quan: bắt đầu, cập nhật kết quả, rút lại, phối hợp …"""
    if action not in set(ApiAction):
        if action in set(Action):
            msg = (
                f"“{ACTION_WORDS[Action(action)]}” là quyết định của người có tài khoản, "
                "không thực hiện bằng mã API."
            )
            raise NotPermitted(msg)
        raise NotFound(NO_SUCH)

    def do(session: Session) -> Done:
        detail_for(session, by, assignment)
        if body.version is None:
            raise VersionNeeded
        return _take(session, by, assignment, ApiAction(action), body)

    return once(by, key=body.key, digest=body.digest, status=200, do=do)


def _take(session: Session, by: Caller, number: int, action: ApiAction, body: Body[ActIn]) -> Done:
    given = body.value
    stamp = by.stamp(given.stated_name, given.stated_post)
    names = _names(session, by, given)
    unchanged = action is ApiAction.NO_CHANGE
    result = given.result(names, by.agency or "", unchanged=unchanged)
    if action is ApiAction.CONTRIBUTE:
        submission: int | None = contribute(
            session, stamp, number, result, expected_version=body.version
        )
    else:
        word = Action.SUBMIT if action is ApiAction.NO_CHANGE else Action(action.value)
        request = ActRequest(
            result=result,
            reason=given.reason,
            covered_by=given.covered_by,
            expected_version=body.version,
        )
        submission = act(session, stamp, number, word, request).submission
    row = detail_for(session, by, number).row
    return Done(
        assignment=number,
        status=Status(row.status),
        status_text=row.status_word,
        version=row.version,
        submission=submission,
    )


@router.post(
    "/extensions",
    name="v1_extensions",
    status_code=201,
    response_model=ExtensionDone,
    openapi_extra=described(ExtensionIn),
)
def extensions(by: By, body: ExtensionBody) -> Response:
    """Đề nghị gia hạn; hạn hiện nay vẫn áp dụng cho đến khi có quyết định."""
    given = body.value

    def do(session: Session) -> ExtensionDone:
        detail_for(session, by, given.assignment)
        if body.version is None:
            raise VersionNeeded
        asked = ask_extension(
            session,
            by.stamp(given.stated_name, given.stated_post),
            given.assignment,
            until=given.until,
            reason=given.reason,
            explanation=given.explanation,
            expected_version=body.version,
        )
        return ExtensionDone(
            id=asked.request,
            asked_for=asked.asked_for,
            due_on=asked.due_on,
            beyond_cap=asked.beyond_cap,
        )

    return once(by, key=body.key, digest=body.digest, status=201, do=do)


@router.post(
    "/obstacles",
    name="v1_obstacles",
    status_code=201,
    response_model=ObstacleDone,
    openapi_extra=described(ObstacleIn),
)
def obstacles(by: By, body: ObstacleBody) -> Response:
    """Phản ánh vướng mắc, về một phân công hoặc chung."""
    given = body.value

    def do(session: Session) -> ObstacleDone:
        if given.assignment is not None:
            detail_for(session, by, given.assignment)
        stamp = by.stamp(given.stated_name, given.stated_post)
        number = raise_obstacle(session, stamp, text=given.text, assignment_id=given.assignment)
        return ObstacleDone(id=number)

    return once(by, key=body.key, digest=body.digest, status=201, do=do)
