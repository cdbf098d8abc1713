"""scripts/deploy without a cluster: its calls and its errors. kubectl and docker are stand-ins."""

import re
import shutil
from pathlib import Path

import pytest

from tests.deploy.conftest import DIGEST, PROJECT
from tests.deploy.programs import Programs

IMAGE = "registry.example/name:v1"
OWN = "app.kubernetes.io/name=app,app.kubernetes.io/instance=shop"
# Two pods of the seventh revision serve.
SERVING = '*availableReplicas*) echo "2 7" ;;'


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    """Return stand-ins for kubectl, which succeeds, and docker, which knows the image."""
    programs = Programs(tmp_path)
    programs.add_kubectl("")
    programs.add_docker()
    return programs


def test_deploy_resolves_the_digest_applies_and_waits(programs: Programs) -> None:
    done = programs.run("deploy", IMAGE, "shop", CONTEXT="here", TIMEOUT="9s")
    assert done.returncode == 0, done.stdout
    assert [call for call in programs.calls if "=migration" not in call] == [
        f"docker buildx imagetools inspect {IMAGE}",
        "kubectl kustomize kubernetes",
        "kubectl --context here --namespace shop version --request-timeout=10s",
        "kubectl --context here --namespace shop get namespace shop",
        f"kubectl --context here --namespace shop get replicasets --selector {OWN} --output "
        "jsonpath={range .items[?(@.status.availableReplicas>0)]}{.status.availableReplicas} "
        r"{.metadata.annotations.deployment\.kubernetes\.io/revision}{'\n'}{end}",
        "kubectl --context here --namespace shop apply --filename manifests.yaml "
        "--selector app.kubernetes.io/component!=namespace",
        "kubectl --context here --namespace shop rollout status deployment/app --timeout 9s",
        f"kubectl --context here --namespace shop get replicasets --selector {OWN} "
        "--output jsonpath={..configMapRef.name}",
        f"kubectl --context here --namespace shop get configmaps --selector {OWN} --output name",
    ]


def test_unset_context_is_the_current_one(programs: Programs) -> None:
    assert programs.run("deploy", IMAGE, "shop").returncode == 0
    assert not any("--context" in call for call in programs.calls)


def test_print_does_not_connect_to_a_cluster(programs: Programs) -> None:
    done = programs.run("deploy", IMAGE, "shop", PRINT="1")
    assert f"image: registry.example/name@{DIGEST}" in done.stdout
    assert programs.calls[-1] == "kubectl kustomize kubernetes"


def test_local_overlay_does_not_ask_the_registry(programs: Programs) -> None:
    done = programs.run("deploy", "name:v1", "shop", OVERLAY="local", PRINT="1")
    assert "image: name:v1" in done.stdout
    assert programs.calls == ["kubectl kustomize kubernetes"]


@pytest.mark.parametrize("name", ["host:5000/name", "ghcr.io/you/name"])
@pytest.mark.parametrize("version", ["v1", "1.0", "0123456"])
def test_any_image_name_is_applied(programs: Programs, name: str, version: str) -> None:
    done = programs.run("deploy", f"{name}:{version}", "shop", PRINT="1")
    assert f"image: {name}@{DIGEST}" in done.stdout
    assert f"app.kubernetes.io/version: {version}" in done.stdout.replace('"', "").replace("'", "")


def test_deploy_does_not_change_the_project(programs: Programs, tmp_path: Path) -> None:
    project = tmp_path / "project"
    for folder in ("deploy", "scripts"):
        shutil.copytree(PROJECT / folder, project / folder)

    def contents() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}

    before = contents()
    assert programs.run(str(project / "scripts" / "deploy"), IMAGE, "shop").returncode == 0
    assert contents() == before


@pytest.fixture
def migrating(tmp_path: Path) -> Path:
    """Return scripts/deploy of a copy of the project with a migration."""
    project = tmp_path / "project"
    for folder in ("deploy", "scripts"):
        shutil.copytree(PROJECT / folder, project / folder)
    base = project / "deploy/kubernetes/base"
    (base / "job.yaml").write_text(
        "{apiVersion: batch/v1, kind: Job, metadata: {name: a, labels: {app.kubernetes.io/component: migration}}}"
    )
    kustomization = (base / "kustomization.yaml").read_text()
    (base / "kustomization.yaml").write_text(kustomization.replace("resources:\n", "resources:\n  - job.yaml\n"))
    return project / "scripts/deploy"


