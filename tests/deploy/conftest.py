"""Fixtures for the tests of the manifests, which kubectl renders without a cluster."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
OLDEST = "1.30"  # the oldest Kubernetes with preStop.sleep
DIGEST = f"sha256:{'1' * 64}"
# The digest that the stand-in for docker prints for every image.
INSPECTED = f"Name:      registry.example/name:v1\nDigest:    {DIGEST}\n           \nManifests: \n"

# The service's object of each kind.
Objects = dict[str, Any]


def by_kind(rendered: list[Any]) -> Objects:
    """Return the service's object of each kind. Others may be of the same kind, such as a worker's Deployment."""
    return {one["kind"]: one for one in sorted(rendered, key=is_of_the_service)}


def is_of_the_service(one: Any) -> bool:
    """Return whether the object has the name of one of the service."""
    return re.fullmatch(r"(eu-)?(app|settings-\w+)", one["metadata"]["name"]) is not None


def pod_templates(part: Any) -> Iterator[Any]:
    """Yield the pod templates in a part of a manifest, for example in a CronJob."""
    if isinstance(part, dict):
        if "containers" in (part.get("spec") or {}):
            yield part
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from pod_templates(inner)


@pytest.fixture(scope="session", autouse=True)
def kubectl() -> None:
    """Fail if kubectl is missing."""
    if shutil.which("kubectl") is None:
        pytest.exit("tests/deploy needs kubectl: https://kubernetes.io/docs/tasks/tools", returncode=1)


@pytest.fixture(scope="session")
def render(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[Any]]:
    """Return a function that returns the objects that `make deploy` applies for an overlay and an instance."""
    docker = tmp_path_factory.mktemp("programs") / "docker"
    docker.write_text(f"#!/bin/sh\nprintf '{INSPECTED}'\n")
    docker.chmod(0o755)
    rendered: dict[tuple[str, str], list[Any]] = {}

    def render(overlay: str, instance: str = "my-service") -> list[Any]:
        if (overlay, instance) not in rendered:
            done = subprocess.run(
                [PROJECT / "scripts" / "deploy", "registry.example/name:v1", "my-service", instance],
                env=os.environ | {"DOCKER": str(docker), "OVERLAY": overlay, "PRINT": "1"},
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            rendered[overlay, instance] = list(yaml.safe_load_all(done.stdout))
        return deepcopy(rendered[overlay, instance])

    return render


@pytest.fixture(params=["production", "local"])
def rendered(request: pytest.FixtureRequest, render: Callable[..., list[Any]]) -> list[Any]:
    """Return the applied objects of each overlay."""
    return render(request.param)


@pytest.fixture
def objects(rendered: list[Any]) -> Objects:
    """Return the service's object of each kind."""
    return by_kind(rendered)


@pytest.fixture
def pod(objects: Objects) -> Any:
    """Return the pod template of the Deployment."""
    return objects["Deployment"]["spec"]["template"]


@pytest.fixture
def container(pod: Any) -> Any:
    """Return the container of the service."""
    return next(one for one in pod["spec"]["containers"] if one["name"] == "app")
