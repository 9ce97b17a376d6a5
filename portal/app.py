"""The application: pages, permissions, errors and the guard around them, wired once."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from functools import cache
from typing import Final

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from notifications.mailbox import LocalMailbox
from portal import error_pages
from portal.api import openapi as api
from portal.guard import Guard
from portal.meters import Meters
from portal.pages import (
    account_links,
    accounts,
    added,
    agency,
    audit,
    briefing,
    calendar_edit,
    calendars,
    contact_file,
    contacts,
    days,
    desk,
    documents,
    dossiers,
    exports,
    findings,
    groups,
    guidance,
    history,
    home,
    import_file,
    item_calendar,
    items,
    lead_requests,
    letter_tools,
    letters,
    link_again,
    login,
    mailbox,
    metrics,
    money,
    open_data,
    open_data_desk,
    outlets,
    overview,
    own_account,
    own_contacts,
    own_findings,
    plan_choice,
    policies,
    reorganising,
    runs,
    sign_on,
    targets,
    tokens,
    turns,
    verifying,
    work,
)
from portal.permissions import TABLE
from portal.portal import Portal
from portal.rendering import Pages
from portal.signing import Signing
from portal.throttle import open_throttle
from portal.uploads import HINT
from portal.visitors import authorise
from portal.watch import Watch
from runtime.logs import logger
from runtime.metrics import Figures
from runtime.wiring import Runtime

ROUTERS: Final = tuple(
    module.router
    for module in (
        home,
        metrics,
        guidance,
        login,
        sign_on,
        account_links,
        own_account,
        plan_choice,
        link_again,
        agency,
        calendars,
        own_contacts,
        own_findings,
        lead_requests,
        work,
        mailbox,
        overview,
        added,
        turns,
        targets,
        money,
        items,
        briefing,
        exports,
        documents,
        dossiers,
        desk,
        runs,
        letter_tools,
        letters,
        contact_file,
        import_file,
        contacts,
        groups,
        days,
        policies,
        open_data,
        open_data_desk,
        reorganising,
        outlets,
        item_calendar,
        calendar_edit,
        accounts,
        tokens,
        history,
        audit,
        verifying,
        findings,
    )
)


ALL_ROUTERS: Final = (*ROUTERS, api.router, *api.OFFERED)
"""Pages, and the API beside them."""


class UnlistedRoute(Exception):
    """A route stands in no row of the table of permissions, or a row has no route."""


def create_app(runtime: Runtime, *, receive_mail: bool = False) -> FastAPI:
    """The portal over ``runtime``, which the caller opened, with its tables there, and closes.

    ``receive_mail`` has the local mailbox receive while the application runs, where letters end
    there.

    Raises:
        UnlistedRoute: routes and permissions do not fit together.
        LimitsUnreachable: the shared storage of the limits does not answer.
    """
    meters = Meters()
    meters.registry.register(Figures(runtime))
    app = FastAPI(
        routes=_routes(),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan(runtime) if receive_mail else None,
        redirect_slashes=False,
        middleware=[
            Middleware(Watch, trust=runtime.settings.trust_request_id, meters=meters),
            Middleware(
                Guard,
                secure=runtime.settings.portal_url.startswith("https://"),
                on_crash=error_pages.on_crash,
            ),
        ],
    )
    error_pages.install(app)
    sender = runtime.sender
    app.state.portal = Portal(
        runtime=runtime,
        signing=Signing(runtime.link_secret),
        throttle=open_throttle(runtime.settings.limits_storage),
        meters=meters,
        provider=runtime.provider(),
        pages=Pages(
            {
                "office_name": sender.office_name,
                "contact_line": sender.contact_line,
                "contact_phone": sender.phone,
                "local_mailbox": runtime.settings.uses_local_mailbox,
                "file_hint": HINT,
            }
        ),
    )
    return app


@cache
def _routes() -> list[BaseRoute]:
    """Every route behind the permissions, read once in a process, however many portals it makes.

    Raises:
        UnlistedRoute: routes and permissions do not fit together.
    """
    _compare_with_permissions()
    _let_read_by_head()
    house = APIRouter(dependencies=[Depends(authorise)])
    for router in ALL_ROUTERS:
        house.include_router(router)
    return house.routes


def _let_read_by_head() -> None:
    """What may be read may be asked for by HEAD; the description of the API says GET alone."""
    for route in page_routes().values():
        if "GET" in (route.methods or set()):
            route.methods = {*(route.methods or ()), "HEAD"}


def page_routes() -> dict[str, APIRoute]:
    """Every route of the portal by its name."""
    found = [one for router in ALL_ROUTERS for one in router.routes if isinstance(one, APIRoute)]
    return {route.name: route for route in found}


def _compare_with_permissions() -> None:
    unlisted = sorted(page_routes().keys() ^ TABLE.keys())
    if unlisted:
        msg = f"routes and the table of permissions differ: {', '.join(unlisted)}"
        raise UnlistedRoute(msg)


def _lifespan(
    runtime: Runtime,
) -> Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        with contextlib.ExitStack() as held:
            if runtime.settings.uses_local_mailbox:
                _receive(runtime, held)
            yield

    return lifespan


def _receive(runtime: Runtime, held: contextlib.ExitStack) -> None:
    settings = runtime.settings
    try:
        held.enter_context(LocalMailbox(settings.mailbox_dir, port=settings.local_mail_port))
    except OSError as error:
        # Whoever started us may receive already; the folder is the same.
        logger(__name__).warning(
            "the local mailbox does not receive here", port=settings.local_mail_port, why=str(error)
        )


def create_app_from_environment() -> FastAPI:
    """The portal as its process runs it: settings read, database made ready."""
    from runtime.preparing import prepare
    from runtime.settings import load_settings
    from runtime.wiring import open_runtime

    runtime = open_runtime(load_settings())
    prepare(runtime)
    return create_app(runtime, receive_mail=True)
