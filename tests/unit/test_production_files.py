"""The files of the production stack: units, containers, proxies and their settings fit together."""

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from runtime.settings import Settings
from tests.needs import need
from tests.production.guide import blocks
from tests.production.rehearsal import parts

HOUSE = Path(__file__).parents[2]
PLACE = HOUSE / "deployments" / "production"
UNITS = sorted((PLACE / "systemd").glob("*"))
SERVICES = [one for one in UNITS if one.suffix == ".service"]
GUIDE = (HOUSE / "docs" / "van-hanh.md").read_text(encoding="utf-8")
HARDENED = (
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "CapabilityBoundingSet=",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
)


def variables(file: Path) -> dict[str, str]:
    """What a file of settings says, the lines that are commented out as well."""
    found = re.findall(r"(?m)^#?([A-Z][A-Z0-9_]*)=(.*)$", file.read_text(encoding="utf-8"))
    return dict(found)


def compose() -> dict[str, Any]:
    text = (PLACE / "compose" / "compose.yaml").read_text(encoding="utf-8")
    return dict(YAML(typ="safe").load(text))


def test_systemd_takes_every_unit(tmp_path: Path) -> None:
    there = shutil.which("systemd-analyze") is not None
    need(there, "systemd-analyze is not here.", "tests/prerequisites.sh installs it")
    for unit in UNITS:
        # What is installed on a server only.
        text = re.sub(r"/opt/tiendo/\.venv/bin/\w+", "/bin/true", unit.read_text(encoding="utf-8"))
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    said = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / one.name) for one in UNITS)],
        capture_output=True,
        text=True,
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "PATH": "/usr/bin:/bin"},
        check=False,
    )
    ours = [line for line in said.stderr.splitlines() if "tiendo" in line]
    assert (said.returncode, ours) == (0, [])


@pytest.mark.parametrize("unit", SERVICES, ids=lambda one: one.name)
def test_every_service_is_shut_in_and_runs_as_nobody_in_particular(unit: Path) -> None:
    lines = unit.read_text(encoding="utf-8").splitlines()
    assert not set(HARDENED) - set(lines)
    (user,) = [line.removeprefix("User=") for line in lines if line.startswith("User=")]
    assert f"\nu {user} " in (PLACE / "sysusers.conf").read_text(encoding="utf-8")


