"""The manifests agree with the image, the app, `make run`, and each other."""

import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from app.main import create_app
from app.settings import ServerSettings, Settings
from deploy.container import LOCKED_DOWN
from tests.deploy.conftest import DIGEST, Objects, by_kind, is_of_the_service

PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


@pytest.fixture
def dockerfile(project: Path) -> str:
    """Return the stage `production` of the Dockerfile."""
    return (project / "Dockerfile").read_text().partition(" AS production\n")[2]


def number(pattern: str, text: str) -> int:
    """Return the only number that the pattern finds."""
    (found,) = re.findall(pattern, text, re.MULTILINE)
    return int(found)


def test_image_is_named_by_digest(container: Any, request: pytest.FixtureRequest) -> None:
    # The overlay local uses a loaded image, which is in no registry.
    local = "local" in request.node.callspec.id
    assert container["image"] == ("registry.example/name:v1" if local else f"registry.example/name@{DIGEST}")
    assert container.get("imagePullPolicy") == ("Never" if local else None)


def test_objects_have_the_namespace_and_version_label(rendered: list[Any], objects: Objects, pod: Any) -> None:
    assert objects["Namespace"]["metadata"]["name"] == "my-service"
    for one in rendered:
        assert one["metadata"].get("namespace") == (None if one["kind"] == "Namespace" else "my-service")
        assert one["metadata"]["labels"]["app.kubernetes.io/version"] == "v1"
    assert pod["metadata"]["labels"]["app.kubernetes.io/version"] == "v1"


def test_service_port_is_the_port_of_the_image(objects: Objects, container: Any, dockerfile: str) -> None:
    port = number(r"^EXPOSE (\d+)$", dockerfile)
    assert container["ports"] == [{"name": "http", "containerPort": port}]
    assert objects["Service"]["spec"]["ports"][0]["targetPort"] == "http"
    assert objects["NetworkPolicy"]["spec"]["ingress"][0]["ports"] == [{"port": port}]


@pytest.mark.parametrize("probe", PROBES)
def test_probes_request_existing_routes(container: Any, probe: str) -> None:
    asked = container[probe]["httpGet"]
    assert asked["port"] == "http"
    assert "get" in create_app(Settings()).openapi()["paths"][asked["path"]]


def test_liveness_is_healthz_and_readiness_is_readyz(container: Any) -> None:
    assert [container[probe]["httpGet"]["path"] for probe in PROBES] == ["/healthz", "/healthz", "/readyz"]


def test_liveness_has_the_interval_of_the_image(container: Any, dockerfile: str) -> None:
    assert container["livenessProbe"]["periodSeconds"] == number(r"^HEALTHCHECK .*--interval=(\d+)s", dockerfile)
    assert container["livenessProbe"]["timeoutSeconds"] == number(r"^HEALTHCHECK .*--timeout=(\d+)s", dockerfile)


def test_grace_period_covers_deregistration_and_shutdown(pod: Any, container: Any, dockerfile: str) -> None:
    pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    answering = number(r"UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN=(\d+)", dockerfile)
    # Readiness does not matter: a terminating pod is removed from the endpoints in any case.
    assert pause >= 5
    assert pod["spec"]["terminationGracePeriodSeconds"] > pause + answering


def test_user_is_the_user_of_the_image(pod: Any, dockerfile: str) -> None:
    user = number(r"^USER (\d+)$", dockerfile)
    assert number(r"useradd .*--uid (\d+)", dockerfile) == user
    assert pod["spec"]["securityContext"]["runAsUser"] == user
    assert pod["spec"]["securityContext"]["runAsGroup"] == user


def test_container_is_locked_down_like_make_run(pod: Any, container: Any) -> None:
    # Other volumes may hold secrets.
    (mount,) = (one for one in container["volumeMounts"] if one["mountPath"] == "/tmp")  # noqa: S108 -- in a container
    (volume,) = (one for one in pod["spec"]["volumes"] if one["name"] == mount["name"])
    assert volume["emptyDir"]["medium"] == "Memory"
    options = {
        f"--tmpfs={mount['mountPath']}:size={volume['emptyDir']['sizeLimit'].lower().removesuffix('i')}": True,
        "--read-only": container["securityContext"]["readOnlyRootFilesystem"] is True,
        "--cap-drop=ALL": container["securityContext"]["capabilities"] == {"drop": ["ALL"]},
        "--security-opt=no-new-privileges": container["securityContext"]["allowPrivilegeEscalation"] is False,
        f"--memory={container['resources']['limits']['memory'].lower().removesuffix('i')}": True,
    }
    # Nodes decide about swap and the number of processes.
    elsewhere = {option for option in LOCKED_DOWN if option.startswith(("--memory-swap=", "--pids-limit="))}
    assert {option for option, said in options.items() if said} | elsewhere == set(LOCKED_DOWN)


def test_memory_is_reserved_in_full(container: Any) -> None:
    assert container["resources"]["requests"]["memory"] == container["resources"]["limits"]["memory"]


def test_disk_is_requested_and_limited(container: Any) -> None:
    resources = container["resources"]
    assert {"ephemeral-storage"} <= resources["requests"].keys() & resources["limits"].keys()


def test_status_of_a_pod_shows_an_invalid_setting(container: Any) -> None:
    assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"