def test_migration_ends_before_the_rest_is_applied(programs: Programs, migrating: Path) -> None:
    assert programs.run(str(migrating), IMAGE, "shop", TIMEOUT="9s").returncode == 0
    migration = "app.kubernetes.io/component=migration,app.kubernetes.io/instance=shop"
    assert [call.removeprefix("kubectl --namespace shop ") for call in programs.calls[5:-2]] == [
        f"delete jobs --selector {migration}",
        f"apply --filename manifests.yaml --selector {migration}",
        f"wait jobs --selector {migration} --for condition=complete --timeout 9s",
        "apply --filename manifests.yaml --selector app.kubernetes.io/component!=namespace",
        "rollout status deployment/app --timeout 9s",
    ]


def test_failed_migration_stops_the_deployment(programs: Programs, migrating: Path) -> None:
    programs.add_kubectl('case "$*" in *wait*) exit 1 ;; *logs*) echo "relation exists" ;; esac')
    done = programs.run(str(migrating), IMAGE, "shop")
    assert (done.returncode, done.stdout.splitlines()) == (
        1,
        ["relation exists", "deploy: the migration failed; nothing else has changed"],
    )


def test_temporary_files_are_removed(programs: Programs, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    assert programs.run("deploy", IMAGE, "shop", TMPDIR=str(temporary)).returncode == 0
    assert list(temporary.iterdir()) == []


def test_missing_kubectl_is_reported(programs: Programs, tmp_path: Path) -> None:
    (tmp_path / "kubectl").unlink()
    (tmp_path / "dirname").symlink_to("/usr/bin/dirname")
    done = programs.run("deploy", IMAGE, "shop", PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (
        1,
        "deploy: kubectl is not installed: https://kubernetes.io/docs/tasks/tools\n",
    )


def test_missing_image_is_reported_and_nothing_applied(programs: Programs) -> None:
    programs.add("docker", f'echo "ERROR: {IMAGE}: not found" >&2; exit 1')
    done = programs.run("deploy", IMAGE, "shop")
    problem = f"deploy: cannot read the digest of {IMAGE}: ERROR: {IMAGE}: not found\n"
    assert (done.returncode, done.stdout) == (1, problem)
    assert len(programs.calls) == 1


def test_registry_without_a_digest_is_an_error(programs: Programs) -> None:
    programs.add("docker", "echo Name: something else")
    done = programs.run("deploy", IMAGE, "shop")
    assert done.returncode == 1
    assert done.stdout.startswith(f"deploy: cannot read the digest of {IMAGE}")
    assert len(programs.calls) == 1


def test_unreachable_cluster_is_reported_with_the_error(programs: Programs) -> None:
    programs.add_kubectl("echo 'memcache.go: noise' >&2; echo 'connection refused' >&2; exit 1")
    done = programs.run("deploy", IMAGE, "shop")
    assert done.returncode == 1
    assert done.stdout.startswith("deploy: no cluster answers")
    assert done.stdout.endswith(": connection refused\n")
    assert not any("apply" in call for call in programs.calls)


def test_failed_apply_exits_without_waiting(programs: Programs) -> None:
    programs.add_kubectl('case "$*" in *apply*) echo "forbidden" >&2; exit 1 ;; esac')
    done = programs.run("deploy", IMAGE, "shop")
    assert (done.returncode, done.stdout) == (1, "forbidden\n")


def test_failed_rollout_prints_pods_logs_and_undo_command(programs: Programs) -> None:
    programs.add_kubectl(
        'case "$*" in'
        ' *rollout*) echo "exceeded its progress deadline" >&2; exit 1 ;;'
        f" {SERVING}"
        ' *jsonpath*) echo "ImagePullBackOff: no such image" ;;'
        ' *"get pods"*) echo "app-1 0/1 CrashLoopBackOff" ;;'
        " *logs*) echo \"APP_LOG_LEVEL='loud': Input should be\" ;;"
        ' *events*) printf "1s Warning FailedCreate ReplicaSet/app-1 quota\\n1s Warning Slow Node/a slow\\n" ;;'
        " esac"
    )
    done = programs.run("deploy", IMAGE, "shop", CONTEXT="here")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "exceeded its progress deadline",
        "app-1 0/1 CrashLoopBackOff",
        "ImagePullBackOff: no such image",
        "APP_LOG_LEVEL='loud': Input should be",
        "1s Warning FailedCreate ReplicaSet/app-1 quota",
        f"deploy: {IMAGE} does not become ready; the old pods still serve; "
        "undo: kubectl --context here -n shop rollout undo deployment/app --to-revision 7",
    ]
    # These are the pods of this version, not the ones that still serve.
    assert f"{OWN},app.kubernetes.io/version=v1" in programs.calls[-2]


def test_missing_overlay_is_reported(programs: Programs) -> None:
    done = programs.run("deploy", IMAGE, "shop", OVERLAY="staging")
    problem = "deploy: OVERLAY is invalid: deploy/kubernetes/overlays/staging does not exist\n"
    assert (done.returncode, done.stdout) == (1, problem)


@pytest.mark.parametrize(
    ("settings", "image", "namespace"),
    [
        (["IMAGE=registry.example/name", "VERSION=v1", "NAME=shop"], "registry.example/name@", "shop"),
        (["IMAGE=registry.example/name", "VERSION=v1", "NAMESPACE=shop"], "registry.example/name@", "shop"),
        (["OVERLAY=local", "VERSION=v1", "NAME=shop"], "shop:v1", "shop"),
    ],
)
def test_make_passes_image_and_namespace(programs: Programs, settings: list[str], image: str, namespace: str) -> None:
    done = programs.run("make", "--silent", "deploy", "PRINT=1", *settings)
    assert f"image: {image}" in done.stdout
    assert f"namespace: {namespace}\n" in done.stdout


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (["NAME=orders"], "app"),
        (["NAME=orders", "NAMESPACE=shop"], "orders-app"),
        (["NAME=orders", "INSTANCE=eu"], "eu-app"),
        (["NAME=orders", "NAMESPACE=shop", "INSTANCE=shop"], "app"),
    ],
)
def test_make_names_the_objects_after_the_instance(programs: Programs, settings: list[str], name: str) -> None:
    done = programs.run("make", "--silent", "deploy", "PRINT=1", "IMAGE=a/b", "VERSION=v1", *settings)
    names = re.findall(r"^  name: (.*)$", done.stdout, re.MULTILINE)
    assert name in names
    assert ("app" in names) == (name == "app")


