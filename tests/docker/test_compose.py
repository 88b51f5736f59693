# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""docker-compose.yml, as far as it can be checked without an engine."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from collector import gunicorn_conf as collector_server
from collector.saving.catch_up import CatchUp
from socorro.cli.commands import cli
from tests.docker.files import (
    COMPOSE_FILE,
    DOCKERFILE,
    ROOT,
    environment_files,
    ours,
    read_compose,
    read_environment,
    read_services,
    read_stages,
    seconds,
)
from webapp import gunicorn_conf as webapp_server

SERVICES = read_services()
OURS = ours()
LONG_LIVED = {name for name, service in SERVICES.items() if service.get("restart") != "no"}
DATA = "/var/lib/socorro"

each_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
each_of_ours = pytest.mark.parametrize("service", OURS.values(), ids=OURS)


def _settings(name: str) -> dict[str, str]:
    return read_environment(*environment_files(SERVICES[name]))


def test_it_is_what_the_compose_specification_says() -> None:
    check = Path(sys.executable).with_name("check-jsonschema")
    command = [str(check), "--builtin-schema", "vendor.compose-spec", str(COMPOSE_FILE)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_it_has_all_parts_of_the_system() -> None:
    assert set(SERVICES) == {
        "collector",
        "cron",
        "elasticsearch",
        "postgresql",
        "processor",
        "s3",
        "setup",
        "sqs",
        "webapp",
    }
    assert set(SERVICES) - LONG_LIVED == {"setup"}


@each_service
def test_images_have_a_fixed_tag(service: dict[str, Any]) -> None:
    tag = service["image"].partition(":")[2]
    if "build" in service:
        assert tag == "local"
    else:
        assert re.fullmatch(r"\d+\.\d+(\.\d+)?(-[a-z]+)?", tag), service["image"]


@pytest.mark.parametrize("name", sorted(LONG_LIVED))
def test_every_service_that_stays_is_checked_and_started_again(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert seconds(service["healthcheck"]["timeout"]) <= 30


@each_service
def test_no_service_can_take_all_memory_or_fill_the_disk_with_its_log(
    service: dict[str, Any],
) -> None:
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}


@each_service
def test_ports_are_those_of_this_machine(service: dict[str, Any]) -> None:
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in service.get("ports", []))


@pytest.mark.parametrize("name", ["processor", "cron"])
def test_there_can_be_several(name: str) -> None:
    assert {"container_name", "ports", "hostname"} & set(SERVICES[name]) == set()


@each_service
def test_volumes_are_named_and_files_that_are_mounted_are_there(service: dict[str, Any]) -> None:
    for volume in service.get("volumes", []):
        source, _, *mode = volume.split(":")
        if source.startswith("./"):
            assert (ROOT / source).is_file()
            assert mode == ["ro"]
        else:
            assert source in read_compose()["volumes"]


@each_of_ours
def test_our_services_have_no_rights_that_they_do_not_need(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["init"] is True
    assert [mount.split(":")[0] for mount in service["tmpfs"]] == ["/tmp"]
    assert "user" not in service


@each_of_ours
def test_the_image_is_built_from_the_dockerfile(service: dict[str, Any]) -> None:
    build = service["build"]
    assert (ROOT / build["context"] / build["dockerfile"]).resolve() == DOCKERFILE
    declared = {
        name
        for stage in read_stages().values()
        for argument in stage.all("ARG")
        for name in argument.pairs
    }
    assert set(build["args"]) == declared


@each_of_ours
def test_commands_are_those_of_socorro(service: dict[str, Any]) -> None:
    if "entrypoint" in service:
        assert service["entrypoint"] == ["/bin/sh", "-ec"]
        (script,) = service["command"]
        commands = [part.split() for part in script.split(" && ")]
        assert all(command.pop(0) == "socorro" for command in commands)
    else:
        commands = [service["command"]]
    check = service.get("healthcheck", {}).get("test", [])
    if check[1:2] == ["socorro"]:
        commands.append(check[2:])
    for name, *arguments in commands:
        command = cli.commands[name]
        options = {option for parameter in command.params for option in parameter.opts}
        assert set(arguments) <= options


def test_everything_waits_for_the_engines_and_what_is_made_in_them() -> None:
    engines = {"postgresql", "s3", "sqs"}
    assert SERVICES["setup"]["depends_on"] == {
        name: {"condition": "service_healthy"} for name in engines
    }
    assert "provision" in SERVICES["setup"]["command"][0]
    assert "migrate" in SERVICES["setup"]["command"][0]
    for name in set(OURS) - {"setup"}:
        after = OURS[name]["depends_on"]
        assert after == {"setup": {"condition": "service_completed_successfully"}}


def test_setup_knows_all_that_the_others_are_told() -> None:
    known = _settings("setup")
    for name in set(OURS) - {"collector"}:
        assert _settings(name).items() <= known.items()


def test_the_index_is_on_the_volume_that_those_who_use_it_share() -> None:
    for name in ("setup", "processor", "webapp", "cron"):
        assert f"data:{DATA}" in SERVICES[name]["volumes"]
        assert _settings(name)["SEARCH"].startswith(f"embedded://{DATA}/")


def test_what_a_collector_keeps_in_an_outage_is_on_a_volume_of_its_own() -> None:
    assert SERVICES["collector"]["volumes"] == [f"collector:{DATA}"]
    assert _settings("collector")["FALLBACK_STORAGE"].startswith(f"fs://{DATA}/")


def test_elasticsearch_does_not_start_unless_asked_for() -> None:
    assert SERVICES["elasticsearch"]["profiles"] == ["elasticsearch"]
    assert [name for name, service in SERVICES.items() if "profiles" in service] == [
        "elasticsearch"
    ]


@each_of_ours
def test_settings_of_ones_own_come_last_and_need_not_be_there(service: dict[str, Any]) -> None:
    assert service["env_file"][-1] == {"path": "docker/config/local.env", "required": False}
    ignored = ["git", "check-ignore", "--quiet", "docker/config/local.env"]
    assert subprocess.run(ignored, cwd=ROOT, check=False).returncode == 0


def test_no_secret_is_in_it() -> None:
    assert "environment:" not in COMPOSE_FILE.read_text()
    assert not re.search("password=|secret|AWS_", COMPOSE_FILE.read_text(), re.IGNORECASE)


def test_services_have_the_time_to_end_that_they_take() -> None:
    def grace(name: str) -> float:
        return seconds(SERVICES[name]["stop_grace_period"])

    (publishing,) = CatchUp.close.__defaults__ or ()
    assert grace("collector") >= collector_server.graceful_timeout + publishing + 5
    assert grace("webapp") >= webapp_server.graceful_timeout + 5
    # Giving a crash back takes some seconds more if the queue is slow.
    assert grace("processor") >= float(_settings("processor")["STOP_SECONDS"]) + 15


def test_memory_is_enough_for_what_is_allowed() -> None:
    units = {"m": 2**20, "g": 2**30}

    def size(text: str) -> int:
        return int(text[:-1]) * units[text[-1]]

    processor = SERVICES["processor"]
    walker = int(_settings("processor")["STACKWALKER_MEMORY"])
    temporary = size(processor["tmpfs"][0].partition("size=")[2])
    assert size(processor["mem_limit"]) >= walker + temporary + 256 * 2**20
    collector = SERVICES["collector"]
    spool = size(collector["tmpfs"][0].partition("size=")[2])
    assert size(collector["mem_limit"]) >= spool + 512 * 2**20
