"""The health endpoints."""

import asyncio

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app import health
from app.health import Check


def test_running_service_is_alive(client: TestClient) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def answer(reason: str | None) -> Check:
    """Return a check that returns this reason."""

    async def check() -> str | None:
        return reason

    return check


async def hangs() -> str | None:
    """Never return."""
    await asyncio.Event().wait()
    return None


def readiness(**checks: Check) -> tuple[int, str]:
    """Return the status and the detail of the readiness of an app with these checks."""
    app = FastAPI(routes=health.router.routes)
    app.state.checks = checks
    response = TestClient(app).get("/readyz")
    return response.status_code, response.json().get("detail", "")


def test_service_is_ready_if_its_parts_are() -> None:
    assert readiness(database=answer(None), cache=answer(None)) == (200, "")


def test_response_gives_the_reason_of_each_unready_part() -> None:
    checks = {"database": answer("connection refused"), "cache": answer(None), "mail": answer("full")}
    assert readiness(**checks) == (503, "database: connection refused; mail: full")


def test_check_that_times_out_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.01)
    assert readiness(database=hangs) == (503, "database: no answer within 0.01 s")
