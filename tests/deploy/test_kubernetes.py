"""The manifests for Kubernetes, which no test runs: valid, closed, and about commands and settings that are there."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import kubernetes_validate
import pytest
import yaml

from vigie.cli import main
from vigie.settings import Settings, load

MANIFESTS = Path(__file__).parents[2] / "deploy" / "kubernetes"
KUBERNETES = "1.37"  # whose schemas they are held to, strictly
VERSION = tomllib.loads((MANIFESTS.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def manifests() -> list[Manifest]:
    texts = [file.read_text(encoding="utf-8") for file in sorted(MANIFESTS.glob("*.yaml"))]
    return [found for text in texts for found in yaml.safe_load_all(text)]


@pytest.fixture(scope="module")
def settings(manifests: list[Manifest], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    (said,) = [one["data"]["vigie.toml"] for one in manifests if one["kind"] == "ConfigMap"]
    file = tmp_path_factory.mktemp("settings") / "vigie.toml"
    file.write_text(said, encoding="utf-8")
    return load(file)


def pods(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    for one in manifests:
        if one["kind"] in ("StatefulSet", "Deployment"):
            yield one["metadata"]["name"], one["spec"]["template"]["spec"]


def test_they_are_valid_and_say_nothing_that_kubernetes_does_not_know(manifests: list[Manifest]) -> None:
    assert len(manifests) > 10
    for one in manifests:
        kubernetes_validate.validate(one, KUBERNETES, strict=True)
    broken = {**manifests[0], "specc": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, KUBERNETES, strict=True)


def test_all_is_in_one_namespace_that_allows_what_is_restricted_alone(manifests: list[Manifest]) -> None:
    (namespace,) = [one for one in manifests if one["kind"] == "Namespace"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    others = [one for one in manifests if one is not namespace]
    assert {one["metadata"]["namespace"] for one in others} == {namespace["metadata"]["name"]}


def test_no_secret_is_filled(manifests: list[Manifest]) -> None:
    assert not [one for one in manifests if one["kind"] == "Secret"]
    named = {
        volume["secret"]["secretName"] for _, pod in pods(manifests) for volume in pod["volumes"] if "secret" in volume
    }
    assert named == {"vigie-secrets"}


def test_pods_are_held_to_little_and_are_set_by_nobody_else(manifests: list[Manifest]) -> None:
    for name, pod in pods(manifests):
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["enableServiceLinks"] is False, f"{name}: the service vigie-console would set VIGIE_CONSOLE_PORT"
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name
        assert container["resources"]["limits"]["memory"], name
        assert container["image"] == f"registry.example/vigie:{VERSION}", name


def test_what_they_start_is_vigie_and_is_asked_where_it_answers(manifests: list[Manifest], settings: Settings) -> None:
    answering = {
        "worker": ("/healthz", settings.worker.health_port),
        "connect": ("/metrics", settings.edge.metrics_port),
        "console": ("/healthz", settings.console.port),
    }
    found = dict(pods(manifests))
    assert set(found) == set(answering)
    assert settings.metrics.host == "0.0.0.0"  # noqa: S104  the kubelet asks from outside the pod
    for name, (path, port) in answering.items():
        (container,) = found[name]["containers"]
        context = click.Context(main)
        command = main.get_command(context, container["args"][0])
        assert command is not None
        command.make_context(name, container["args"][1:], parent=context)
        ports = {one["name"]: one["containerPort"] for one in container["ports"]}
        for probe in ("startupProbe", "livenessProbe"):
            asked = container[probe]["httpGet"]
            assert (asked["path"], ports[asked["port"]]) == (path, port), f"{name}: {probe}"


def test_settings_and_secrets_are_mounted_where_the_settings_and_the_image_say(
    manifests: list[Manifest], settings: Settings
) -> None:
    secrets = [settings.kafka.ca_file, settings.kafka.password_file, settings.console.database_password_file]
    for name, pod in pods(manifests):
        (container,) = pod["containers"]
        mounts = {mount["name"]: Path(mount["mountPath"]) for mount in container["volumeMounts"]}
        assert all(secret is not None and secret.parent == mounts["secrets"] for secret in secrets), name
        assert (mounts["data"], mounts["settings"]) == (settings.data.dir, Path("/etc/vigie")), name


def test_nothing_moves_before_it_is_allowed_and_each_service_finds_its_pods(manifests: list[Manifest]) -> None:
    closed = [one for one in manifests if one["kind"] == "NetworkPolicy" and one["spec"]["podSelector"] == {}]
    assert any(set(one["spec"]) == {"podSelector", "policyTypes"} for one in closed), "no policy closes everything"
    labels = [
        one["spec"]["template"]["metadata"]["labels"]
        for one in manifests
        if one["kind"] in ("StatefulSet", "Deployment")
    ]
    for one in manifests:
        if one["kind"] == "Service":
            wanted = one["spec"]["selector"].items()
            assert any(wanted <= have.items() for have in labels), one["metadata"]["name"]


def test_only_workers_are_several(manifests: list[Manifest], settings: Settings) -> None:
    replicas = {
        one["metadata"]["name"]: one["spec"]["replicas"] for one in manifests if "replicas" in one.get("spec", {})
    }
    assert (replicas["connect"], replicas["console"]) == (1, 1)
    assert 2 * replicas["worker"] <= settings.kafka.partitions
