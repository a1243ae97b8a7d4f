"""The compose file: read by the compose specification's model, and by rules that keep intruders and accidents small."""

import json
import re
from pathlib import Path

import compose_spec
import pytest
import yaml

from tests.support.commands import check_command

FOLDER = Path(__file__).parents[2] / "deploy"
TEXT = (FOLDER / "compose" / "compose.yaml").read_text()
FILE = yaml.safe_load(TEXT)
SERVICES = FILE["services"]


def test_it_is_a_compose_file_by_the_specification():
    assert set(compose_spec.PyCompose.from_json(json.dumps(FILE)).services) == set(SERVICES)


def test_the_model_of_the_specification_refuses_what_is_none():
    """The check above can fail."""
    with pytest.raises(Exception, match="imagee"):
        compose_spec.PyCompose.from_yaml("services: {a: {imagee: x}}")


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_runs_as_root_or_writes_to_its_image(name):
    service = SERVICES[name]
    assert int(service["user"].split(":")[0]) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", SERVICES)
def test_everything_is_bounded_pinned_and_watched(name):
    service = SERVICES[name]
    assert {"cpus", "memory"} == set(service["deploy"]["resources"]["limits"])
    assert re.search(r":[0-9]+\.[0-9]+", service["image"]), "an image has a version"
    assert service["healthcheck"].get("test") or service["restart"] == "no"


def test_only_the_tracking_server_is_reached_from_outside_and_by_this_machine_alone():
    assert [name for name in SERVICES if "ports" in SERVICES[name]] == ["tracking"]
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["tracking"]["ports"])
    assert FILE["networks"]["inside"] == {"internal": True}
    assert all("outside" not in SERVICES[name]["networks"] for name in SERVICES if name != "tracking")


def test_passwords_are_in_a_file_that_is_not_kept_and_nowhere_else():
    given = (FOLDER / "compose" / "secrets.env.example").read_text()
    variables = re.findall(r"^([A-Z_]+)=(.*)$", given, re.MULTILINE)
    assert len(variables) == 4
    assert all(value == "" for _, value in variables)
    assert not any("PASSWORD" in key for name in SERVICES for key in SERVICES[name].get("environment", {}))
    assert not re.search(r"://[^/@\s]*:[^/@\s]*@", TEXT)
    assert "secrets.env" in (FOLDER / "compose" / ".gitignore").read_text().split()


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_refers_to_is_there(name):
    service = SERVICES[name]
    assert set(service.get("depends_on", {})) <= set(SERVICES)
    for awaited, how in service.get("depends_on", {}).items():
        assert how == {"condition": "service_healthy"}
        assert SERVICES[awaited]["healthcheck"]["test"]
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        assert source in FILE["volumes"] or (FOLDER / "compose" / source).exists()
    assert set(service["networks"]) <= set(FILE["networks"])
    for host in re.findall(r"(?:tcp|postgresql|http)://(?:[\w-]+@)?([a-z]\w+)", str(service.get("command"))):
        assert host in SERVICES


@pytest.mark.parametrize(
    "name", [name for name in SERVICES if SERVICES[name]["image"].startswith("hpsearch:")]
)
def test_commands_are_ones_that_the_programs_know(name):
    check_command([*SERVICES[name].get("entrypoint", ["hpsearch"]), *SERVICES[name]["command"]])


def test_the_commands_that_the_file_shows_are_ones_too():
    shown = re.findall(r"run --rm search (run .*)", TEXT)
    assert len(shown) == 2
    for command in shown:
        check_command(["hpsearch", *command.replace("/studies/", "studies/").split()])
    assert "tcp://scheduler:8786" in shown[1]
    assert "--port=8786" in SERVICES["scheduler"]["command"]


def test_the_image_is_built_from_what_is_there_and_runs_as_nobody_special():
    lines = (FOLDER / "Dockerfile").read_text().splitlines()
    assert all(
        re.match(r"FROM \S+:[0-9]+\.[0-9]+\.[0-9]+", line) for line in lines if line.startswith("FROM")
    )
    assert any(re.fullmatch(r"USER [1-9][0-9]*:[1-9][0-9]*", line) for line in lines)
    copied = [
        word
        for line in lines
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    ]
    assert copied
    assert all((FOLDER.parent / word).exists() for word in copied)
    kept = (FOLDER.parent / ".dockerignore").read_text().split()
    assert all(f"!{word.removeprefix('./')}" in kept for word in copied)
    extras = re.search(r"\.\[(.*?)\]", "\n".join(lines))[1].split(",")
    project = (FOLDER.parent / "pyproject.toml").read_text()
    assert all(re.search(rf"^{extra} = \[", project, re.MULTILINE) for extra in extras)
