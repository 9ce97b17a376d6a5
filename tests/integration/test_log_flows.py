"""What the flows of the log do, without a Prefect server (rule 38)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from flows.checks import run_checks
from flows.log import (
    NOT_SEALED,
    NOT_WHOLE,
    NOTHING_NEW,
    SEALED,
    WHOLE,
    seal_history,
    verify_history,
)
from models.tables import Event, Letter, RunLog
from operations.checkpoint_letters import READER
from operations.outbox import LetterKind
from rules.notes import parse_note
from runtime.delivery import deliver
from tests import portal_site, world
from tests.builders import ScriptedMail, text_of
from tests.portal_site import Site
from tests.sealed import Log

AUDITORS, OPERATORS = "thanhtra@co-quan.test", "vanhanh@co-quan.test"


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with portal_site.site(
        database_url, tmp_path / "var", auditors_address=AUDITORS, operators_address=OPERATORS
    ) as made:
        Log(runtime=made.runtime, clock=made.clock).write(3)
        yield made


def _letters(site: Site, kind: LetterKind) -> list[Letter]:
    query = select(Letter).where(Letter.kind == kind.value).order_by(Letter.id)
    return site.read(lambda session: list(session.scalars(query)))


def _sent(site: Site) -> dict[str, str]:
    """Deliver what waits; each mailbox's letter as text."""
    mail = ScriptedMail()
    office = site.runtime.post_office()
    object.__setattr__(office, "open_mail", lambda: mail)
    deliver(office, as_of=world.TODAY)
    return {to: text_of(message) for to, message in mail.taken}


def test_a_run_seals_what_is_pending_and_says_so_in_the_run_log(site: Site) -> None:
    """(38) Level-triggered: a second run has nothing to do."""
    assert seal_history(site.runtime, None, None).state == SEALED
    assert seal_history(site.runtime, None, None).state == NOTHING_NEW
    states = site.read(
        lambda session: session.scalars(
            select(RunLog.state).where(RunLog.job == "sealing").order_by(RunLog.id)
        ).all()
    )
    assert states == [SEALED, NOTHING_NEW]


def test_what_stops_the_sealer_is_told_to_the_operators_once_a_day(site: Site) -> None:
    """(38) Nobody finds out by chance that nothing is sealed any more."""
    seal_history(site.runtime, None, None)
    site.runtime.key_folder.private_file.unlink()
    Log(runtime=site.runtime, clock=site.clock).write(1)
    for _ in range(2):
        assert seal_history(site.runtime, None, None).state == NOT_SEALED
    (letter,) = _letters(site, LetterKind.OPERATOR)
    assert letter.mailbox == OPERATORS
    assert "khóa niêm phong" in _sent(site)[OPERATORS]


def test_every_night_the_auditors_get_a_checkpoint_that_they_can_check(site: Site) -> None:
    """(38) The letter itself, saved, is a checkpoint to compare with."""
    seal_history(site.runtime, None, None)
    assert verify_history(site.runtime, None, None).state == WHOLE
    text = _sent(site)[AUDITORS]
    assert "lịch sử còn nguyên vẹn" in text
    note = parse_note(text)
    assert note.signer(site.runtime.key_folder.verifying())
    verify_history(site.runtime, None, None)
    (letter,) = _letters(site, LetterKind.CHECKPOINT)  # nothing new, nothing sent
    assert json.loads(letter.payload)["name"] == READER


def test_a_history_that_was_changed_alarms_operators_and_auditors(site: Site) -> None:
    """(38)"""
    seal_history(site.runtime, None, None)
    number = site.read(lambda session: session.scalars(select(Event.id).order_by(Event.id)).first())
    log = Log(runtime=site.runtime, clock=site.clock)
    log.behind(f"UPDATE event SET reason = 'bịa' WHERE id = {number}")
    assert verify_history(site.runtime, None, None).state == NOT_WHOLE
    sent = _sent(site)
    for address in (OPERATORS, AUDITORS):
        assert f"Sự kiện số {number} " in sent[address]


def test_the_nightly_checks_see_that_nothing_is_sealed_any_more(site: Site) -> None:
    """(38)"""
    Log(runtime=site.runtime, clock=site.clock).write(1)
    now = site.clock.now()

    def words(hours: int) -> set[str]:
        later = now + timedelta(hours=hours)
        return site.read(
            lambda session: {one.word for one in run_checks(session, world.TODAY, later)}
        )

    assert "events_unsealed" in words(3)
    seal_history(site.runtime, None, None)
    assert "events_unsealed" not in words(3)
