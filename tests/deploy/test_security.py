"""Pods pass every control of the Pod Security Standard "restricted", which includes "baseline".

https://kubernetes.io/docs/concepts/security/pod-security-standards, as of Kubernetes 1.34. Each control has examples of
violations, and each violation breaks only this control.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.deploy.conftest import OLDEST, Objects, pod_templates

Json = dict[str, Any]
# This value removes a field.
ABSENT = object()
VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_syncookies",
}
SELINUX = {None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}


def containers(pod: Json) -> list[Json]:
    """Return all containers of a pod, including init and ephemeral ones."""
    kinds = ("containers", "initContainers", "ephemeralContainers")
    return [container for kind in kinds for container in pod["spec"].get(kind, [])]


def own(pod: Json, field: str) -> list[Any]:
    """Return the values of the field in the containers' security contexts, or None."""
    return [container.get("securityContext", {}).get(field) for container in containers(pod)]


def shared(pod: Json, field: str) -> Any:
    """Return the value of the field in the pod's security context."""
    return pod["spec"].get("securityContext", {}).get(field)


def effective(pod: Json, field: str) -> list[Any]:
    """Return the effective value for each container: its own, or else the pod's."""
    return [shared(pod, field) if value is None else value for value in own(pod, field)]


def everywhere(pod: Json, field: str) -> list[Any]:
    """Return the values of the pod and of each container, with {} for None."""
    return [value or {} for value in (shared(pod, field), *own(pod, field))]


def handlers(pod: Json) -> Iterator[Json]:
    """Yield the network handlers of all probes and hooks."""
    for container in containers(pod):
        hooks = container.get("lifecycle", {})
        for one in (*(container.get(f"{kind}Probe") for kind in ("startup", "liveness", "readiness")), *hooks.values()):
            yield from ((one or {}).get(kind, {}) for kind in ("httpGet", "tcpSocket"))


@dataclass(frozen=True)
class Control:
    """A control: its name in the standard, a check, and violations.

    A violation is a field of a pod with a value. `container` means the pod's container.
    """

    name: str
    obeyed: Callable[[Json], bool]
    broken: dict[str, Any]


CONTROLS = [
    Control(
        "HostProcess",
        lambda pod: not any(options.get("hostProcess") for options in everywhere(pod, "windowsOptions")),
        {"container.securityContext.windowsOptions": {"hostProcess": True}},
    ),
    Control(
        "Host namespaces",
        lambda pod: not any(pod["spec"].get(field) for field in ("hostNetwork", "hostPID", "hostIPC")),
        {"spec.hostNetwork": True, "spec.hostPID": True, "spec.hostIPC": True},
    ),
    Control(
        "Privileged containers",
        lambda pod: not any(own(pod, "privileged")),
        {"container.securityContext.privileged": True},
    ),
    Control(
        "Host ports",
        lambda pod: not any(port.get("hostPort") for one in containers(pod) for port in one.get("ports", [])),
        {"container.ports": [{"containerPort": 8000, "hostPort": 8000}]},
    ),
    Control(
        "Host probes and lifecycle hooks",
        lambda pod: not any(handler.get("host") for handler in handlers(pod)),
        {
            "container.livenessProbe.httpGet.host": "10.0.0.1",
            "container.lifecycle.preStop": {"tcpSocket": {"host": "10.0.0.1", "port": 1}},
        },
    ),
    Control(
        "AppArmor",
        lambda pod: (
            all(
                profile.get("type") in {None, "RuntimeDefault", "Localhost"}
                for profile in everywhere(pod, "appArmorProfile")
            )
            and not any("apparmor" in name for name in pod["metadata"].get("annotations", {}))
        ),
        {
            "container.securityContext.appArmorProfile": {"type": "Unconfined"},
            "metadata.annotations": {"container.apparmor.security.beta.kubernetes.io/app": "unconfined"},
        },
    ),
    Control(
        "SELinux",
        lambda pod: all(
            options.get("type") in SELINUX and not options.get("user") and not options.get("role")
            for options in everywhere(pod, "seLinuxOptions")
        ),
        {
            "spec.securityContext.seLinuxOptions": {"type": "spc_t"},
            "container.securityContext.seLinuxOptions": {"user": "system_u"},
        },
    ),
    Control(
        "/proc mount type",
        lambda pod: all(value in {None, "Default"} for value in own(pod, "procMount")),
        {"container.securityContext.procMount": "Unmasked"},
    ),
    Control(
        "Sysctls",
        lambda pod: all(sysctl["name"] in SYSCTLS for sysctl in shared(pod, "sysctls") or []),
        {"spec.securityContext.sysctls": [{"name": "kernel.msgmax", "value": "1"}]},
    ),
    Control(
        "Volume types",
        lambda pod: all(set(volume) - {"name"} <= VOLUMES for volume in pod["spec"].get("volumes", [])),
        {"spec.volumes": [{"name": "host", "hostPath": {"path": "/"}}]},
    ),
    Control(
        "Privilege escalation",
        lambda pod: all(value is False for value in own(pod, "allowPrivilegeEscalation")),
        {
            "container.securityContext.allowPrivilegeEscalation": ABSENT,
            "spec.initContainers": [
                {"name": "another", "image": "another", "securityContext": {"capabilities": {"drop": ["ALL"]}}}
            ],
        },
    ),
    Control(
        "Running as non-root",
        lambda pod: all(value is True for value in effective(pod, "runAsNonRoot")),
        {"spec.securityContext.runAsNonRoot": ABSENT, "container.securityContext.runAsNonRoot": False},
    ),
    Control(
        "Running as non-root user",
        lambda pod: 0 not in (shared(pod, "runAsUser"), *own(pod, "runAsUser")),
        {"spec.securityContext.runAsUser": 0, "container.securityContext.runAsUser": 0},
    ),
    Control(
        "Seccomp",
        lambda pod: all(
            (value or {}).get("type") in {"RuntimeDefault", "Localhost"} for value in effective(pod, "seccompProfile")
        ),
        {
            "spec.securityContext.seccompProfile": ABSENT,
            "container.securityContext.seccompProfile": {"type": "Unconfined"},
        },
    ),
    Control(
        "Capabilities",
        lambda pod: all(
            "ALL" in (value or {}).get("drop", []) and set((value or {}).get("add", [])) <= {"NET_BIND_SERVICE"}
            for value in own(pod, "capabilities")
        ),
        {
            "container.securityContext.capabilities": ABSENT,
            "container.securityContext.capabilities.drop": ["NET_RAW"],
            "container.securityContext.capabilities.add": ["SYS_ADMIN"],
        },
    ),
]


