"""The provider's word, believed or not: every lie that a token can tell, and every silence."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from runtime.settings import Settings
from runtime.sign_on import AT_ONCE, Identity, Provider, ProviderSilent, TokenRefused
from tests.providers import (
    CLIENT,
    SECRET,
    Liar,
    by_key,
    by_shared_secret,
    key,
    lying_provider,
    part,
)

BACK = "http://tiendo.test/ve"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def liar() -> Iterator[Liar]:
    with lying_provider(now) as found:
        yield found


def provider(liar: Liar, **more: object) -> Provider:
    values: dict[str, object] = {
        "oidc_issuer": liar.issuer,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SecretStr(SECRET),
    }
    return Provider(Settings(_env_file=None, **(values | more)))  # type: ignore[arg-type]


def sign_on(liar: Liar, known: Provider) -> Identity:
    """Away, agreed there, and back."""
    start = known.begin(BACK)
    back = parse_qs(urlsplit(liar.agree(start.address)).query)
    assert back["state"] == [start.state]
    code = back["code"][0]
    return known.finish(BACK, code=code, nonce=start.nonce, verifier=start.verifier, now=now())


def test_honest_provider_is_believed(liar: Liar) -> None:
    assert sign_on(liar, provider(liar)) == Identity(told="agency", strong=False)
    assert [path for path, _ in liar.asked] == [
        "/.well-known/openid-configuration",
        "/token",
        "/jwks",
    ]


def test_secret_goes_where_the_provider_takes_it(liar: Liar) -> None:
    liar.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    sign_on(liar, provider(liar))
    assert [form.get("client_secret") for path, form in liar.asked if path == "/token"] == [SECRET]
    liar.asked.clear()
    liar.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_basic"]}
    sign_on(liar, provider(liar))
    assert not [form for _, form in liar.asked if "client_secret" in form]


def unsigned(claims: dict[str, Any]) -> str:
    return f"{part({'alg': 'none'})}.{part(claims)}."


def cut(claims: dict[str, Any]) -> str:
    return by_key("one")(claims)[:-6] + "AAAAAA"


BAD: dict[str, dict[str, Any]] = {
    "for somebody else": {"claims": {"aud": "khac"}},
    "for us among others, issued to another": {"claims": {"aud": [CLIENT, "khac"], "azp": "khac"}},
    "for two, and nobody says to whom": {"claims": {"aud": [CLIENT, "khac"]}},
    "without an audience": {"claims": {"aud": None}},
    "by another issuer": {"claims": {"iss": "https://khac.test"}},
    "without an issuer": {"claims": {"iss": None}},
    "over": {"claims": {"exp": 1_700_000_000}},
    "without an end": {"claims": {"exp": None}},
    "with an end that is none": {"claims": {"exp": "mai"}},
    "without end": {"claims": {"exp": float("inf")}},
    "of the future": {"claims": {"iat": 4_000_000_000}},
    "not yet": {"claims": {"nbf": 4_000_000_000}},
    "for another request": {"claims": {"nonce": "khac"}},
    "without a nonce": {"claims": {"nonce": None}},
    "without a subject": {"claims": {"sub": None}},
    "for another access token": {"claims": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}},
    "with ways that are no list": {"claims": {"amr": "mfa"}},
    "without a name": {"claims": {"preferred_username": None}},
    "with a name that is no text": {"claims": {"preferred_username": ["agency"]}},
    "with an empty name": {"claims": {"preferred_username": " "}},
    "unsigned": {"sign": unsigned},
    "with a broken signature": {"sign": cut},
    "by a key that it does not show": {"sign": by_key("two")},
    "by another key under the same name": {"sign": by_key("two", kid="one")},
    "by the public key as a shared secret": {
        "sign": by_shared_secret(key("one").as_pem(private=False))
    },
    "by the client's secret": {"sign": by_shared_secret(SECRET.encode())},
    "no token": {"sign": lambda _: "x.y"},
    "nothing but points": {"sign": lambda _: "....."},
    "a number": {"sign": lambda _: 7},
}


def test_token_that_is_not_ours_now_and_signed_is_not_believed(
    liar: Liar, subtests: pytest.Subtests
) -> None:
    known, honest = provider(liar), {"claims": {}, "sign": liar.sign}
    for kind, lie in BAD.items():
        with subtests.test(kind):
            for name, value in (honest | lie).items():
                setattr(liar, name, value)
            with pytest.raises(TokenRefused):
                sign_on(liar, known)


def test_name_that_userinfo_tells_counts_for_the_same_subject_only(liar: Liar) -> None:
    liar.claims = {"preferred_username": None}
    liar.userinfo = {"sub": "u-1", "preferred_username": "agency"}
    assert sign_on(liar, provider(liar)).told == "agency"
    liar.userinfo = {"sub": "u-2", "preferred_username": "agency"}
    with pytest.raises(TokenRefused, match="another subject"):
        sign_on(liar, provider(liar))


def test_new_key_is_asked_for_when_a_token_names_it_but_not_all_the_time(
    liar: Liar, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = provider(liar)
    sign_on(liar, known)
    liar.keys, liar.sign = ("one", "two"), by_key("two")
    with pytest.raises(TokenRefused):
        sign_on(liar, known)
    monkeypatch.setattr("runtime.sign_on._KEYS_AGAIN", 0)
    assert sign_on(liar, known).told == "agency"
    asked = [path for path, _ in liar.asked]
    assert (asked.count("/jwks"), asked.count("/.well-known/openid-configuration")) == (2, 1)


ENDPOINTS = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
NONSENSE: dict[str, tuple[int, bytes]] = {
    "error": (500, b"{}"),
    "elsewhere": (302, b""),
    "page": (200, b"<html>"),
    "list": (200, b"[]"),
    "deep": (200, b"[" * 100_000),
    "letters": (200, b"\xff\xfe\x00"),
    "huge": (200, b'{"issuer": "' + b"x" * 300_000 + b'"}'),
    "another issuer": (200, b'{"issuer": "https://khac.test"}'),
    "in the clear": (200, json.dumps(dict.fromkeys(ENDPOINTS, "http://khac.test/x")).encode()),
}


def test_configuration_that_is_nonsense_is_none(liar: Liar, subtests: pytest.Subtests) -> None:
    known = provider(liar)
    for kind, nonsense in NONSENSE.items():
        with subtests.test(kind):
            liar.raw["/.well-known/openid-configuration"] = nonsense
            with pytest.raises(ProviderSilent):
                known.begin(BACK)


def test_nonsense_on_the_way_back_is_refused(
    liar: Liar, subtests: pytest.Subtests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.sign_on.KNOWN_FOR", 0)
    liar.claims, known = {"preferred_username": None}, provider(liar)
    for path in ("/token", "/jwks", "/userinfo"):
        for kind in ("error", "elsewhere", "page", "list", "deep", "letters", "huge"):
            with subtests.test(f"{path}: {kind}"):
                liar.raw = {path: NONSENSE[kind]}
                with pytest.raises((ProviderSilent, TokenRefused)):
                    sign_on(liar, known)


def test_code_without_its_verifier_or_used_before_is_good_for_nothing(liar: Liar) -> None:
    """PKCE (RFC 7636): who catches the code has not what began it."""
    known = provider(liar)
    mine, theirs = known.begin(BACK), known.begin(BACK)
    codes = [parse_qs(urlsplit(liar.agree(one.address)).query)["code"][0] for one in (mine, theirs)]
    with pytest.raises(TokenRefused, match="invalid_grant"):
        known.finish(BACK, code=codes[1], nonce=mine.nonce, verifier=mine.verifier, now=now())
    honest = {"code": codes[0], "nonce": mine.nonce, "verifier": mine.verifier, "now": now()}
    known.finish(BACK, **honest)  # type: ignore[arg-type]
    with pytest.raises(TokenRefused, match="invalid_grant"):
        known.finish(BACK, **honest)  # type: ignore[arg-type]


def test_slow_provider_is_waited_for_a_little_while_and_by_a_few_only(
    liar: Liar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte now and then would keep a thread of the portal for ever."""
    monkeypatch.setattr("runtime.sign_on.SECONDS", 0.4)
    liar.slow, known = 0.05, provider(liar)
    began = time.monotonic()
    with pytest.raises(ProviderSilent, match="no answer within"):
        known.begin(BACK)
    assert time.monotonic() - began < 5
    for _ in range(AT_ONCE):
        known._free.acquire()
    with pytest.raises(ProviderSilent, match="go on already"):
        known.begin(BACK)
