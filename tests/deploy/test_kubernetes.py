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


def test_every_manifest_is_in_the_kustomization_but_the_search_and_its_cluster():
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]
    assert {*listed, "search.yaml", "cluster.yaml"} == {path.name for path in FILES}
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


def test_a_policy_opens_ports_that_its_pods_have():
    """Of the pods of this project; the database's port is PostgreSQL's."""
    for part in OBJECTS:
        if part["kind"] == "NetworkPolicy" and part["spec"]["podSelector"]:
            load = next(
                load
                for load in LOADS
                if load["spec"]["template"]["metadata"]["labels"]
                == part["spec"]["podSelector"]["matchLabels"]
            )
            there = {port["containerPort"] for each in pod(load)["containers"] for port in each["ports"]}
            assert {port["port"] for rule in part["spec"]["ingress"] for port in rule["ports"]} <= there


def test_a_search_may_train_on_the_cluster():
    """The address that the search's file names is that of the scheduler's service."""
    named = re.search(r"--cluster=(tcp://(\S+):(\d+))", (FOLDER / "search.yaml").read_text())
    check_command(["hpsearch", "run", "studies/digits.yaml", f"--cluster={named[1]}"])
    service = next(part for part in OBJECTS if name(part) == f"Service/{named[2]}")
    assert int(named[3]) in {port["port"] for port in service["spec"]["ports"]}


OPERATOR = yaml.safe_load(
    re.search(r"```yml\n(.*?)```", (FOLDER.parents[1] / "docs" / "scaling.md").read_text(), re.DOTALL)[1]
)


@pytest.mark.parametrize("role", ["scheduler", "worker"])
def test_the_pods_of_the_operators_cluster_are_valid(role):
    """docs/scaling.md: the pods and the service by Kubernetes' schema; the operator's wants quantities as texts."""
    spec = OPERATOR["spec"][role]["spec"]
    pod_of_it = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": role}, "spec": spec}
    kubernetes_validate.validate(pod_of_it, "1.33", strict=True)
    for container in spec["containers"]:
        check_command([word for word in container["args"] if "$(" not in word and word != "--name"])
        for amounts in container.get("resources", {}).values():
            assert all(isinstance(amount, str) for amount in amounts.values())


def test_the_service_of_the_operators_cluster_is_valid_and_finds_its_scheduler():
    service = OPERATOR["spec"]["scheduler"]["service"]
    made = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": service}
    kubernetes_validate.validate(made, "1.33", strict=True)
    assert service["selector"]["dask.org/cluster-name"] == OPERATOR["metadata"]["name"]
    ports = {port["name"] for port in OPERATOR["spec"]["scheduler"]["spec"]["containers"][0]["ports"]}
    assert {port["targetPort"] for port in service["ports"]} <= ports


def test_the_study_of_the_search_is_valid():
    config = next(part for part in OBJECTS if name(part) == "ConfigMap/digits")
    spec = parse_study(config["data"]["study.yaml"])
    assert spec.storage.url.startswith("postgresql://hpsearch@database/")
    assert spec.tracking.uri == "http://tracking:5000"
