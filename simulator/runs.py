"""The runs of the engine, as the clock would start them: the flows' own work, without Prefect."""

from __future__ import annotations

import contextlib
import random
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.orm import Session

from flows.items import work_on
from flows.mail import MailServerTrouble, queue, send_letters, summarise
from flows.naming import NIGHTLY, SUMMARY, ItemFlow, item_flows
from flows.nightly import check
from flows.shell import BusinessDate, Job, Outcome, perform
from notifications.smtp import MailSession
from operations.opening import open_due
from operations.stamp import Stamp
from operations.state import plan_keys
from rules.notes import SigningKey
from runtime.delivery import PostOffice
from runtime.sealing import seal_now
from runtime.settings import Settings
from runtime.wiring import Runtime, smtp_settings
from simulator.fate import Fate
from simulator.mail import MailServer

HOST = "mail.tinh.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedRuntime(Runtime):
    """The composition root with the simulator's mail server and processes in it."""

    server: MailServer
    fate: Fate

    def open_mail(self) -> MailSession:
        """A session with the simulated server: the real conversation, over no network."""
        return MailSession(smtp_settings(self.settings), over=self.server.connection)

    def post_office(self, run: str | None = None) -> PostOffice:
        """Where letters leave from, under the name of the process at work."""
        office = Runtime.post_office(self, run)
        now = self.fate.now
        owner = None if now is None else now.owner
        return replace(office, owner=owner, alive=self.fate.alive)


def settings(folder: Path) -> Settings:
    """Settings of the simulator's own: nothing is read from the environment."""
    return Settings.model_construct(
        data_dir=folder,
        smtp_host=HOST,
        smtp_port=25,
        smtp_security="none",
        mail_from=f"nhacviec@{HOST}",
        mail_domain=HOST,
        office_name="Sở Nội vụ",
        operators_address=f"van-hanh@{HOST}",
        portal_public_url="https://tiendo.tinh.example",
    )


def run_item(runtime: Runtime, one: ItemFlow, run: str) -> None:
    """The flow of an item: open what is due, queue what is owed."""

    def work(_: Runtime, session: Session, stamp: Stamp, day: BusinessDate) -> Outcome:
        return work_on(one, session, stamp, day)

    perform(runtime, one.job, work, run=run, as_of=None)


def run_opening(runtime: Runtime, run: str) -> None:
    """Open everything that is due, as ``tiendo open`` does."""

    def work(_: Runtime, session: Session, stamp: Stamp, _day: BusinessDate) -> Outcome:
        for plan in plan_keys(session):
            open_due(session, stamp, plan)
        return Outcome(state="", message="")

    perform(runtime, Job(word="open", title="Mở việc"), work, run=run, as_of=None)


def run_summary(runtime: Runtime, run: str) -> None:
    """The coordinator's letter of the week."""
    perform(runtime, SUMMARY, summarise, run=run, as_of=None)


def run_nightly(runtime: Runtime, run: str) -> None:
    """The nightly checks."""
    perform(runtime, NIGHTLY, check, run=run, as_of=None)


def make_key(runtime: Runtime, chance: random.Random) -> None:
    """The key of the log, drawn as everything else, so that a life can be lived again."""
    folder = runtime.key_folder
    key = SigningKey.make(runtime.settings.log_origin, chance.randbytes(32))
    folder.path.mkdir(parents=True)
    folder.private_file.write_text(f"{key.text}\n", encoding="ascii")
    folder.trust(key.verifying)


def run_seal(runtime: Runtime, run: str) -> None:
    """Seal what is pending."""
    seal_now(runtime, run=run)


def run_sweep(runtime: Runtime, run: str) -> Outcome:
    """Queue what is owed, and send nothing."""

    def work(_: Runtime, session: Session, stamp: Stamp, day: BusinessDate) -> Outcome:
        return queue(session, stamp, day, preview=False)

    return perform(runtime, Job(word="remind", title="Lập thư nhắc"), work, run=run, as_of=None)


def run_delivery(runtime: Runtime, run: str) -> None:
    """Queue what is owed and send what waits; a server that takes nothing fails the run."""
    with contextlib.suppress(MailServerTrouble):
        send_letters(runtime, run, None)


def known_flows(session: Session) -> list[ItemFlow]:
    """The flows of all items, as the deployments would find them now."""
    return item_flows(session)