def test_make_requires_a_registry_in_the_image(programs: Programs) -> None:
    done = programs.run("make", "deploy", "IMAGE=name")
    assert done.returncode == 2
    assert "IMAGE must include a registry: make deploy IMAGE=registry/name VERSION=v1" in done.stdout


def test_failed_deployment_before_which_no_pod_served_has_no_undo_command(programs: Programs) -> None:
    programs.add_kubectl('case "$*" in *rollout*) exit 1 ;; esac')
    done = programs.run("deploy", IMAGE, "shop")
    assert done.stdout.splitlines()[-1] == f"deploy: {IMAGE} does not become ready"


def test_missing_namespace_is_created(programs: Programs) -> None:
    programs.add_kubectl('case "$*" in *"get namespace"*) exit 1 ;; esac')
    assert programs.run("deploy", IMAGE, "shop").returncode == 0
    create = "create --filename manifests.yaml --selector app.kubernetes.io/component=namespace"
    assert f"kubectl --namespace shop {create}" in programs.calls


@pytest.mark.parametrize("version", ["v1.", "-v1", "v" * 64])
def test_invalid_version_is_rejected(programs: Programs, version: str) -> None:
    done = programs.run("deploy", f"registry.example/name:{version}", "shop")
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert line.startswith("deploy: VERSION is invalid")


@pytest.mark.parametrize("namespace", ["Shop", "a.b", "shop-", "a" * 64])
def test_invalid_namespace_is_rejected(programs: Programs, namespace: str) -> None:
    done = programs.run("deploy", IMAGE, namespace)
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert line.startswith("deploy: NAMESPACE is invalid: ")


@pytest.mark.parametrize("instance", ["Shop", "a.b", "shop-", "1a", "a" * 51])
def test_an_invalid_instance_is_refused(programs: Programs, instance: str) -> None:
    done = programs.run("deploy", IMAGE, "shop", instance)
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert line.startswith("deploy: INSTANCE is invalid: ")


def test_another_instance_has_its_own_names_and_waits_for_its_own_pods(programs: Programs) -> None:
    programs.add_kubectl(f'case "$*" in *rollout*) exit 1 ;; {SERVING} esac')
    done = programs.run("deploy", IMAGE, "shop", "eu")
    assert done.stdout.splitlines()[-1].endswith("rollout undo deployment/eu-app --to-revision 7")
    assert "kubectl --namespace shop rollout status deployment/eu-app --timeout 5m" in programs.calls
    assert not any("instance=shop" in call for call in programs.calls)


def test_settings_that_no_replica_set_names_are_deleted(programs: Programs) -> None:
    programs.add_kubectl(
        'case "$*" in'
        ' *replicasets*) printf "settings-new settings-old" ;;'
        " *configmaps*) printf 'configmap/%s\\n' settings-new settings-old settings-older other ;;"
        " esac"
    )
    assert programs.run("deploy", IMAGE, "shop").returncode == 0
    deleted = [call for call in programs.calls if " delete configmap" in call]
    assert deleted == ["kubectl --namespace shop delete configmap/settings-older"]
