"""A worker process for long computations, so that the event loop stays free for health checks.

A thread would compete with the event loop: under the load of tests/api/test_load.py, health checks waited several times
as long. The cost is the memory of a second Python process.

anyio.to_process is not enough. If a caller is canceled while a process starts, it leaks that process. Nobody reads the
standard error, so the process blocks once the pipe is full. And it imports uvicorn again.
"""

import asyncio
import json
import logging
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Self, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

Result = TypeVar("Result")
logger = logging.getLogger("app.worker")

# A waiting request keeps its body in memory, and 64 times 0.15 s is as long as a client should wait.
MOST_WAITING = 64
# Load balancers often give up after 60 s.
MOST_SECONDS_WAITING = 60
# The slowest review in tests/api/test_load.py takes 0.2 s on an idle core. Emulated cores need far more.
MOST_SECONDS = 10
SECONDS_BETWEEN_STARTS = 1
# Twice as large as any answer. Only what an answer needs is allocated.
MOST_BYTES = 10_000_000


class Worker:
    """A process that answers each line of JSON on its standard input with a line of JSON on its standard output.

    If the process ends, it is replaced. If an answer takes more than `seconds`, or nobody waits for it anymore, the
    process is killed. A new process receives calls once it has answered `trial`.
    """

    def __init__(self, command: Sequence[str], trial: object, seconds: float = MOST_SECONDS) -> None:
        self.command = command
        self.trial = trial
        self.seconds = seconds
        self.idle: asyncio.Queue[Process] = asyncio.Queue()
        self.waits: set[asyncio.Timeout] = set()
        self.failure: str | None = None
        self.attempted = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Keep a process running inside the context."""
        async with asyncio.TaskGroup() as group:
            supervision = group.create_task(self._supervise())
            # If uvicorn cannot open its port, it cancels all tasks. asyncio hangs if one of them is starting a process.
            await self.attempted.wait()
            yield self
            supervision.cancel()

    def unready(self) -> str | None:
        """Return why a call would fail now, or None."""
        return "too many requests are waiting" if len(self.waits) >= MOST_WAITING else self.failure

    async def ask(self, question: object) -> Any:
        """Return the answer to the question. Both are JSON values.

        Raises HTTPException with 503 if the process cannot start, ends or takes too long, if its answer is too long, or
        if too many calls wait.
        """
        if reason := self.unready():
            raise HTTPException(503, f"{reason}; try again later", {"Retry-After": "5"})
        wait = asyncio.timeout(MOST_SECONDS_WAITING)
        self.waits.add(wait)
        try:
            async with wait:
                process = await self.idle.get()
        except TimeoutError as error:
            reason = self.failure or "other requests took too long"
            raise HTTPException(503, f"{reason}; try again later", {"Retry-After": "5"}) from error
        finally:
            self.waits.remove(wait)
        try:
            answer = await self._exchange(process, question)
        except TimeoutError as error:
            raise HTTPException(503, f"not finished after {self.seconds:g} s", {"Retry-After": "5"}) from error
        except asyncio.LimitOverrunError as error:
            raise HTTPException(503, "the answer is too long", {"Retry-After": "5"}) from error
        except (EOFError, OSError) as error:
            # Often the kernel has killed it because memory ran out.
            raise HTTPException(503, "the worker process ended; try again", {"Retry-After": "1"}) from error
        if process.returncode is None:
            self.idle.put_nowait(process)
        return answer

    async def _exchange(self, process: Process, question: object) -> Any:
        assert process.stdin  # noqa: S101 -- a pipe, for mypy
        assert process.stdout  # noqa: S101 -- as above
        try:
            async with asyncio.timeout(self.seconds):
                process.stdin.write(json.dumps(question).encode() + b"\n")
                await process.stdin.drain()
                return json.loads(await process.stdout.readuntil())
        except BaseException:
            # Otherwise the next caller would receive this answer.
            _kill(process)
            raise

    async def _supervise(self) -> None:
        while True:
            try:
                async with self._process() as process:
                    self.attempted.set()
                    await self._exchange(process, self.trial)
                    self.failure = None
                    self.idle.put_nowait(process)
                    code = await process.wait()
                    logger.warning("the worker process ended with exit code %d; starting another", code)
                    # The queue is empty if the process ended during a call.
                    with suppress(asyncio.QueueEmpty):
                        self.idle.get_nowait()
            except Exception as error:
                # Log this once, not for every attempt.
                if not self.failure:
                    logger.error("the worker process does not start: %r", error)
                self.failure = "the worker process does not start"
                self.attempted.set()
                for wait in self.waits:
                    if not wait.expired():
                        wait.reschedule(0)
                await asyncio.sleep(SECONDS_BETWEEN_STARTS)

    @asynccontextmanager
    async def _process(self) -> AsyncIterator[Process]:
        # In its own session, Ctrl-C in a terminal does not reach it. It shares the service's standard error.
        process = await asyncio.create_subprocess_exec(
            *self.command, stdin=PIPE, stdout=PIPE, limit=MOST_BYTES, start_new_session=True
        )
        try:
            yield process
        finally:
            _kill(process)
            await process.wait()


async def while_connected(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """Return the result of the work. If the client disconnects, cancel it and raise ClientDisconnect.

    Read the body of the request before you call this.
    """
    task, gone = asyncio.create_task(work), asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait([task, gone], return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        task.cancel()
        gone.cancel()


def _kill(process: Process) -> None:
    # Not process.kill(): before Python 3.12.8, it can reap the process before asyncio does, which then warns.
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
