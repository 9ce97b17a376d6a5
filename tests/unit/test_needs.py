"""A test that could not run says so where it counts (``tests/needs.py``)."""

import pytest

from tests.needs import need

WHAT, REMEDY = "No disk may be mounted.", "run as root"


@pytest.mark.parametrize("value", ["true", "1", "yes", "github"])
def test_in_ci_what_is_missing_fails_and_says_what_brings_it(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("CI", value)
    with pytest.raises(pytest.fail.Exception, match=REMEDY):
        need(False, WHAT, REMEDY)
    need(True, WHAT, REMEDY)


@pytest.mark.parametrize("value", [None, "", "0", "false", "No"])
def test_elsewhere_it_is_skipped(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("CI", raising=False)
    if value is not None:
        monkeypatch.setenv("CI", value)
    with pytest.raises(pytest.skip.Exception, match=WHAT):
        need(lambda: False, WHAT, REMEDY)
