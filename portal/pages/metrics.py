"""Figures for Prometheus, by a token of the settings; for nobody where none is set."""

from __future__ import annotations

import hmac
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from portal.errors import NotThere
from portal.portal import address_of, portal_of
from portal.throttle import FORGED

router = APIRouter()
PATH: Final = "/metrics"


@router.api_route(PATH, methods=["GET", "HEAD"], name="metrics")
def metrics(request: Request) -> Response:
    """All figures, gathered now (``docs/watching.md``).

    Raises:
        NotThere: no token is set.
        TooMany: too many wrong tokens came from this address.
    """
    portal = portal_of(request)
    wanted = portal.runtime.settings.metrics_token
    if wanted is None:
        raise NotThere
    address = address_of(request)
    portal.throttle.look(FORGED, "metrics", address)
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    given, right = text.strip().encode(), wanted.get_secret_value().encode()
    if scheme.lower() != "bearer" or not hmac.compare_digest(given, right):
        portal.throttle.hit(FORGED, "metrics", address)
        return PlainTextResponse(
            "Cần mã đọc số liệu: tiêu đề “Authorization: Bearer …” với giá trị của "
            "TIENDO_METRICS_TOKEN.\n",
            status_code=401,
            headers={"www-authenticate": 'Bearer realm="tiendo-metrics"'},
        )
    return Response(generate_latest(portal.meters.registry), media_type=CONTENT_TYPE_LATEST)
