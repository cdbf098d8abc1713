"""Fixtures for the tests of what is applied to a cluster: as kubectl renders it, which no cluster is needed for."""

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
DIGEST = f"sha256:{'1' * 64}"
# What the stand-in for docker says of any image, as `docker buildx imagetools inspect` does.
INSPECTED = f"Name:      registry.example/name:v1\nDigest:    {DIGEST}\n           \nManifests: \n"

# What is applied: an object by its kind, each there once.
Objects = dict[str, Any]


@pytest.fixture(scope="session", autouse=True)
def kubectl() -> None:
    """Nothing can be rendered without it."""
    if shutil.which("kubectl") is None:
        pytest.exit("tests/deploy needs kubectl: https://kubernetes.io/docs/tasks/tools", returncode=1)


@pytest.fixture(scope="session")
def render(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Objects]:
    """Gives what `make deploy` applies, by the name of the overlay."""
    docker = tmp_path_factory.mktemp("programs") / "docker"
    docker.write_text(f"#!/bin/sh\nprintf '{INSPECTED}'\n")
    docker.chmod(0o755)
    rendered: dict[str, Objects] = {}

    def render(overlay: str) -> Objects:
        if overlay not in rendered:
            done = subprocess.run(
                [PROJECT / "scripts" / "deploy", "registry.example/name:v1", "my-service"],
                env=os.environ | {"DOCKER": str(docker), "OVERLAY": overlay, "PRINT": "1"},
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            objects = list(yaml.safe_load_all(done.stdout))
            rendered[overlay] = {one["kind"]: one for one in objects}
            assert len(rendered[overlay]) == len(objects)
        return deepcopy(rendered[overlay])

    return render


@pytest.fixture(params=["production", "local"])
def objects(request: pytest.FixtureRequest, render: Callable[[str], Objects]) -> Objects:
    """What is applied, of each overlay."""
    return render(request.param)


@pytest.fixture
def pod(objects: Objects) -> Any:
    """The pods that the Deployment makes: their `metadata` and `spec`."""
    return objects["Deployment"]["spec"]["template"]


@pytest.fixture
def container(pod: Any) -> Any:
    """The one container of a pod."""
    (container,) = pod["spec"]["containers"]
    return container
