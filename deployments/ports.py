"""Finding ports that are free, and saying which one is not."""

from __future__ import annotations

import socket

from runtime.settings import Settings

TRIED = 50
_USES = {
    "portal_port": "trang tác nghiệp",
    "prefect_port": "máy chủ luồng Prefect",
    "local_mail_port": "hộp thư thử",
}


class PortTaken(Exception):
    """A port that was asked for by name is taken; the text says how to choose another."""


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
        except OSError:
            return False
    return True


def choose_ports(settings: Settings) -> tuple[Settings, list[str]]:
    """The settings with ports that are free, and a sentence for each that had to move.

    A port that was set on purpose is not moved.

    Raises:
        PortTaken: such a port is taken.
    """
    moved: dict[str, int] = {}
    told: list[str] = []
    for name, use in _USES.items():
        if (name == "local_mail_port" and not settings.uses_local_mailbox) or (
            name == "prefect_port" and settings.prefect_api_url is not None
        ):
            continue
        host = settings.portal_host if name == "portal_port" else "127.0.0.1"
        port: int = getattr(settings, name)
        if port not in moved.values() and is_free(host, port):
            continue
        free = next(
            (
                other
                for other in range(port + 1, min(port + 1 + TRIED, 65536))
                if other not in moved.values() and is_free(host, other)
            ),
            None,
        )
        variable = f"TIENDO_{name.upper()}"
        fixed = name in settings.model_fields_set or (
            name == "portal_port" and settings.portal_public_url is not None
        )
        if free is None or fixed:
            hint = f", ví dụ {variable}={free}" if free else ""
            msg = f"Cổng {port} của {use} đang có chương trình khác dùng. Đặt {variable} là một cổng khác{hint}."
            raise PortTaken(msg)
        moved[name] = free
        told.append(f"Cổng {port} đang bận, {use} dùng cổng {free} (đặt {variable} để chọn cổng).")
    return settings.model_copy(update=moved), told
