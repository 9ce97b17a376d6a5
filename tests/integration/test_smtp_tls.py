"""TLS and STARTTLS against a real server, with a certificate that is trusted or is not."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from notifications.answers import NotConnected, Outcome, Sent, SessionRefused
from notifications.smtp import MailSession, Security, SmtpSettings

PASSWORD = "dung-mat-khau"


@dataclass
class Sink:
    """Keeps what arrives and counts logins."""

    letters: list[bytes] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        self.letters.append(envelope.content)
        return "250 OK"

    def check(self, server: Any, session: Any, envelope: Any, kind: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login.decode())
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "may chu thu")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder


@pytest.fixture(params=[Security.TLS, Security.STARTTLS])
def server(
    request: pytest.FixtureRequest, certificate: Path, free_port: int
) -> Iterator[tuple[Sink, SmtpSettings]]:
    security: Security = request.param
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    sink = Sink()
    options: dict[str, Any] = {"authenticator": sink.check}
    if security is Security.TLS:
        options |= {"ssl_context": context, "auth_require_tls": False}
    else:
        options |= {"tls_context": context, "require_starttls": True}
    controller = Controller(sink, hostname="127.0.0.1", port=free_port, **options)
    controller.start()
    yield (
        sink,
        SmtpSettings(
            host="127.0.0.1",
            port=free_port,
            user="nhacviec",
            password=SecretStr(PASSWORD),
            security=security,
            ca_file=str(certificate / "cert.pem"),
            timeout_seconds=5,
            helo_name="localhost",
        ),
    )
    controller.stop()


@pytest.fixture
def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def send(session: MailSession) -> Outcome:
    return session.send(b"Subject: x\r\n\r\nx\r\n", sender="a@snv.test", to="b@xa.test")


def changed(options: SmtpSettings, **changes: Any) -> SmtpSettings:
    values = {name: getattr(options, name) for name in SmtpSettings.__slots__}
    return SmtpSettings(**(values | changes))


def test_letters_go_through_tls_with_one_login(server: tuple[Sink, SmtpSettings]) -> None:
    sink, options = server
    with MailSession(options) as session:
        assert all(isinstance(send(session), Sent) for _ in range(5))
    assert len(sink.letters) == 5
    assert sink.logins == ["nhacviec"]


def test_a_certificate_that_nobody_vouches_for_is_refused(
    server: tuple[Sink, SmtpSettings],
) -> None:
    sink, options = server
    with MailSession(changed(options, ca_file=None)) as session:
        outcome = send(session)
    assert isinstance(outcome, NotConnected)
    assert "CERTIFICATE_VERIFY_FAILED" in outcome.error
    assert not sink.logins


def test_a_certificate_for_another_name_is_refused(server: tuple[Sink, SmtpSettings]) -> None:
    sink, options = server
    with MailSession(changed(options, host="localhost")) as session:
        assert isinstance(send(session), NotConnected)
    assert not sink.logins


def test_a_wrong_password_is_a_failure_of_the_session(server: tuple[Sink, SmtpSettings]) -> None:
    sink, options = server
    with MailSession(changed(options, password=SecretStr("sai"))) as session:
        outcome = send(session)
        assert send(session) == outcome
    assert isinstance(outcome, SessionRefused)
    assert outcome.code == 535
    assert not sink.letters
