"""Figures for Prometheus: who may read them, what they say, and that the alerts fit them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from httpx import Response
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML
from sqlalchemy import event, text

from deployments.plan import deployed
from flows import naming
from flows.naming import DELIVERY
from flows.shell import Job, Outcome, log_run
from models.tables import Letter, LetterState
from operations.stamp import Stamp
from operations.standing import FAILED_RUN
from portal.permissions import Visitor
from rules.actors import flow_actor
from runtime.schedules import schedules
from runtime.sealing import seal_now
from tests import portal_site, world
from tests.portal_site import RESULT, Site, mark_of, send

TOKEN = "so-lieu-chi-danh-cho-prometheus-2027"
RULES = Path(__file__).parents[2] / "deployments/alerts/tiendo.rules.yml"


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal whose figures are read by a token."""
    with portal_site.site(database_url, tmp_path, metrics_token=TOKEN) as found:
        yield found


def asked(site: Site, token: str = TOKEN) -> Response:
    answer: Response = site.browser().get("/metrics", headers={"authorization": f"Bearer {token}"})
    return answer


def figures(site: Site) -> dict[str, float]:
    """All figures as ``name{label="value"}``."""
    answer = asked(site)
    assert answer.status_code == 200, answer.text
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for one in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(one.labels.items()))
            found[f"{one.name}{{{labels}}}" if labels else one.name] = one.value
    return found


def letter(site: Site, key: str, state: LetterState, *, hours: int) -> None:
    """A letter that was queued some hours ago."""
    at = site.clock.now() - timedelta(hours=hours)
    row = Letter(
        key=key,
        kind="returned",
        mailbox="a@co-quan.test",
        agency_key=world.A,
        day=world.TODAY,
        state=state.value,
        queued_at=at,
        message_id="",
    )
    site.write(lambda session: session.add(row))


def ran(site: Site, job: Job, *, hours: float, state: str = "Xong") -> None:
    """A run that began some hours ago."""
    at = site.clock.now() - timedelta(hours=hours)
    stamp = Stamp(at=at, as_of=world.TODAY, actor=flow_actor("thử"))
    outcome = Outcome(state=state, message="")
    site.write(lambda session: log_run(session, job, stamp, outcome, finished=at))


def test_nobody_reads_figures_where_no_token_is_set(database_url: str, tmp_path: Path) -> None:
    with portal_site.site(database_url, tmp_path) as closed:
        assert asked(closed).status_code == 404
        assert asked(closed, "").status_code == 404


def test_figures_are_read_by_the_token_alone(site: Site) -> None:
    assert asked(site).status_code == 200
    assert asked(site, "khac").status_code == 401
    admin = site.logged_in(Visitor.ADMIN)
    assert admin.get("/metrics").status_code == 401
    assert TOKEN not in asked(site, "khac").text


def test_whoever_tries_tokens_is_stopped(site: Site) -> None:
    for _ in range(20):
        asked(site, "doan")
    assert asked(site).status_code == 429


def test_letters_are_told_by_state_and_by_age(site: Site) -> None:
    """Rule 33."""
    letter(site, "a", LetterState.QUEUED, hours=5)
    letter(site, "b", LetterState.RETRYING, hours=2)
    letter(site, "c", LetterState.UNKNOWN, hours=90)
    found = figures(site)
    assert found['tiendo_letters{state="queued"}'] == 1
    assert found['tiendo_letters{state="unknown"}'] == 1
    assert found['tiendo_letters{state="sent"}'] == 0
    assert found["tiendo_letters_oldest_seconds"] == 5 * 3600


def test_a_letter_counts_as_left_once_a_delivery_should_have_taken_it(site: Site) -> None:
    """The clock stands at nine; deliveries are due at half past seven and from eight on."""
    letter(site, "new", LetterState.QUEUED, hours=0)
    assert figures(site)["tiendo_letters_left"] == 0
    letter(site, "old", LetterState.QUEUED, hours=8)
    assert figures(site)["tiendo_letters_left"] == 1


def test_a_run_is_late_once_its_hour_has_passed(site: Site) -> None:
    """The clock of this world stands at nine in the morning; the sweep at 01:00 should have been."""
    nightly = Job(word="nightly", title="Kiểm tra hằng đêm")
    site.account(Visitor.ADMIN)  # the first event: the system begins
    site.clock.instant += timedelta(days=2)
    assert figures(site)['tiendo_runs_late{job="nightly"}'] == 1
    ran(site, nightly, hours=40)
    assert figures(site)['tiendo_runs_late{job="nightly"}'] == 1
    ran(site, nightly, hours=8)
    found = figures(site)
    assert found['tiendo_runs_late{job="nightly"}'] == 0
    assert found['tiendo_run_age_seconds{job="nightly"}'] == 8 * 3600
    assert found['tiendo_run_age_seconds{job="item"}'] == float("inf")


def test_nothing_is_late_on_the_first_day(site: Site) -> None:
    assert not any(figures(site)[f'tiendo_runs_late{{job="{job}"}}'] for job in ("nightly", "item"))


def test_a_failure_stands_until_a_run_succeeds(site: Site) -> None:
    ran(site, DELIVERY, hours=2, state=FAILED_RUN)
    assert figures(site)['tiendo_runs_failing{job="delivery"}'] == 1
    ran(site, DELIVERY, hours=1)
    assert figures(site)['tiendo_runs_failing{job="delivery"}'] == 0


