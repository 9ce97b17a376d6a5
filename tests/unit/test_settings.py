"""Settings: every one documented, every mistake told with its remedy, no secret repeated."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from operations.links import LINK_PATH
from runtime.logs import hide_secrets
from runtime.settings import ENV_FILE, Settings, SettingsError, load_settings
from runtime.settings_help import settings_page
from runtime.wiring import SECRET_FILE, open_runtime

HOUSE = Path(__file__).parents[2]
NAMES = {f"TIENDO_{name.upper()}" for name in Settings.model_fields}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("TIENDO_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def refused(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return str(caught.value)


def test_docs_list_every_setting() -> None:
    """Written anew by: python -m runtime.settings_help > docs/settings.md"""
    written = (HOUSE / "docs/settings.md").read_text(encoding="utf-8")
    assert written == settings_page(Settings.model_fields)


def test_every_setting_says_what_it_is_and_what_would_be_right() -> None:
    for name, field in Settings.model_fields.items():
        extra = field.json_schema_extra
        assert field.description, name
        assert isinstance(extra, dict), name
        assert extra["right"], name


def test_example_file_names_only_real_settings() -> None:
    lines = (HOUSE / ".env.example").read_text(encoding="utf-8").splitlines()
    names = {line.lstrip("# ").partition("=")[0] for line in lines if "TIENDO_" in line}
    assert names
    assert {name for name in names if name.startswith("TIENDO_")} <= NAMES | {ENV_FILE}


def test_nothing_needs_to_be_set(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.data_dir == tmp_path / "var"
    assert settings.database_address == f"sqlite:///{tmp_path}/var/tiendo.sqlite"
    assert settings.portal_url == "http://127.0.0.1:8718"
    assert settings.uses_local_mailbox


def test_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text(
        "TIENDO_OFFICE_NAME=Sở A\nTIENDO_PORTAL_PORT=9001\nDO_NOT_TRACK=1\n", encoding="utf-8"
    )
    monkeypatch.setenv("TIENDO_PORTAL_PORT", "9002")
    settings = load_settings()
    assert (settings.office_name, settings.portal_port) == ("Sở A", 9002)


def test_unknown_variable_is_refused_with_the_one_it_may_mean(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = refused(monkeypatch, TIENDO_PORTAL_PRT="1")
    assert told == "TIENDO_PORTAL_PRT: không có thiết lập này; có phải là TIENDO_PORTAL_PORT?"


def test_unknown_variable_in_the_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("TIENDO_QQQQ=1\n")
    assert "TIENDO_QQQQ" in refused(monkeypatch)


def test_named_file_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "khong-co.env" in refused(monkeypatch, TIENDO_ENV_FILE="khong-co.env")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("TIENDO_PORTAL_PORT", "abc", "TIENDO_PORTAL_PORT=abc: không phải số nguyên; cần một số"),
        ("TIENDO_PORTAL_PORT", "70000", "TIENDO_PORTAL_PORT=70000: lớn quá; cần một số"),
        ("TIENDO_ITEMS_CRON", "0 0 1 1 * 2027", "không phải biểu thức cron năm trường"),
        ("TIENDO_ITEMS_CRON", "61 0 * * *", "không phải biểu thức cron năm trường"),
        ("TIENDO_SMTP_SECURITY", "ssl", "không có lựa chọn này; cần một trong: starttls"),
        ("TIENDO_MAIL_FROM", "xx", "TIENDO_MAIL_FROM=xx: "),
        ("TIENDO_TIME_ZONE", "Asia/Nha_Trang", "không có múi giờ này"),
        ("TIENDO_PORTAL_PUBLIC_URL", "tiendo.vn", "không phải địa chỉ web"),
        ("TIENDO_PLAN_FOLDERS", "/khong/co", "không có tệp plan.yaml"),
        ("TIENDO_SMTP_USER", "a", "phải cùng có hoặc cùng để trống"),
    ],
)
def test_bad_value_is_told_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    assert told in refused(monkeypatch, **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIENDO_DATABASE_URL", "mysql://sa:bimatlam@maychu/x"),
        ("TIENDO_LINK_SECRET", "bimatlam"),
        ("TIENDO_LINK_SECRET", "CHANGE-ME-CHANGE-ME-CHANGE-ME-CHANGE-ME"),
    ],
)
def test_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    told = refused(monkeypatch, **{name: value})
    assert name in told
    assert "bimatlam" not in told


def test_texts_of_settings_hold_no_secret() -> None:
    settings = Settings(
        _env_file=None,
        database_url="postgresql://sa:bimatlam@maychu/x",
        smtp_host="mail",
        smtp_user="a",
        smtp_password=SecretStr("bimatlam"),
        link_secret=SecretStr("bimatlam" * 4),
    )
    assert "bimatlam" not in repr(settings)
    assert "bimatlam" not in str(settings)
    with open_runtime(settings.model_copy(update={"database_url": None})) as runtime:
        assert "bimatlam" not in repr(runtime)


def test_password_never_travels_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    told = refused(
        monkeypatch,
        TIENDO_SMTP_HOST="mail",
        TIENDO_SMTP_USER="a",
        TIENDO_SMTP_PASSWORD="b",
        TIENDO_SMTP_SECURITY="none",
    )
    assert "không mã hóa" in told


def test_child_process_reads_exactly_our_settings(tmp_path: Path) -> None:
    settings = Settings(
        _env_file=None, data_dir=tmp_path / "dữ liệu", office_name="Sở A", portal_port=9100
    )
    (tmp_path / ".env").write_text("TIENDO_CONTACT_PHONE=khác\n", encoding="utf-8")
    script = "from runtime.settings import load_settings; print(load_settings().model_dump_json())"
    said = subprocess.run(
        [sys.executable, "-c", script],
        env={"PATH": "", "PYTHONPATH": str(HOUSE), **settings.environment()},
        cwd=tmp_path,
        capture_output=True,
        check=True,
        text=True,
    )
    assert Settings.model_validate_json(said.stdout) == settings


def test_secret_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path / "var")
    with open_runtime(settings) as first, open_runtime(settings) as second:
        assert first.link_secret == second.link_secret
        assert len(first.link_secret) >= 32
    assert (settings.data_dir / SECRET_FILE).stat().st_mode & 0o777 == 0o600
    assert settings.data_dir.stat().st_mode & 0o777 == 0o700


def test_logs_blot_out_secrets_and_live_links() -> None:
    event = hide_secrets(
        None,
        "info",
        {
            "smtp_password": "bimat",
            "url": "postgresql://sa:bimat@maychu/x",
            "path": f"GET {LINK_PATH}bimat.bimat HTTP/1.1",
            "letters": 3,
        },
    )
    assert "bimat" not in str(event)
    assert event["letters"] == 3
