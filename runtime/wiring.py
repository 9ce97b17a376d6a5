"""The composition root: everything that a process needs, wired once from its settings."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from models.engine import Database
from notifications.values import Sender
from runtime.clock import Clock, SystemClock
from runtime.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from notifications.reaching import Reach
    from notifications.smtp import MailSession, SmtpSettings
    from operations.vault import Vault
    from runtime.delivery import PostOffice
    from runtime.outward import OutwardOffice
    from runtime.seal_keys import KeyFolder
    from runtime.sign_on import Provider

SECRET_FILE = "link.key"  # noqa: S105 - the name of the file

NO_OFFICE = "Cơ quan điều phối"
"""Who signs before any plan is loaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What the edges work with. Flows, pages and commands take it and pass on its parts."""

    settings: Settings
    database: Database
    clock: Clock
    link_secret: str = field(repr=False)
    """Signs links and sessions."""

    @property
    def uploads(self) -> Path:
        """Where filed evidence is kept, outside any web root."""
        return self.settings.uploads_dir

    @property
    def sender(self) -> Sender:
        """How letters are signed; the office is the plan's coordinator unless set otherwise."""
        settings = self.settings
        office = settings.office_name or self._coordinator()
        return Sender(
            office_name=office,
            contact_line=settings.contact_line or office,
            phone=settings.contact_phone or "",
            from_name=settings.mail_from_name or office,
            from_address=settings.mail_from,
            portal_url=settings.portal_url,
            uid_domain=settings.mail_domain,
            reply_to=settings.mail_reply_to,
        )

    @property
    def vault(self) -> Vault:
        """Encrypts the secrets of accounts."""
        from operations.vault import Vault

        return Vault(self.link_secret)

    @property
    def key_folder(self) -> KeyFolder:
        """The key that signs checkpoints, and the checkpoints kept beside it."""
        from runtime.seal_keys import KeyFolder

        return KeyFolder(self.settings.seal_folder)

    def provider(self) -> Provider | None:
        """Single sign-on, where it is set; what it learns of the provider it keeps."""
        if self.settings.oidc_issuer is None:
            return None
        from runtime.sign_on import Provider

        return Provider(self.settings)

    def _coordinator(self) -> str:
        from operations.state import load_state, plan_keys

        with self.database.read() as session:
            for key in plan_keys(session):
                state = load_state(session, key)
                today = self.clock.today(state.plan.time_zone)
                return state.directory.agency(state.coordinator(today)).name
        return NO_OFFICE

    def open_mail(self) -> MailSession:
        """A new session with the mail server, or with the local mailbox where there is none."""
        from notifications.smtp import MailSession

        return MailSession(smtp_settings(self.settings))

    def post_office(self, run: str | None = None) -> PostOffice:
        """Where letters leave from, for ``runtime.delivery.deliver``; ``run`` is the flow run."""
        from runtime.delivery import PostOffice

        return PostOffice(
            database=self.database,
            open_mail=self.open_mail,
            clock=self.clock,
            sender=self.sender,
            secret=self.link_secret,
            time_zone=self.settings.time_zone,
            real_server=not self.settings.uses_local_mailbox,
            run=run,
        )

    def reach(self, session: Session) -> Reach:
        """What webhooks and chats may call: this machine only from a trial."""
        from notifications.reaching import Reach
        from operations.state import is_trial

        return Reach(loopback=is_trial(session), private=self.settings.outward_private)

    def outward_office(self, run: str | None = None) -> OutwardOffice:
        """Where messages to webhooks and chats leave from."""
        from runtime.outward import OutwardOffice

        with self.database.read() as session:
            reach = self.reach(session)
        return OutwardOffice(
            database=self.database,
            clock=self.clock,
            vault=self.vault,
            reach=reach,
            portal_url=self.settings.portal_url,
            off_days=self.settings.outward_off_days,
            run=run,
        )

    def close(self) -> None:
        """Give back all connections."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_runtime(settings: Settings, *, clock: Clock | None = None) -> Runtime:
    """Wire a process. Makes the data folder and the secret key at the first start.

    Raises:
        OSError: the data folder cannot be written.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Runtime(
        settings=settings,
        database=Database(settings.database_address),
        clock=clock or SystemClock(),
        link_secret=_link_secret(settings),
    )


def smtp_settings(settings: Settings) -> SmtpSettings:
    """How letters leave: by the mail server, or into the local mailbox of this machine."""
    from notifications.smtp import Security, SmtpSettings

    if settings.smtp_host is None:
        return SmtpSettings(
            host="127.0.0.1",
            port=settings.local_mail_port,
            security=Security.NONE,
            timeout_seconds=settings.smtp_timeout,
            letter_seconds=settings.smtp_letter_timeout,
            helo_name="localhost",
        )
    return SmtpSettings(
        host=settings.smtp_host,
        port=settings.smtp_port,
        user=settings.smtp_user,
        password=settings.smtp_password,
        security=Security(settings.smtp_security),
        timeout_seconds=settings.smtp_timeout,
        letter_seconds=settings.smtp_letter_timeout,
        ca_file=None if settings.smtp_ca_file is None else str(settings.smtp_ca_file),
    )


def _link_secret(settings: Settings) -> str:
    """The key from the settings, or from its file, which the first process makes."""
    if settings.link_secret is not None:
        return settings.link_secret.get_secret_value()
    from runtime.private_files import write_once

    path = settings.data_dir / SECRET_FILE
    if not path.exists():
        write_once(path, secrets.token_urlsafe(48))
    return path.read_text(encoding="ascii").strip()