def test_what_waits_for_a_decision_is_counted_with_its_age(site: Site) -> None:
    """Rules 20, 42."""
    send(site.browser(), f"{site.link()}/viec/{site.work['I.1/xa_van_ninh']}", "cap-nhat", RESULT)
    site.clock.instant += timedelta(hours=3)
    found = figures(site)
    assert found['tiendo_queue{queue="results"}'] == 1
    assert found['tiendo_queue_oldest_seconds{queue="results"}'] == 3 * 3600
    assert found['tiendo_queue_oldest_seconds{queue="proposals"}'] == 0


def test_requests_and_refused_log_ins_are_counted(site: Site) -> None:
    browser = site.browser()
    for _ in range(2):
        mark = mark_of(browser.get("/dang-nhap"))
        browser.post("/dang-nhap", data={"mark": mark, "username": "ai", "password": "sai"})
    browser.get("/khong-co")
    found = figures(site)
    assert found["tiendo_logins_refused_total"] == 2
    assert found['tiendo_requests_total{method="GET",route="login_form",status="200"}'] == 2
    assert found['tiendo_requests_total{method="GET",route="unknown",status="404"}'] == 1
    assert found['tiendo_request_seconds_count{route="login"}'] == 2


def test_a_limit_that_was_hit_is_counted(site: Site) -> None:
    for _ in range(21):
        site.browser().get("/lien-ket/gia.mao")
    assert figures(site)['tiendo_rate_limited_total{route="link_list"}'] == 1


def test_what_was_never_done_is_infinitely_old(site: Site) -> None:
    """So that an alert on a great age is right about it too (rule 38)."""
    site.account(Visitor.ADMIN)
    site.clock.instant += timedelta(hours=1)
    found = figures(site)
    assert found['tiendo_done_age_seconds{what="seal"}'] == float("inf")
    assert found["tiendo_log_pending"] == 1
    assert found["tiendo_log_pending_oldest_seconds"] > 3000
    seal_now(site.runtime)
    found = figures(site)
    assert found['tiendo_done_age_seconds{what="seal"}'] == 0
    assert (found["tiendo_log_pending"], found["tiendo_log_pending_oldest_seconds"]) == (0, 0)


def test_database_and_disk_are_told(site: Site) -> None:
    found = figures(site)
    assert found["tiendo_database_up"] == 1
    assert found["tiendo_schema_differs"] == 0
    assert found["tiendo_database_bytes"] > 100_000
    assert 0 < found["tiendo_disk_free_bytes"] < found["tiendo_disk_bytes"]


def test_a_database_that_does_not_answer_is_a_figure_and_no_error(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.write(lambda session: session.execute(text("ALTER TABLE letter RENAME TO gone")))
    found = figures(site)
    assert found["tiendo_database_up"] == 0
    assert "tiendo_disk_free_bytes" in found
    assert not [name for name in found if name.startswith("tiendo_letters")]


def test_figures_read_in_one_transaction_and_write_nothing(site: Site) -> None:
    begun: list[object] = []
    said: list[str] = []
    engine = site.runtime.database.engine
    event.listen(engine, "begin", begun.append)
    event.listen(
        engine, "before_cursor_execute", lambda _c, _k, statement, *_: said.append(statement)
    )
    asked(site)
    assert len(begun) == 1
    assert all(
        one.lstrip().upper().startswith(("SELECT", "PRAGMA", "WITH", "BEGIN")) for one in said
    )


def test_every_deployment_has_a_schedule_that_is_watched(site: Site) -> None:
    settings = site.runtime.settings
    watched = set(schedules(settings).values())
    with site.runtime.database.read() as session:
        common = {one.crons for one in deployed(session, settings) if one.item is None}
    assert common <= watched
    words = {one.word for one in vars(naming).values() if isinstance(one, Job)}
    assert set(schedules(settings)) - {"item"} <= words


DONE = ("seal", "verify", "backup", "restore_trial")


def _named(expression: str) -> set[str]:
    without = re.sub(r'"[^"]*"', "", expression)
    return set(re.findall(r"\b(?:tiendo_\w+|up\b)", without))


def test_every_alert_asks_for_a_figure_that_is_given_and_says_what_to_do(site: Site) -> None:
    browser = site.browser()
    browser.get("/dang-nhap")
    for _ in range(21):
        browser.get("/lien-ket/gia.mao")
    given = {name.partition("{")[0] for name in figures(site)} | {"up"}
    words = {name for name in figures(site) if name.startswith("tiendo_done_age_seconds")}
    assert words >= {f'tiendo_done_age_seconds{{what="{word}"}}' for word in DONE}
    rules = YAML(typ="safe").load(RULES.read_text(encoding="utf-8"))
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    assert len({one["alert"] for one in alerts}) == len(alerts) >= 15
    for one in alerts:
        assert _named(one["expr"]), one["alert"]
        assert _named(one["expr"]) <= given, one["alert"]
        assert one["labels"]["severity"] in {"critical", "warning", "info"}
        assert one["annotations"]["summary"].endswith("."), one["alert"]
        assert one["annotations"]["action"].endswith("."), one["alert"]


def test_the_page_about_watching_lists_every_figure(site: Site) -> None:
    page = (RULES.parents[2] / "docs/watching.md").read_text(encoding="utf-8")
    families = {one.name for one in text_string_to_metric_families(asked(site).text)}
    for name in families:
        assert f"`{name}`" in page or f"`{name}_total`" in page, name
