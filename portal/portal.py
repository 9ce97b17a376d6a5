"""What every page works with: the runtime, signing, limits, templates and the clock of the day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from fastapi import Request
from sqlalchemy.orm import Session

from operations.stamp import Stamp
from operations.state import is_trial
from portal.meters import Meters
from portal.rendering import Pages
from portal.signing import Signing
from portal.throttle import Throttle
from rules.actors import Actor
from runtime.wiring import Runtime

if TYPE_CHECKING:
    from runtime.sign_on import Provider

OWN = "/tai-khoan-cua-toi"
"""Where people find their own account."""
SESSION_COOKIE = "tiendo_phien"
BEFORE_LOGIN_COOKIE = "tiendo_truoc_dang_nhap"
SECOND_STEP_COOKIE = "tiendo_cho_ma"
NUMBER = "request_id"
"""Where a request's scope keeps its number."""
REMEMBERED_COOKIE = "tiendo_nguoi_cap_nhat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """The wired application; pages get it by :func:`portal_of`."""

    runtime: Runtime
    signing: Signing
    throttle: Throttle = field(default_factory=Throttle)
    meters: Meters = field(default_factory=Meters)
    pages: Pages
    provider: Provider | None = None
    """Single sign-on, where it is set."""

    @property
    def today(self) -> date:
        """The business date."""
        return self.runtime.clock.today(self.runtime.settings.time_zone)

    @property
    def secure(self) -> bool:
        """Whether people reach the portal by https."""
        return self.runtime.settings.portal_url.startswith("https://")

    def stamp(self, actor: Actor) -> Stamp:
        """The circumstances of an act by ``actor``, now."""
        return Stamp(at=self.runtime.clock.now(), as_of=self.today, actor=actor)

    def is_trial(self, session: Session | None = None) -> bool:
        """Whether the database is marked as a trial."""
        if session is not None:
            return is_trial(session)
        with self.runtime.database.read() as own:
            return is_trial(own)

    def cookie_name(self, name: str) -> str:
        """A cookie's name in the browser.

        By https it says that this host alone set it (RFC 6265bis): a neighbour below the same
        domain can plant none.
        """
        return f"__Host-{name}" if self.secure else name

    def cookie(self, request: Request, name: str) -> str | None:
        """What a cookie of ours holds; None where the browser brought none."""
        return request.cookies.get(self.cookie_name(name))

    def set_cookie(
        self, request: Request, name: str, value: str, *, max_age: int | None = None
    ) -> None:
        """Have the answer set a cookie that no script and no other site gets."""
        from http.cookies import SimpleCookie

        name = self.cookie_name(name)
        cookie: SimpleCookie = SimpleCookie()
        cookie[name] = value
        cookie[name]["path"] = "/"
        cookie[name]["httponly"] = True
        cookie[name]["samesite"] = "Lax"
        if self.secure:
            cookie[name]["secure"] = True
        if max_age is not None:
            cookie[name]["max-age"] = max_age
        jar: list[str] = request.scope["state"].setdefault("cookies", [])
        jar[:] = [one for one in jar if not one.startswith(f"{name}=")]
        jar.append(cookie.output(header="").strip())

    def drop_cookie(self, request: Request, name: str) -> None:
        """Have the answer take a cookie away."""
        self.set_cookie(request, name, "", max_age=0)


def portal_of(request: Request) -> Portal:
    """The application that serves this request."""
    found: Any = request.app.state.portal
    if not isinstance(found, Portal):
        raise TypeError("the application was not made by create_app")
    return found


def number_of(request: Request) -> str:
    """The number of a request: on pages of errors, in its answer's header, and in the log."""
    return str(request.scope.get("state", {}).get(NUMBER, "-"))


def address_of(request: Request) -> str:
    """The network address that a request came from."""
    return request.client.host if request.client else "-"
