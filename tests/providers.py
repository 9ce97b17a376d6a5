"""Providers of OpenID Connect for the tests: a real one in its own process, and one that lies."""

from __future__ import annotations

import base64
import hmac
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT, SECRET = "tiendo", "mot-ma-bi-mat-cua-ung-dung"


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def real_provider(*people: Mapping[str, object]) -> Iterator[str]:
    """``oidc-provider-mock`` as a process of its own; its issuer."""
    port = free_port()
    users = [word for one in people for word in ("--user-claims", json.dumps(one))]
    process = subprocess.Popen(
        [sys.executable, "-m", "oidc_provider_mock", "-p", str(port), *users],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    issuer = f"http://localhost:{port}"  # another site than the portal, as browsers see it
    try:
        for _ in range(300):
            try:
                httpx.get(f"{issuer}/jwks", timeout=1, trust_env=False)
                break
            except httpx.HTTPError:
                assert process.poll() is None, "the provider did not start"
                time.sleep(0.1)
        yield issuer
    finally:
        process.terminate()
        process.wait(10)


def agree(address: str, subject: str) -> str:
    """Sign in at the real provider as a person would; the address that it leads back to."""
    answer = httpx.post(address, data={"sub": subject}, trust_env=False)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


@cache
def key(name: str) -> RSAKey:
    """A key by name, made once."""
    return RSAKey.generate_key(2048, parameters={"kid": name, "use": "sig"})


Sign = Callable[[dict[str, Any]], str]


def by_key(name: str, *, alg: str = "RS256", kid: str | None = None) -> Sign:
    """Sign claims with a key of this name."""
    header = {"alg": alg, "kid": kid or name}
    return lambda claims: jwt.encode(header, claims, key(name), algorithms=[alg])


def by_shared_secret(secret: bytes) -> Sign:
    """Sign claims by HMAC: what a public key must never be taken for. No library does it so."""

    def sign(claims: dict[str, Any]) -> str:
        text = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(claims)}"
        digest = hmac.new(secret, text.encode(), "sha256").digest()
        return f"{text}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"

    return sign


def part(value: object) -> str:
    """A part of a token: JSON in base64."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@dataclass
class Liar:
    """A provider that answers as it is told to."""

    now: Callable[[], datetime]
    issuer: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    """What differs from the claims of an honest token; None leaves one out."""
    userinfo: dict[str, Any] = field(default_factory=lambda: {"sub": "u-1"})
    sign: Sign = field(default_factory=lambda: by_key("one"))
    keys: tuple[str, ...] = ("one",)
    metadata: dict[str, Any] = field(default_factory=dict)
    raw: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    """Answers as they are, by path."""
    slow: float = 0.0
    """Seconds between two bytes of an answer."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """What came in: path and form."""

    def agree(self, address: str) -> str:
        """Give a code to whoever comes with ``address``; where it leads back to."""
        parts = urlsplit(address)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?code={code}&state={asked['state']}"

    def token(self, form: Mapping[str, str]) -> tuple[int, bytes]:
        """The answer of the token endpoint: a code is good once, and with its verifier only."""
        asked = self.codes.pop(form.get("code", ""), None)
        right = asked is not None and asked["code_challenge"] == create_s256_code_challenge(
            form.get("code_verifier", "")
        )
        if asked is None or not right or asked["redirect_uri"] != form["redirect_uri"]:
            return 400, b'{"error": "invalid_grant", "error_description": "no"}'
        now = int(self.now().timestamp())
        honest = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "u-1",
            "exp": now + 300,
            "iat": now,
            "nonce": asked["nonce"],
            "preferred_username": "agency",
        }
        claims = {k: v for k, v in {**honest, **self.claims}.items() if v is not None}
        answer = {"access_token": "x", "token_type": "Bearer", "id_token": self.sign(claims)}
        return 200, json.dumps(answer).encode()

    def answer(self, path: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        """Status and body for one request."""
        if path in self.raw:
            return self.raw[path]
        found: dict[str, Any] = {}
        if path == "/token":
            return self.token(form)
        if path == "/.well-known/openid-configuration":
            ends = {"authorization_endpoint": "authorize", "token_endpoint": "token"}
            ends |= {"jwks_uri": "jwks", "userinfo_endpoint": "userinfo"}
            found = {"issuer": self.issuer}
            found |= {name: f"{self.issuer}/{end}" for name, end in ends.items()}
            found |= self.metadata
        elif path == "/jwks":
            found = dict(KeySet([key(one) for one in self.keys]).as_dict(private=False))
        elif path == "/userinfo":
            found = self.userinfo
        else:
            return 404, b"{}"
        return 200, json.dumps(found).encode()


@contextmanager
def lying_provider(now: Callable[[], datetime]) -> Iterator[Liar]:
    """A provider on the loopback that answers as it is told to."""
    liar = Liar(now)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            form = parse_qs(self.rfile.read(length).decode())
            fields = {name: values[0] for name, values in form.items()}
            path = urlsplit(self.path).path
            liar.asked.append((path, fields))
            status, body = liar.answer(path, fields)
            head = (
                f"HTTP/1.1 {status} x\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            try:
                for one in (bytes([letter]) for letter in head.encode() + body):
                    self.wfile.write(one)
                    if liar.slow:
                        time.sleep(liar.slow)
            except OSError:
                pass  # whoever asked has gone

        do_POST = do_GET  # noqa: N815 - the name that http.server asks for

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    liar.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield liar
    finally:
        server.shutdown()
        server.server_close()
