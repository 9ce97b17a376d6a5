"""docs/van-hanh.md typed word for word into a throwaway machine, section by section.

What the guide leaves to a person is done by steps of its own here: passwords, addresses, names.
"""

from __future__ import annotations

import csv
import io
import json
import re
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from tests.production.guide import HOUSE, blocks
from tests.production.machine import Machine
from tests.production.national import LETTERS, National, Told

SITE = "tiendo.example.vn"
FETCHING = ("apt-get ", "make production")
"""Commands that reach for packages; all others have the machine's own loopback and no more."""
KEY = "/var/lib/tiendo/backup.key"
ROLES = ("owner", "app", "trial", "prefect")


def new_secret() -> str:
    """As the guide makes them: ``openssl rand -hex 24``."""
    return secrets.token_hex(24)


def parts(block: str) -> Iterator[tuple[bool, str]]:
    """A block in stretches that are typed with or without packages in reach, in one folder."""
    here = ""
    for fetching, lines in groupby(block.splitlines(), lambda one: one.startswith(FETCHING)):
        typed = list(lines)
        yield fetching, "\n".join((here, *typed))
        here = next((one for one in reversed(typed) if one.startswith("cd ")), here)


@dataclass
class Rehearsal:
    """One machine on its way from empty to live."""

    machine: Machine
    told: Told = field(default_factory=Told)
    passwords: dict[str, str] = field(default_factory=lambda: {one: new_secret() for one in ROLES})
    mail_password: str = field(default_factory=new_secret)
    invitation: str = ""
    """The link by which the first administrator sets a password."""

    def guide(
        self,
        section: int,
        nth: int = 0,
        *,
        changes: Mapping[str, str] | None = None,
        standing: bool = True,
        answer: str = "",
    ) -> str:
        """Type a block of the guide; ``changes`` are words to replace in it.

        With ``standing`` a command that fails is an error.
        """
        block = blocks(section)[nth].replace("TÊN-MIỀN", SITE)
        for old, new in (changes or {}).items():
            block = block.replace(old, new)
        began = time.monotonic()
        said = "".join(
            self.machine.type(text, fetching=fetch, standing=standing, answer=answer)
            for fetch, text in parts(block)
        )
        self.told.say(f"{section}.{nth + 1}: {time.monotonic() - began:.0f} s")
        return said

    def unpack(self) -> None:
        """The release, from this checkout's last commit."""
        code = subprocess.run(
            ["git", "archive", "HEAD"], cwd=HOUSE, stdout=subprocess.PIPE, check=True
        ).stdout
        self.machine.type("mkdir /opt/tiendo")
        self.machine.pipe(["tar", "-x", "-C", "/opt/tiendo"], code)

    def empty(self) -> None:
        """A database and a Redis as Debian leaves them, whatever this machine had."""
        self.machine.type(
            "pg_dropcluster --stop 15 main\npg_createcluster --start 15 main\nredis-cli flushall"
        )

    def install(self) -> None:
        """Sections 1 and 2."""
        self.empty()
        self.guide(1)
        self.unpack()
        self.guide(1, 1)
        sql = blocks(2)[0]
        for role in ROLES:
            sql = sql.replace("CHANGE-ME", self.passwords[role], 1)
        self.machine.pipe(
            ["runuser", "-u", "postgres", "--", "psql", "-v", "ON_ERROR_STOP=1"], sql.encode()
        )

    def surround(self) -> None:
        """What every office has: a name, a certificate, a mail server."""
        names = f"DNS:{SITE},DNS:mail.example.vn"
        self.machine.type(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30"
            f" -subj /CN=rehearsal -addext subjectAltName={names}"
            " -keyout /root/key.pem -out /root/cert.pem\n"
            "install -D -m 644 /root/cert.pem /usr/local/share/ca-certificates/rehearsal.crt\n"
            "update-ca-certificates\n"
            f"printf '127.0.0.1 {SITE} mail.example.vn\\n' >> /etc/hosts\n"
            "install -D -m 600 /root/cert.pem /etc/tiendo/tls/cert.pem\n"
            "install -m 600 /root/key.pem /etc/tiendo/tls/key.pem\n"
        )
        sink = HOUSE / "tests" / "production" / "sink.py"
        self.machine.write("/root/sink.py", sink.read_bytes())
        self.machine.type(
            "systemd-run --unit=mail-sink /opt/tiendo/.venv/bin/python /root/sink.py"
            f" /root/cert.pem /root/key.pem {self.mail_password} {LETTERS}"
        )

    def settle(self) -> None:
        """Section 3."""
        word = self.passwords
        self.machine.type(
            "cd /etc/tiendo\n"
            f"sed -i 's/CHANGE-ME/{word['prefect']}/' prefect.env\n"
            f"sed -i 's/CHANGE-ME/{word['owner']}/' owner.env\n"
            "sed -i"
            f" -e '/^TIENDO_DATABASE_URL/s/CHANGE-ME/{word['app']}/'"
            f" -e '/TRIAL_URL/s/CHANGE-ME/{word['trial']}/'"
            f" -e 's/^TIENDO_LINK_SECRET=.*/TIENDO_LINK_SECRET={secrets.token_hex(32)}/'"
            f" -e 's/.*METRICS_TOKEN=.*/TIENDO_METRICS_TOKEN={new_secret()}/'"
            " -e 's/^#\\(TIENDO_\\(SMTP\\|MAIL\\|CONTACT\\|OPERATORS\\|AUDITORS\\)\\)/\\1/'"
            f" -e '/SMTP_PASSWORD/s/CHANGE-ME/{self.mail_password}/'"
            " -e '/CONTACT_PHONE/s/CHANGE-ME/0258 3822 000/'"
            f" -e 's/tiendo.example.vn/{SITE}/' tiendo.env\n"
        )
        for nth in range(3):
            self.guide(3, nth)

    def start(self) -> None:
        """Sections 4 and 5, and what the portal then says through the proxy."""
        self.guide(4)
        self.guide(5)
        said = self.machine.type(f"curl -sS -i https://{SITE}/health")
        if '"status":"ok"' not in said or said.lower().count("strict-transport-security") != 1:
            raise AssertionError(said)

    def people(self) -> None:
        """Section 6 up to the trial's end; real addresses by a file."""
        said = self.guide(6)
        for name, role in (("dieu.phoi", "coordinator"), ("lanh.dao", "leadership")):
            self.machine.type(
                f"tiendo accounts add {name} --role {role} --name 'Họ và tên' --no-password"
            )
        addresses(self.machine)
        self.machine.type("tiendo rehearse --from 2027-01-01 --to 2027-03-31")
        self.invitation = said.split()[-1]

    def first_morning(self) -> None:
        """Every flow of the table runs once, and the doctor finds nothing wrong."""
        today = datetime.now(UTC).astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).date().isoformat()
        national = National(self.machine, self.told)
        national.bring()
        national.runs("flows.", today)
        self.machine.type("tiendo doctor")
        self.machine.type("tiendo go-live --yes")
        seen = national.inside(self.invitation, "quan.tri", module="walk")
        self.told.say(f"pages and files by TLS: {seen}")
        if seen["failed"]:
            raise AssertionError(seen["failed"])

    def keep(self) -> None:
        """Section 7: encrypted backups."""
        said = self.guide(7)
        recipient = re.search(r"age1[0-9a-z]+", said)
        if recipient is None:
            raise AssertionError(said)
        self.machine.type(
            f"sed -i 's/.*TIENDO_BACKUP_RECIPIENT=.*/TIENDO_BACKUP_RECIPIENT={recipient[0]}/'"
            " /etc/tiendo/tiendo.env\nsystemctl restart 'tiendo-worker@*'"
        )
        self.guide(7, 1)

    def restore(self) -> None:
        """Section 8: the newest backup, into an empty database."""
        count = "cd /; runuser -u postgres -- psql -At tiendo -c 'SELECT count(*) FROM event'"
        before = int(self.machine.type(count))
        newest = self.machine.type("ls -t /var/backups/tiendo/*.age | head -n 1").strip()
        self.machine.type("mkdir -p /var/lib/tiendo/uploads")
        self.guide(8, changes={"TỆP": newest, "backup.key": KEY}, answer="c\n")
        after = int(self.machine.type(count))
        self.told.say(f"restored: {before} events before, {after} after")
        if after < before:
            raise AssertionError(f"{before - after} events lost")

    def upgrade(self) -> None:
        """Section 9, to the same release."""
        self.guide(9)
        self.unpack()
        self.guide(9, 1)

    def more(self) -> None:
        """Section 13 on one host: a second worker, a second server of Prefect, one address."""
        self.machine.type("systemctl enable --now tiendo-worker@2")
        self.guide(13)

    def all(self) -> None:
        """From empty to live, and everything that the guide has after it."""
        self.install()
        self.surround()
        self.settle()
        self.start()
        self.people()
        self.first_morning()
        self.keep()
        self.restore()
        self.upgrade()
        self.more()
        self.healthy()

    def healthy(self) -> None:
        """No unit of ours failed, and nobody complained."""
        self.machine.type("systemctl restart tiendo-doctor.service")
        said = self.guide(11, standing=False)
        failed = self.machine.type("systemctl list-units --failed --plain --no-legend 'tiendo*'")
        wrong = [line for line in said.splitlines() if '"level": "' in line]
        self.told.say(f"failed units: {failed.split() or 'none'}; complaints: {wrong or 'none'}")
        if failed.split():
            raise AssertionError(failed)


def addresses(machine: Machine) -> None:
    """Real mailboxes in place of the samples; the sample focal points go."""
    known = map(json.loads, machine.type("tiendo contacts list --json").splitlines())
    book = io.StringIO()
    rows = csv.writer(book)
    rows.writerow(["Cơ quan", "Loại liên hệ", "Thư điện tử"])
    for one in known:
        if one["kind"] == "mailbox":
            rows.writerow(
                [one["agency"], one["kind"], one["email"].replace(".test", ".example.vn")]
            )
    path = "/var/lib/tiendo/lien-he.csv"
    machine.write(path, book.getvalue().encode())
    machine.type(
        f"chown tiendo {path}\ntiendo contacts import {path}\ntiendo contacts drop-samples --yes"
    )
