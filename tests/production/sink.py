"""A mail server for the rehearsal: STARTTLS and a login, a line of JSON for each letter it took.

``python sink.py CERTIFICATE KEY PASSWORD FILE``, on port 587.
"""

from __future__ import annotations

import json
import os
import ssl
import sys
import threading
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword


class Taken:
    """Writes who got which letter; a letter is acknowledged when its line is on the disk."""

    def __init__(self, file: str) -> None:
        self._file = Path(file).open("a", encoding="utf-8")  # noqa: SIM115 - as long as the process

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        letter = message_from_bytes(content if isinstance(content, bytes) else b"", policy=default)
        line = {
            "to": list(envelope.rcpt_tos),
            "subject": letter["Subject"],
            "id": letter["Message-ID"],
        }
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        return "250 2.0.0 OK"


def main(certificate: str, key: str, password: str, file: str) -> None:
    """Serve until the process is ended."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    def check(server: Any, session: Any, envelope: Any, kind: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and data.password == password.encode()
        return AuthResult(success=good, handled=False)

    Controller(
        Taken(file),
        hostname="127.0.0.1",
        port=587,
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=check,
    ).start()
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
