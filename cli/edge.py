"""Opening what a command works with: settings, database made ready, clock, and who acts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import typer

from cli.app import options_of
from cli.errors import WrongUse
from cli.output import Output

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from flows.shell import BusinessDate
    from operations.stamp import Stamp
    from rules.actors import Actor
    from runtime.settings import Settings
    from runtime.wiring import Runtime

ADDRESS = "cli"
"""What an event says of where an act came from, when it came from the command line."""


@dataclass(frozen=True, slots=True)
class Here:
    """What a command works with."""

    runtime: Runtime
    out: Output

    def today(self, plan: str | None = None) -> date:
        """The business date of now: of one plan, or of the whole system (rule 1)."""
        return self.runtime.clock.today(self.time_zone(plan))

    def time_zone(self, plan: str | None = None) -> str:
        """The time zone of a plan; of the only plan, or else of the settings, when none is named."""
        from operations.state import load_plan, plan_keys

        with self.runtime.database.read() as session:
            keys = plan_keys(session) if plan is None else [plan]
            if len(keys) == 1:
                return load_plan(session, keys[0]).time_zone
        return self.runtime.settings.time_zone

    def stamp(self, actor: Actor | None = None, *, as_of: date | None = None) -> Stamp:
        """The circumstances of an act now; by the operator of the server unless told."""
        from operations.stamp import Stamp

        return Stamp(
            at=self.runtime.clock.now(), as_of=as_of or self.today(), actor=actor or operator()
        )

    def business_date(self, asked: date | None, *, plan: str | None = None) -> BusinessDate:
        """The business date of a command that writes, and whether it may send (rule 1).

        Raises:
            operations.errors.Refused: it lies ahead and the database is no trial.
        """
        from flows.shell import business_date

        with self.runtime.database.read() as session:
            return business_date(session, asked, self.today(plan))

    def plans(self, asked: str | None = None) -> list[str]:
        """The keys of the plans a command is about: the one asked for, or all that are active.

        Raises:
            operations.errors.NotFound: there is no such plan.
        """
        from operations.state import load_plan, plan_keys

        with self.runtime.database.read() as session:
            if asked is None:
                return plan_keys(session)
            return [load_plan(session, asked).key]


def operator() -> Actor:
    """Whoever types at the server's command line, by the name of the machine's account."""
    import getpass

    from rules.actors import Actor, ActorKind

    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "không rõ"
    return Actor(kind=ActorKind.OPERATOR, name=f"Người vận hành ({name})", address=ADDRESS)


def settings_of(ctx: typer.Context) -> Settings:
    """The settings, with the database that the command line names.

    Raises:
        runtime.settings.SettingsError: a setting is wrong.
        WrongUse: ``--database`` is.
    """
    from runtime.settings import load_settings

    settings, given = load_settings(), options_of(ctx).database
    if given is None:
        return settings
    from sqlalchemy.exc import ArgumentError

    from models.engine import DatabaseUrlError, normalise_url

    try:
        url = normalise_url(given)
    except DatabaseUrlError as error:
        raise WrongUse(
            str(error).replace("TIENDO_DATABASE_URL", "--database"), field="database"
        ) from error
    except (ArgumentError, ValueError) as error:
        msg = (
            "--database: không phải địa chỉ cơ sở dữ liệu; cần dạng "
            "sqlite:///duong/dan/tiendo.sqlite hoặc postgresql://nguoidung@maychu/csdl."
        )
        raise WrongUse(msg, field="database") from error
    return settings.model_copy(update={"database_url": url})


@contextmanager
def as_it_is(ctx: typer.Context) -> Iterator[Here]:
    """What a command works with, nothing made ready: an old or empty database stays so.

    Raises:
        SettingsError, WrongUse, OSError: see :mod:`cli.errors`.
    """
    from runtime.logs import set_up_logs
    from runtime.wiring import open_runtime

    settings = settings_of(ctx)
    level = "debug" if settings.log_level == "debug" else "warning"
    set_up_logs(level, settings.log_format, process="cli")
    with open_runtime(settings) as runtime:
        yield Here(runtime, Output(options_of(ctx).json))


@contextmanager
def ready(ctx: typer.Context) -> Iterator[Here]:
    """Everything a command needs; an empty database is made ready first.

    Raises:
        NewerDatabase, OlderDatabase, CatalogErrors: see :mod:`cli.errors`; and as above.
    """
    from runtime.preparing import prepare

    with as_it_is(ctx) as here:
        done = prepare(here.runtime)
        if done.plans:
            here.out.note(
                f"Đã khởi tạo cơ sở dữ liệu thử nghiệm {here.runtime.database.shown_url}: "
                f"đề án {', '.join(done.plans)}."
            )
        yield here


@contextmanager
def reading(ctx: typer.Context) -> Iterator[tuple[Here, Session]]:
    """The same with a transaction that only reads."""
    with ready(ctx) as here, here.runtime.database.read() as session:
        yield here, session
