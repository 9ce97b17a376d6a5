"""What the command line says without any database: help texts, the document, its mistakes."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli import reference
from cli.app import app
from cli.params import day, instant, number, one_of, period, year
from cli.words import ACTS, ENGINE_ONLY, EXTRA_WORDS
from rules.lifecycle import Action

TIENDO = Path(sys.executable).with_name("tiendo")
DOCUMENT = Path(__file__).parents[2] / "docs" / "cli.md"


def test_the_document_names_every_command_and_option() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert reference.reference() in text, "run: python -m cli.reference"
    described = text.partition("## What each command does")[2].partition("### Acts")[0]
    for words, _, _ in reference.commands():
        assert f"| `tiendo {words}` |" in described, words


def test_the_document_lists_every_closed_word() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert reference.word_lists() in text, "run: python -m cli.reference"


def test_every_act_that_people_may_take_has_a_word_and_a_line_in_the_document() -> None:
    assert set(ACTS) == {one.value for one in Action if one not in ENGINE_ONLY} | set(EXTRA_WORDS)
    acts = DOCUMENT.read_text(encoding="utf-8").partition("### Acts")[2].partition("## JSON")[0]
    assert [one for one in ACTS if f"`{one}`" not in acts] == []


def test_every_command_and_option_explains_itself() -> None:
    import typer

    import cli.commands  # noqa: F401

    def walk(command: object, words: str) -> None:
        assert getattr(command, "help", None), words
        for one in getattr(command, "params", ()):
            assert one.help, f"{words} {one.name}"
        for name, child in getattr(command, "commands", {}).items():
            walk(child, f"{words} {name}")

    walk(typer.main.get_command(app), "tiendo")


def test_help_is_there_at_once_and_brings_nothing_heavy() -> None:
    script = (
        "import sys; from cli.main import run; code = run(['--help']);"
        "heavy = {'prefect', 'sqlalchemy', 'pydantic', 'fastapi', 'holidays'} & set(sys.modules);"
        "sys.exit(f'heavy: {heavy}' if heavy else code)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    taken = []
    for _ in range(3):
        begun = time.perf_counter()
        subprocess.run([TIENDO, "--help"], check=True, capture_output=True)
        taken.append(time.perf_counter() - begun)
    # Half a second on a quiet machine; tests share theirs.
    assert min(taken) < 1.5, taken


@pytest.mark.parametrize("words", [["--version"], ["work", "list", "--help"], ["act", "-h"]])
def test_asking_for_help_is_no_mistake(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    from cli.main import run

    assert run(words) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        (day, "2027-02-30"),
        (day, "31-12-2027"),
        (day, "hôm nay"),
        (instant, "2027-03-01T08:00:00"),
        (instant, "sáng nay"),
        (number, "0"),
        (number, "-3"),
        (number, "1.5"),
        (number, "９"),
        (number, "9" * 30),
        (period, "2027-Q5"),
        (period, "2027-13"),
        (year, "27"),
        (one_of(("lead", "partner"), "vai trò"), "leed"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_would_be_right(reader, text: str) -> None:  # type: ignore[no-untyped-def]
    import typer

    with pytest.raises(typer.BadParameter) as refused:
        reader(text)
    assert text in refused.value.message
    assert any(word in refused.value.message for word in ("viết", "xem", "Dùng"))


def test_dates_are_read_as_people_write_them() -> None:
    assert day("31/3/2027") == day("2027-03-31")
    assert instant("2027-03-31").isoformat() == "2027-03-31T00:00:00+00:00"
    assert instant("2027-03-31T08:30:00+07:00").isoformat() == "2027-03-31T01:30:00+00:00"
    assert period("2027-q4") == "2027-Q4"
    assert one_of(("not_started",), "trạng thái")("Not-Started") == "not_started"
