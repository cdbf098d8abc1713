"""The process for what computes."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException

from app import worker


def identity() -> int:
    """The number of the process that runs this."""
    return os.getpid()


def refuse() -> None:
    """Raise what travels back."""
    raise HTTPException(418, "not me", {"X-Reason": "why"})


def interrupt() -> bool:
    """What Ctrl-C does to every process of a terminal; whether it was survived."""
    os.kill(os.getpid(), signal.SIGINT)
    return True


def die() -> None:
    """End as the kernel ends what takes too much memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def test_it_is_one_process_and_another_than_this() -> None:
    first, second = asyncio.run(worker.run(identity)), asyncio.run(worker.run(identity))
    assert first == second != os.getpid()


def test_what_is_raised_in_it_is_raised_here() -> None:
    with pytest.raises(HTTPException) as raised:
        asyncio.run(worker.run(refuse))
    error = raised.value
    assert (error.status_code, error.detail, error.headers) == (418, "not me", {"X-Reason": "why"})


def test_an_interrupt_is_not_for_it() -> None:
    assert asyncio.run(worker.run(interrupt))


def test_it_ends_with_the_service_however_that_ends(project: Path) -> None:
    script = "import os, time; from app.worker import process; process().submit(os.getpid).result(); print(flush=True)"
    command = [sys.executable, "-c", f"{script}; time.sleep(60)"]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE) as service:
        assert service.stdout
        service.stdout.readline()
        service.kill()
        # It has the same standard output, which ends with the last process that has it.
        service.communicate(timeout=10)


def test_ended_it_leaves_nothing_behind_that_python_would_warn_of(project: Path) -> None:
    script = "import os, signal; from app import worker; worker.process().submit(os.getpid).result(); worker.end()"
    command = [sys.executable, "-c", f"{script}; os.kill(os.getpid(), signal.SIGTERM)"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (-signal.SIGTERM, "")


def test_after_its_death_there_is_another() -> None:
    before = asyncio.run(worker.run(identity))
    with pytest.raises(HTTPException) as raised:
        asyncio.run(worker.run(die))
    assert (raised.value.status_code, raised.value.headers) == (503, {"Retry-After": "1"})
    assert asyncio.run(worker.run(identity)) != before


def test_calls_take_turns_and_one_too_many_is_told_when_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once: list[int] = []

    def slow() -> None:
        at_once.append(1)
        time.sleep(0.02)
        at_once.append(-1)

    async def call_often() -> list[BaseException | None]:
        return await asyncio.gather(*(worker.run(slow) for _ in range(5)), return_exceptions=True)

    with ThreadPoolExecutor() as threads:
        monkeypatch.setattr(worker, "process", lambda: threads)
        monkeypatch.setattr(worker, "MOST_WAITING", 3)
        *done, refused = asyncio.run(call_often())
    assert done == [None] * 4
    assert at_once == [1, -1] * 4
    assert isinstance(refused, HTTPException)
    assert (refused.status_code, refused.headers) == (503, {"Retry-After": "5"})
