"""Single sign-on in a browser without scripts: away by a page, to a real provider, and back in."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn
from pydantic import SecretStr

from portal.permissions import Visitor
from tests import portal_site
from tests.databases import Copies
from tests.portal_site import Site
from tests.providers import CLIENT, SECRET, free_port, real_provider
from tests.screenshots import WIDTHS, chromium, follow, visit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@contextmanager
def served(site: Site, port: int) -> Iterator[None]:
    """The portal on a socket."""
    server = uvicorn.Server(
        uvicorn.Config(site.app, host="127.0.0.1", port=port, log_config=None, access_log=False)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)


def test_button_leads_to_the_provider_and_back_without_scripts(
    sqlite_copies: Copies, tmp_path: Path
) -> None:
    """The policy of our pages stops no step of it, on a phone and on a desk."""
    port = free_port()
    person = {"sub": "u-7", "preferred_username": "agency"}
    with real_provider(person) as issuer:
        values: dict[str, object] = {
            "oidc_issuer": issuer,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": SecretStr(SECRET),
            "portal_public_url": f"http://127.0.0.1:{port}",
        }
        with (
            sqlite_copies.one(tmp_path, migrated=True) as url,
            portal_site.site(url, tmp_path, **values) as site,
            served(site, port),
            chromium() as browser,
        ):
            site.clock.instant = datetime.now(UTC)
            site.account(Visitor.AGENCY)
            for width in WIDTHS:
                page = visit(browser, width, scripts=False).new_page()
                page.goto(f"http://127.0.0.1:{port}/co-quan")
                follow(page, "text=Đăng nhập bằng tài khoản dùng chung")
                page.wait_for_url(f"{issuer}/**")
                page.fill("input[name=sub]", "u-7")
                follow(page, "button:has-text('Authorize')")
                page.wait_for_url(f"http://127.0.0.1:{port}/co-quan")
                assert "Người dùng agency" in page.inner_text("header")
                follow(page, "text=Đăng xuất")
                assert "vẫn còn trên máy này" in page.inner_text("main")
                follow(page, "text=Đăng xuất khỏi tài khoản dùng chung")
                assert page.url.startswith(f"{issuer}/oauth2/end_session")
