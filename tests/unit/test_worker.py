"""The worker process: its answers, its limits and its replacement."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from app import worker
from app.worker import Worker, while_connected

# Does what it is asked to do, then answers with its process id.
CHILD = """
import json, os, signal, sys, time
for line in sys.stdin:
    question = json.loads(line)
    if question == "die":
        print("last words", file=sys.stderr)
        os.kill(os.getpid(), signal.SIGKILL)
    if question == "talk":
        print("a" * 150_000, end="")
    if question == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    print(json.dumps([question, os.getpid()]), flush=True)
"""
COMMAND = (sys.executable, "-c", CHILD)


@asynccontextmanager
async def running(seconds: float = 30) -> AsyncIterator[Worker]:
    """Run a worker whose process has answered its trial."""
    async with Worker(COMMAND, "trial", seconds).running() as one:
        await one.ask("first")
        yield one


async def eventually(happened: Callable[[], bool]) -> None:
    """Wait until it has happened. Fail after 30 s."""
    for _ in range(3000):
        if happened():
            return
        await asyncio.sleep(0.01)
    pytest.fail("not within 30 s")


async def refusal(call: Coroutine[Any, Any, Any]) -> tuple[int, str, str]:
    """Return the status, the detail and the Retry-After that the call raises."""
    with pytest.raises(HTTPException) as raised:
        await call
    return raised.value.status_code, raised.value.detail, (raised.value.headers or {})["Retry-After"]


def test_all_calls_use_one_other_process() -> None:
    async def ask() -> list[list[Any]]:
        async with running() as one:
            return [*await asyncio.gather(*(one.ask(number) for number in range(20)))]

    answers = asyncio.run(ask())
    assert [question for question, _ in answers] == list(range(20))
    (process,) = {process for _, process in answers}
    assert process != os.getpid()


def test_first_process_has_started_when_running(monkeypatch: pytest.MonkeyPatch) -> None:
    # asyncio hangs if a server that fails cancels all tasks, and one of them is starting a process.
    start, started = asyncio.create_subprocess_exec, []

    async def recorded(*arguments: Any, **options: Any) -> Any:
        process = await start(*arguments, **options)
        started.append(process)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", recorded)

    async def begin() -> int:
        async with Worker(COMMAND, "").running():
            return len(started)

    assert asyncio.run(begin()) == 1


def test_stop_ends_the_process() -> None:
    async def ask() -> int:
        async with running() as one:
            _, process = await one.ask("")
            return int(process)

    with pytest.raises(ProcessLookupError):
        os.kill(asyncio.run(ask()), 0)


def test_process_killed_during_a_call_is_replaced(capfd: pytest.CaptureFixture[str]) -> None:
    async def ask() -> tuple[Any, ...]:
        async with running() as one:
            return await one.ask(""), await refusal(one.ask("die")), await one.ask("")

    before, refused, after = asyncio.run(ask())
    assert refused == (503, "the worker process ended; try again", "1")
    assert before[1] != after[1]
    # The process shares the standard error of the service.
    assert capfd.readouterr().err == "last words\n"


def test_process_killed_when_idle_is_replaced_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def ask() -> tuple[Any, ...]:
        async with running() as one:
            before = await one.ask("")
            os.kill(before[1], signal.SIGKILL)
            await eventually(lambda: bool(caplog.records))
            return before, await one.ask("")

    with caplog.at_level(logging.WARNING, "app.worker"):
        before, after = asyncio.run(ask())
    assert before[1] != after[1]
    assert caplog.messages == ["the worker process ended with exit code -9; starting another"]


def test_a_stopped_process_is_replaced_after_the_time_limit() -> None:
    async def ask() -> tuple[Any, ...]:
        async with running() as one:
            before = await one.ask("")
            one.seconds = 0.1
            refused = await refusal(one.ask("stop"))
            one.seconds = 30
            return before, refused, await one.ask("")

    before, refused, after = asyncio.run(ask())
    assert refused == (503, "not finished after 0.1 s", "5")
    assert before[1] != after[1]


def test_process_that_answers_too_much_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask() -> None:
        monkeypatch.setattr(worker, "MOST_BYTES", 100_000)
        async with running() as one:
            _, before = await one.ask("before")
            assert await refusal(one.ask("talk")) == (503, "the answer is too long", "5")
            _, after = await one.ask("after")
            assert after != before

    asyncio.run(ask())


def test_cancelled_calls_leave_no_answer_to_the_next_one() -> None:
    async def ask() -> list[Any]:
        async with running() as one:
            calls = [asyncio.create_task(one.ask(question)) for question in ("stop", "waits", "waits too")]
            await asyncio.sleep(0)
            for call in calls:
                call.cancel()
            await asyncio.wait(calls)
            assert not one.waits
            return [question for question, _ in [await one.ask(number) for number in range(3)]]

    assert asyncio.run(ask()) == [0, 1, 2]


def test_one_call_too_many_is_rejected_and_unready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "MOST_WAITING", 3)

    async def ask() -> tuple[Any, ...]:
        async with running() as one:
            calls = [asyncio.create_task(one.ask(number)) for number in range(4)]
            await asyncio.sleep(0)
            full = one.unready()
            refused = await refusal(one.ask("too many"))
            return full, refused, [question for question, _ in await asyncio.gather(*calls)], one.unready()

    full, refused, answered, later = asyncio.run(ask())
    assert full == "too many requests are waiting"
    assert refused == (503, "too many requests are waiting; try again later", "5")
    assert answered == [0, 1, 2, 3]
    assert later is None


def test_call_that_waits_too_long_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "MOST_SECONDS_WAITING", 0)

    async def ask() -> tuple[int, str, str]:
        return await refusal(Worker(COMMAND, "never started").ask(""))

    assert asyncio.run(ask()) == (503, "other requests took too long; try again later", "5")


@pytest.mark.parametrize(
    ("command", "seconds", "reason"),
    [
        pytest.param(("/nowhere",), 30, "FileNotFoundError", id="no program"),
        pytest.param((sys.executable, "-c", "input()"), 30, "IncompleteReadError", id="a program that ends"),
        pytest.param((sys.executable, "-c", "import time; time.sleep(60)"), 0.1, "TimeoutError", id="one that hangs"),
    ],
)
def test_process_that_does_not_start_is_unready_and_logged(
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    seconds: float,
    reason: str,
) -> None:
    monkeypatch.setattr(worker, "SECONDS_BETWEEN_STARTS", 0)

    async def ask() -> tuple[tuple[int, str, str], Any]:
        async with Worker(command, "", seconds).running() as one:
            await eventually(lambda: one.unready() is not None)
            refused = await refusal(one.ask(""))
            # After several attempts, the log still has one line.
            await asyncio.sleep(0.5)
            one.command, one.seconds = COMMAND, 30
            await eventually(lambda: one.unready() is None)
            return refused, await one.ask("again")

    refused, answer = asyncio.run(ask())
    assert refused == (503, "the worker process does not start; try again later", "5")
    assert answer[0] == "again"
    (message,) = caplog.messages
    assert message.startswith(f"the worker process does not start: {reason}(")


def test_waiting_calls_fail_if_the_process_does_not_start() -> None:
    async def ask() -> list[tuple[int, str, str]]:
        async with Worker(("/nowhere",), "").running() as one:
            return [*await asyncio.gather(*(refusal(one.ask(number)) for number in range(3)))]

    assert set(asyncio.run(ask())) == {(503, "the worker process does not start; try again later", "5")}


def request(*messages: Message) -> Request:
    """Return a request that will receive these messages."""
    left = list(messages)

    async def receive() -> Message:
        if not left:
            await asyncio.Event().wait()
        return left.pop(0)

    return Request({"type": "http"}, receive)


def test_work_is_cancelled_when_its_client_leaves() -> None:
    cancelled = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def leave() -> None:
        with pytest.raises(ClientDisconnect):
            await while_connected(request({"type": "http.disconnect"}), work())
        await asyncio.sleep(0)

    asyncio.run(leave())
    assert cancelled == [True]


def test_work_of_a_client_that_stays_returns_or_raises() -> None:
    async def work(value: int) -> int:
        return 1 // value

    assert asyncio.run(while_connected(request(), work(1))) == 1
    with pytest.raises(ZeroDivisionError):
        asyncio.run(while_connected(request(), work(0)))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_process_ends_with_the_service_without_warnings(project: Path, number: signal.Signals) -> None:
    script = """
import asyncio, os, sys
from app.worker import Worker
async def main():
    async with Worker(sys.argv[2:], "").running() as one:
        await one.ask("")
        os.kill(os.getpid(), int(sys.argv[1]))
asyncio.run(main())
"""
    command = [sys.executable, "-W", "error", "-c", script, str(int(number)), *COMMAND]
    # The process shares the standard error, so communicate() returns once both have ended.
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (-number, "")
