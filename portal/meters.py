"""What this process counts: requests, refused log-ins, limits that were hit.

Counted in this process's memory and from its start, as Prometheus expects of a counter. Several
portal processes count each by itself: each is scraped by itself, and Prometheus adds them up.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
LOG_INS: Final = frozenset({"login", "login_code", "sign_on_return"})
"""Routes at which a refusal is a refused log-in."""
_REFUSED: Final = frozenset({401, 403})
_LIMITED: Final = 429

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series, of no use to us


class Meters:
    """The counters of one application, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "tiendo_requests",
            "Requests answered, by route, method and status (499: the sender went away).",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "tiendo_request_seconds",
            "Seconds from the beginning of a request to the end of its answer.",
            ("route",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._refused = Counter(
            "tiendo_logins_refused",
            "Log-ins refused: wrong name, password or code, or a locked account.",
            registry=self.registry,
        )
        self._limited = Counter(
            "tiendo_rate_limited",
            "Requests refused because there were too many of them.",
            ("route",),
            registry=self.registry,
        )

    def note(self, *, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request. A method that HTTP does not know is counted as ``other``."""
        method = method if method in _METHODS else "other"
        self._requests.labels(route=route, method=method, status=str(status)).inc()
        self._seconds.labels(route=route).observe(seconds)
        if route in LOG_INS and status in _REFUSED:
            self._refused.inc()
        if status == _LIMITED:
            self._limited.labels(route=route).inc()
