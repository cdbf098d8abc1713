"""The rollout: which requests may fail, and whether the proxy's configuration fits the image's."""

import re
from pathlib import Path

import pytest

from deploy.haproxy.rollout import CONFIGURATION, SERVERS, Kill, Rollout
from deploy.load import Outcome, Phase, Request

GET = Request("GET", "/")


def rollout(*requests: Outcome, kill: Kill | None = None) -> Rollout:
    """Return a rollout with these outcomes and one success."""
    return Rollout([Outcome(GET, 0, 1, "a"), *requests], [Phase("all", 0)], kill)


@pytest.mark.parametrize("server", ["a", ""])
def test_request_in_flight_on_the_killed_container_may_fail(server: str) -> None:
    found = rollout(Outcome(GET, 4, 5.1, server, "lost"), kill=Kill("a", 5, 5.01))
    assert found.report()[-1] == "in flight on a when it was killed: 1; of these, failed: 1"
    assert found.problem == ""


@pytest.mark.parametrize(
    "failed",
    [
        pytest.param(Outcome(GET, 4, 4.9, "a", "lost"), id="before"),
        pytest.param(Outcome(GET, 5.02, 5.1, "a", "lost"), id="afterwards"),
        pytest.param(Outcome(GET, 4, 5.1, "b", "lost"), id="of the other"),
        pytest.param(Outcome(GET, 4, 5.1, "", "status 503"), id="of none"),
    ],
)
def test_no_other_request_may_fail(failed: Outcome) -> None:
    found = rollout(failed, kill=Kill("a", 5, 5.01))
    assert "failed at" in "\n".join(found.report())
    assert found.problem == "failed requests that were not in flight on a killed container: 1"


def test_no_request_may_fail_during_replacement() -> None:
    found = rollout(Outcome(GET, 4, 5, "a", "lost"))
    found.report()
    assert found.problem


def test_the_proxy_names_the_servers_that_are_replaced() -> None:
    assert tuple(re.findall(r"^    server (\w+)", CONFIGURATION.read_text(), re.MULTILINE)) == SERVERS


def test_proxy_closes_idle_connections_before_the_service(project: Path) -> None:
    (proxy,) = re.findall(r"timeout http-keep-alive (\d+)s", CONFIGURATION.read_text())
    (service,) = re.findall(r"UVICORN_TIMEOUT_KEEP_ALIVE=(\d+)", (project / "Dockerfile").read_text())
    assert int(proxy) < int(service)
