"""Make can work out every command of a target, with and without a container engine."""

import subprocess
from pathlib import Path

import pytest

from tests.support.makefile import MAKEFILES, targets


# `docker info` decides about the runtime: here, a program that always succeeds stands in for it, or one that fails.
@pytest.mark.parametrize("engine", ["true", "false"])
@pytest.mark.parametrize("target", sorted(targets(*MAKEFILES)))
def test_make_has_a_rule_for_each_step_of(target: str, engine: str, project: Path) -> None:
    settings = (f"DOCKER={engine}", "IMAGE=registry.test/name", "VERSION=v1")
    command = ["make", "--dry-run", target, *settings]
    made = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert (made.returncode, made.stderr) == (0, "")
