"""Fixtures for the tests of the manifests, which kubectl renders without a cluster."""

import os
import shutil
import subprocess
from collections.abc import Callable
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

# The applied objects by kind. There is one of each.
Objects = dict[str, Any]


@pytest.fixture(scope="session", autouse=True)
def kubectl() -> None:
    """Fail if kubectl is missing."""
    if shutil.which("kubectl") is None:
        pytest.exit("tests/deploy needs kubectl: https://kubernetes.io/docs/tasks/tools", returncode=1)


@pytest.fixture(scope="session")
def render(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Objects]:
    """Return a function that returns what `make deploy` applies for an overlay and an instance."""
    docker = tmp_path_factory.mktemp("programs") / "docker"
    docker.write_text(f"#!/bin/sh\nprintf '{INSPECTED}'\n")
    docker.chmod(0o755)
    rendered: dict[tuple[str, str], Objects] = {}

    def render(overlay: str, instance: str = "my-service") -> Objects:
        if (overlay, instance) not in rendered:
            done = subprocess.run(
                [PROJECT / "scripts" / "deploy", "registry.example/name:v1", "my-service", instance],
                env=os.environ | {"DOCKER": str(docker), "OVERLAY": overlay, "PRINT": "1"},
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            objects = list(yaml.safe_load_all(done.stdout))
            rendered[overlay, instance] = {one["kind"]: one for one in objects}
            assert len(rendered[overlay, instance]) == len(objects)
        return deepcopy(rendered[overlay, instance])

    return render


@pytest.fixture(params=["production", "local"])
def objects(request: pytest.FixtureRequest, render: Callable[..., Objects]) -> Objects:
    """Return the applied objects of each overlay."""
    return render(request.param)


@pytest.fixture
def pod(objects: Objects) -> Any:
    """Return the pod template of the Deployment."""
    return objects["Deployment"]["spec"]["template"]


@pytest.fixture
def container(pod: Any) -> Any:
    """Return the container of the pod."""
    (container,) = pod["spec"]["containers"]
    return container
