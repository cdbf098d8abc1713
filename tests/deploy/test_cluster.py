"""scripts/cluster without a cluster: kind, kubectl, docker and the load are stand-ins."""

from pathlib import Path

import pytest

from tests.deploy.programs import Programs

# The stand-in for kubectl reports pods on two nodes.
NODES = 'case "$*" in *nodeName*) printf "one\\ntwo\\n" ;; esac'
# The stand-in for the load runs until shortly after the update, however long that takes.
LOAD = 'for i in $(seq 300); do ! grep -q "for delete" "$(dirname "$0")/calls" || break; sleep 0.1; done; sleep 0.5'


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    """Return stand-ins for all programs that the script calls. All succeed."""
    programs = Programs(tmp_path)
    programs.add("kind", "cat >/dev/null")
    programs.add_kubectl(NODES)
    programs.add_docker('[ "$1" != port ] || echo 127.0.0.1:32768')
    programs.add("python3", LOAD)
    return programs


def test_success_replaces_the_image_and_deletes_the_cluster(programs: Programs) -> None:
    done = programs.run("cluster", "name", "--build-arg", "A=b", PYTHON="python3", CONTEXT="another", PRINT="1")
    assert done.returncode == 0, done.stdout
    calls = "\n".join(programs.calls)
    steps = [
        "kind create cluster",
        "kubectl taint nodes",
        "docker build --quiet --provenance=false --label trial=1 --build-arg A=b -t name:trial-1 .",
        "docker build --quiet --provenance=false --label trial=2 --build-arg A=b -t name:trial-2 .",
        "kind load docker-image",
        "apply",
        "rollout status",
        "python3 -m deploy.load http://127.0.0.1:32768 --no-keep-alive --failing 500",
        "apply",
        "rollout status",
        "kubectl wait --for delete",
        "kind delete cluster",
        "docker image rm --force name:trial-1 name:trial-2",
    ]
    for step in steps:
        assert step in calls
        calls = calls.partition(step)[2]
    assert "another" not in "\n".join(programs.calls)


def test_failed_request_exits_1(programs: Programs) -> None:
    programs.add("python3", f"{LOAD}; exit 1")
    done = programs.run("cluster", "name")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "cluster: requests failed during the update"


def test_pods_on_one_node_exit_1(programs: Programs) -> None:
    programs.add_kubectl('case "$*" in *nodeName*) printf "one\\none\\n" ;; esac')
    done = programs.run("cluster", "name")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "cluster: both pods are on one"


def test_load_that_ends_before_the_update_exits_1(programs: Programs) -> None:
    programs.add("python3", "")
    done = programs.run("cluster", "name")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "cluster: the load ended before the update did"


@pytest.mark.parametrize("step", ["kind create", "kind load", "kubectl wait", "kubectl exec", "rollout status"])
def test_any_failure_deletes_the_cluster(programs: Programs, step: str) -> None:
    name, _, action = step.rpartition(" ")
    failing = f'case "$*" in *"{action}"*) exit 1 ;; esac; {NODES}'
    if name == "kind":
        programs.add("kind", f"cat >/dev/null; {failing}")
    else:
        programs.add_kubectl(failing)
    assert programs.run("cluster", "name").returncode == 1
    assert any(call.startswith("kind delete cluster") for call in programs.calls)


def test_missing_kind_is_reported(programs: Programs, tmp_path: Path) -> None:
    (tmp_path / "kind").unlink()
    (tmp_path / "dirname").symlink_to("/usr/bin/dirname")
    done = programs.run("cluster", "name", PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "cluster: kind is not installed: https://kind.sigs.k8s.io\n")
