"""The Kubernetes manifests: valid by Kubernetes' own schemas, and by rules that keep intruders and accidents small."""

import re
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from hpsearch.spec import parse_study
from tests.support.commands import check_command

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
FILES = sorted(path for path in FOLDER.glob("*.yaml") if path.name != "kustomization.yaml")
OBJECTS = [part for path in FILES for part in yaml.safe_load_all(path.read_text()) if part]
LOADS = [part for part in OBJECTS if part["kind"] in ("Deployment", "StatefulSet", "Job")]


def name(part):
    return f"{part['kind']}/{part['metadata']['name']}"


def pod(load):
    return load["spec"]["template"]["spec"]


def names(kind):
    return {part["metadata"]["name"] for part in OBJECTS if part["kind"] == kind}


@pytest.mark.parametrize("part", OBJECTS, ids=name)
@pytest.mark.parametrize("version", ["1.30", "1.33"])
def test_every_object_is_valid_by_the_schema_of_kubernetes(part, version):
    kubernetes_validate.validate(part, version, strict=True)


def test_every_manifest_is_in_the_kustomization_but_the_search():
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]
    assert {*listed, "search.yaml"} == {path.name for path in FILES}
    assert all(
        part["metadata"].get("namespace") == "hpsearch" or part["kind"] == "Namespace" for part in OBJECTS
    )


@pytest.mark.parametrize("load", LOADS, ids=name)
def test_nothing_runs_as_root_or_writes_to_its_image(load):
    settings = pod(load)["securityContext"]
    assert settings["runAsNonRoot"] is True
    assert settings["runAsUser"] > 0
    assert settings["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod(load)["automountServiceAccountToken"] is False
    for container in pod(load)["containers"]:
        own = container["securityContext"]
        assert own == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


@pytest.mark.parametrize("load", LOADS, ids=name)
def test_everything_is_bounded_pinned_and_watched(load):
    for container in pod(load)["containers"]:
        assert (
            {"cpu", "memory"}
            == set(container["resources"]["limits"])
            == set(container["resources"]["requests"])
        )
        assert re.search(r":[0-9]+\.[0-9]+", container["image"]), "an image has a version"
        if load["kind"] != "Job":
            assert {"startupProbe", "livenessProbe"} <= set(container)
    assert all("sizeLimit" in volume["emptyDir"] for volume in pod(load)["volumes"] if "emptyDir" in volume)


@pytest.mark.parametrize("load", LOADS, ids=name)
def test_passwords_come_from_the_secret(load):
    for container in pod(load)["containers"]:
        for variable in container.get("env", []):
            if "PASSWORD" in variable["name"]:
                assert variable["valueFrom"]["secretKeyRef"]["name"] == "hpsearch"
        assert not re.search(r"://[^/@\s]*:[^/@\s]*@", str(container)), "no password in an address"


@pytest.mark.parametrize("load", LOADS, ids=name)
def test_what_a_pod_refers_to_is_there(load):
    claims = names("PersistentVolumeClaim")
    claimed = {part["metadata"]["name"] for part in load["spec"].get("volumeClaimTemplates", [])}
    volumes = {volume["name"] for volume in pod(load)["volumes"]} | claimed
    for volume in pod(load)["volumes"]:
        assert volume.get("configMap", {"name": None})["name"] in {None, *names("ConfigMap")}
        assert volume.get("persistentVolumeClaim", {"claimName": None})["claimName"] in {None, *claims}
    for container in pod(load)["containers"]:
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
        ports = {port["name"] for port in container.get("ports", [])}
        probes = [container[key] for key in container if key.endswith("Probe")]
        assert {probe["httpGet"]["port"] for probe in probes if "httpGet" in probe} <= ports
        for host in re.findall(
            r"(?:tcp|postgresql|http)://(?:[\w-]+@)?([\w-]+)",
            str(container.get("args", "")),
        ):
            assert host in names("Service"), host
    if load["kind"] != "Job":
        assert load["spec"]["selector"]["matchLabels"] == load["spec"]["template"]["metadata"]["labels"]


def test_every_service_and_policy_chooses_a_pod_that_is_there():
    labels = [load["spec"]["template"]["metadata"]["labels"] for load in LOADS]
    for part in OBJECTS:
        if part["kind"] == "Service":
            assert part["spec"]["selector"] in labels
        if part["kind"] == "NetworkPolicy" and part["spec"]["podSelector"]:
            assert part["spec"]["podSelector"]["matchLabels"] in labels
    nobody = next(part for part in OBJECTS if part["metadata"]["name"] == "nobody")
    assert nobody["spec"] == {"podSelector": {}, "policyTypes": ["Ingress"]}


@pytest.mark.parametrize("load", LOADS, ids=name)
def test_commands_are_ones_that_the_programs_know(load):
    for container in pod(load)["containers"]:
        if container["image"].startswith("hpsearch:"):
            check_command([*container.get("command", ["hpsearch"]), *container["args"]])


def test_the_study_of_the_search_is_valid():
    config = next(part for part in OBJECTS if name(part) == "ConfigMap/digits")
    spec = parse_study(config["data"]["study.yaml"])
    assert spec.storage.url.startswith("postgresql://hpsearch@database/")
    assert spec.tracking.uri == "http://tracking:5000"