def put(pod: Json, field: str, value: object) -> None:
    """Set a field of the pod to this value, or remove it."""
    where, *path, last = field.split(".")
    inner = pod["spec"]["containers"][0] if where == "container" else pod[where]
    for name in path:
        inner = inner.setdefault(name, {})
    if value is ABSENT:
        del inner[last]
    else:
        inner[last] = value


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
def test_pods_pass_every_control(rendered: list[Json], control: Control) -> None:
    assert all(control.obeyed(pod) for pod in pod_templates(rendered))


def test_pods_of_other_kinds_are_found(pod: Json) -> None:
    job = {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": pod}}}}
    assert list(pod_templates([{"kind": "Service", "spec": {}}, job])) == [pod]


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        pytest.param(control.name, field, value, id=f"{control.name}: {field}")
        for control in CONTROLS
        for field, value in control.broken.items()
    ],
)
def test_violation_is_found_by_its_control_only(pod: Json, name: str, field: str, value: object) -> None:
    put(pod, field, value)
    assert [control.name for control in CONTROLS if not control.obeyed(pod)] == [name]


def test_namespace_enforces_the_restricted_standard_of_one_version(objects: Objects) -> None:
    labels = objects["Namespace"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == labels["pod-security.kubernetes.io/warn"] == "restricted"
    # Otherwise an update of the cluster could reject the pods.
    assert labels["pod-security.kubernetes.io/enforce-version"] == f"v{OLDEST}"


def test_a_pod_has_no_token_of_the_cluster(objects: Objects, pod: Json) -> None:
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert pod["spec"]["serviceAccountName"] == objects["ServiceAccount"]["metadata"]["name"]
    assert objects["ServiceAccount"]["automountServiceAccountToken"] is False


def test_network_policy_allows_requests_and_named_egress(objects: Objects, request: pytest.FixtureRequest) -> None:
    policy = objects["NetworkPolicy"]["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    assert {} not in policy["egress"]
    (rule,) = policy["ingress"]
    assert rule["ports"] == [{"port": 8000}]
    if "local" in request.node.callspec.id:
        assert "from" not in rule
    else:
        # A rule without `from`, or with an empty namespaceSelector, would accept requests from every namespace.
        assert {"podSelector": {}} in rule["from"]
        assert all(peer == {"podSelector": {}} or any(peer.values()) for peer in rule["from"])