def test_settings_exist_and_have_valid_values(objects: Objects, container: Any) -> None:
    settings = objects["ConfigMap"]["data"]
    assert {"configMapRef": {"name": objects["ConfigMap"]["metadata"]["name"]}} in container["envFrom"]
    # The other variables are uvicorn's.
    own = {name for name in settings if name.startswith(Settings.PREFIX)}
    assert own <= {Settings.PREFIX + name.upper() for name in Settings.model_fields}
    Settings.from_environment(settings)
    ServerSettings.from_environment(settings)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("Deployment", ("selector", "matchLabels")),
        ("PodDisruptionBudget", ("selector", "matchLabels")),
        ("NetworkPolicy", ("podSelector", "matchLabels")),
        ("Service", ("selector",)),
    ],
)
def test_every_selector_selects_the_pods(objects: Objects, pod: Any, kind: str, path: tuple[str, ...]) -> None:
    selector = objects[kind]["spec"]
    for name in path:
        selector = selector[name]
    # The selector must not change with the version, and must not match another instance.
    assert selector == {"app.kubernetes.io/name": "app", "app.kubernetes.io/instance": "my-service"}
    assert selector.items() <= pod["metadata"]["labels"].items()


def test_pods_spread_over_nodes_and_zones_if_possible(pod: Any) -> None:
    # Only one constraint, because the scheduler skips nodes that lack the label of any constraint.
    (constraint,) = pod["spec"]["topologySpreadConstraints"]
    assert (constraint["topologyKey"], constraint["whenUnsatisfiable"]) == ("kubernetes.io/hostname", "ScheduleAnyway")
    (preferred,) = pod["spec"]["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert preferred["podAffinityTerm"]["topologyKey"] == "topology.kubernetes.io/zone"
    for one in (constraint, preferred["podAffinityTerm"]):
        selector = one["labelSelector"]["matchLabels"]
        assert selector == {"app.kubernetes.io/name": "app", "app.kubernetes.io/instance": "my-service"}
        assert selector.items() <= pod["metadata"]["labels"].items()


def names(rendered: list[Any]) -> set[str]:
    """Return the names of the objects, without the namespace, which all instances share."""
    return {one["metadata"]["name"] for one in rendered if one["kind"] != "Namespace"}


def test_two_instances_share_a_namespace_and_nothing_else(render: Callable[..., list[Any]]) -> None:
    first, second = render("production"), render("production", "eu")
    assert names(first) & names(second) == set()
    assert {name.removeprefix("eu-") for name in names(second)} == names(first)
    one, other = by_kind(first), by_kind(second)
    assert one["Namespace"]["metadata"]["name"] == other["Namespace"]["metadata"]["name"] == "my-service"
    # What one instance selects or refers to belongs to it.
    labels = other["Deployment"]["spec"]["template"]["metadata"]["labels"]
    selected = one["Service"]["spec"]["selector"]
    assert not selected.items() <= labels.items()
    pod = other["Deployment"]["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == other["ServiceAccount"]["metadata"]["name"] == "eu-app"
    settings = pod["containers"][0]["envFrom"][0]["configMapRef"]["name"]
    assert settings == other["ConfigMap"]["metadata"]["name"]
    assert other["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == other["Deployment"]["metadata"]["name"]


def test_the_network_policy_and_the_settings_come_before_the_pods(rendered: list[Any]) -> None:
    order = [one["kind"] for one in rendered]
    assert order[0] == "Namespace"
    assert max(map(order.index, ("NetworkPolicy", "ServiceAccount", "ConfigMap"))) < order.index("Deployment")


def test_only_the_autoscaler_sets_the_replicas_at_least_two(objects: Objects) -> None:
    assert "replicas" not in objects["Deployment"]["spec"]
    scaled = objects["HorizontalPodAutoscaler"]["spec"]
    assert (scaled["scaleTargetRef"]["kind"], scaled["scaleTargetRef"]["name"]) == ("Deployment", "app")
    assert 2 <= scaled["minReplicas"] < scaled["maxReplicas"]


def test_autoscaler_target_is_the_cpu_request(objects: Objects, container: Any) -> None:
    (metric,) = objects["HorizontalPodAutoscaler"]["spec"]["metrics"]
    assert metric["resource"]["target"]["averageValue"] == container["resources"]["requests"]["cpu"]


def test_pods_of_a_lost_node_start_elsewhere_after_half_a_minute(pod: Any) -> None:
    seconds = {one["key"]: one["tolerationSeconds"] for one in pod["spec"]["tolerations"]}
    assert seconds == {"node.kubernetes.io/not-ready": 30, "node.kubernetes.io/unreachable": 30}


def test_update_and_drain_leave_enough_pods(objects: Objects) -> None:
    assert objects["Deployment"]["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert objects["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1


def test_other_objects_of_a_kind_are_not_taken_for_the_service(rendered: list[Any], objects: Objects) -> None:
    workers = [deepcopy(one) for one in rendered if is_of_the_service(one)]
    for one in workers:
        one["metadata"]["name"] = f"{one['metadata']['name']}-worker"
    assert by_kind(rendered + workers) == by_kind(workers + rendered) == objects


def test_docs_name_existing_files_and_every_object(project: Path, objects: Objects) -> None:
    text = (project / "docs" / "kubernetes.md").read_text()
    named = re.findall(r"`(deploy/[\w./-]*)`", text)
    assert named
    assert [name for name in named if not (project / name).exists()] == []
    assert set(objects) <= set(re.findall(r"^\| (\w+) \|", text, re.MULTILINE))