@pytest.mark.parametrize("unit", SERVICES, ids=lambda one: one.name)
def test_what_a_service_starts_is_there_and_where_it_writes_is_made(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    for module in re.findall(r"python -m (\S+)", text):
        assert importlib.util.find_spec(module) is not None
    made = (PLACE / "tmpfiles.conf").read_text(encoding="utf-8")
    for folders in re.findall(r"(?m)^(?:ReadWritePaths|WorkingDirectory)=(.*)$", text):
        for folder in folders.split():
            assert f"\nd {folder} 0700 " in made


def test_the_target_starts_what_is_there() -> None:
    names = {one.name for one in UNITS}
    target = (PLACE / "systemd" / "tiendo.target").read_text(encoding="utf-8")
    for wanted in re.findall(r"tiendo\S*\.(?:service|timer)", target):
        assert re.sub(r"@\w+", "@", wanted) in names


def test_the_settings_of_the_server_are_settings(tmp_path: Path) -> None:
    """Once every CHANGE-ME is changed, and not before."""
    named = {
        name.removeprefix("TIENDO_").lower()
        for name in variables(PLACE / "tiendo.env")
        if name.startswith("TIENDO_")
    }
    assert named <= set(Settings.model_fields)
    with pytest.raises(ValidationError, match="CHANGE-ME"):
        Settings(_env_file=PLACE / "tiendo.env")
    changed = tmp_path / "tiendo.env"
    changed.write_text((PLACE / "tiendo.env").read_text().replace("CHANGE-ME", "kh0abimat"))
    read = Settings(_env_file=changed)
    assert read.work_pool is not None
    assert read.limits_storage.startswith("redis://")


def test_both_stacks_tell_prefect_the_same() -> None:
    units = {name for name in variables(PLACE / "prefect.env") if name.startswith("PREFECT_")}
    assert set(compose()["x-prefect"]) >= units - {
        # The image has them, or their defaults are right there.
        *("PREFECT_SERVER_ANALYTICS_ENABLED", "PREFECT_LOGGING_COLORS"),
        "PREFECT_REDIS_MESSAGING_PORT",
    }


def test_every_variable_of_the_containers_is_told_in_the_example() -> None:
    folder = PLACE / "compose"
    text = "".join(
        (folder / name).read_text(encoding="utf-8") for name in ("compose.yaml", "roles.sh")
    )
    used = set(re.findall(r"\$\{(\w+)\}", text))
    assert used == set(variables(folder / "example.env"))


def test_containers_are_made_of_plain_images_and_wait_for_what_is_there() -> None:
    services = compose()["services"]
    for one in services.values():
        assert re.fullmatch(r"[a-z]+(:\d+)?", one["image"])
        assert set(one.get("depends_on", {})) <= set(services)
        if one["image"] == "tiendo":
            assert one["cap_drop"] == ["ALL"]
        settings = {name for name in one.get("environment", {}) if name.startswith("TIENDO_")}
        fields = {name.removeprefix("TIENDO_").lower() for name in settings - {"TIENDO_ENV_FILE"}}
        assert fields <= set(Settings.model_fields)


def test_no_proxy_refuses_a_body_that_the_portal_takes_and_all_say_so_in_vietnamese() -> None:
    """nginx keeps bodies on its disk: it refuses by itself; Caddy passes on what will be refused."""
    from portal.errors import TooLarge
    from portal.guard import DRAIN, MAX_BODY

    whole, drained = MAX_BODY // (1024 * 1024), DRAIN // (1024 * 1024)
    nginx = (PLACE / "proxy/nginx.conf").read_text(encoding="utf-8")
    assert f"client_max_body_size {whole}m;" in nginx
    assert f"<h1>{TooLarge.title}</h1><p>Mỗi lần gửi không quá {whole} MB" in nginx
    for place in ("proxy/Caddyfile", "compose/Caddyfile"):
        assert f"max_size {drained}MiB\n" in (PLACE / place).read_text(encoding="utf-8")


def test_databases_are_made_for_vietnamese_whatever_the_servers_language() -> None:
    """A server without a language of its own makes databases that know no letters but ASCII."""
    roles = (PLACE / "compose" / "roles.sh").read_text(encoding="utf-8")
    for text in (roles, blocks(2)[0]):
        made = re.findall(r"(?m)^CREATE DATABASE .*$", text)
        assert made
        assert all(line.endswith(" ENCODING 'UTF8' TEMPLATE template0;") for line in made)
    created = re.findall(r"createdb .*", GUIDE)
    assert created
    assert all("--encoding UTF8 --template template0" in line for line in created)


def test_what_the_portal_says_of_itself_no_proxy_says_again() -> None:
    """Two headers of one name: browsers take the first, which would be the weaker one."""
    for place in ("proxy/nginx.conf", "proxy/Caddyfile", "compose/Caddyfile"):
        assert "Strict-Transport-Security" not in (PLACE / place).read_text(), place


def test_the_guide_names_files_and_services_that_are_there() -> None:
    for path in re.findall(r"deployments/production/[\w./@-]*\w", GUIDE):
        assert (HOUSE / path).exists(), path
    names = {one.name for one in UNITS}
    for found in re.findall(r"tiendo-[a-z-]+(?:@\d*)?\.(?:service|timer)", GUIDE):
        assert re.sub(r"@\d*", "@", found) in names, found


def test_packages_alone_are_fetched_with_the_network_and_folders_stay() -> None:
    """The rehearsal types the guide's own blocks; everything else has the loopback only."""
    whole = [one for block in (*blocks(1), blocks(9)[1]) for one in parts(block)]
    fetched = [text.strip().splitlines()[-1] for fetching, text in whole if fetching]
    assert [one.split()[0] for one in fetched] == ["apt-get", "make", "make"]
    for fetching, text in whole[2:]:
        assert text.strip().startswith("cd /opt/tiendo"), "the folder stays"
        assert fetching == text.endswith("make production")
