"""The rollout of two containers behind a proxy under load. `make rollout` runs it for longer."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.support.container import PATIENCE, docker

# Few enough per second that a container keeps up on a busy machine. `make rollout` sends more.
RATE = "10"


def rolling_out(image: str) -> subprocess.Popen[str]:
    """Start the rollout with one round of replacements."""
    command = [sys.executable, "-m", "deploy.haproxy.rollout", image, "--seconds", "1", "--rate", RATE]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def left(process: int) -> str:
    """Return the labels of what the rollout with this process id has left in the engine."""
    kinds = (("ps", "--all"), ("network", "ls"))
    output = "".join(docker(*kind, "--filter=label=rollout", "--format={{.Labels}}\n") for kind in kinds)
    return "".join(line for line in output.splitlines() if f"rollout={process}-" in line)


def test_replacement_loses_no_requests_and_a_kill_only_its_own(image: str, show: list[str]) -> None:
    with rolling_out(image) as process:
        output, _ = process.communicate(timeout=120 * PATIENCE)
    assert process.returncode == 0, output
    show += ["replaced behind a proxy:", *output.partition("\n\n")[2].splitlines()]
    assert left(process.pid) == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_rollout_cleans_up(image: str, number: signal.Signals) -> None:
    with rolling_out(image) as process:
        end = time.monotonic() + 30 * PATIENCE
        while not left(process.pid):
            assert time.monotonic() < end
        os.kill(process.pid, number)
        output, _ = process.communicate(timeout=60 * PATIENCE)
    assert (process.returncode, output) == (130, "rollout: interrupted\n")
    assert left(process.pid) == ""
