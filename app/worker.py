"""A process beside this one for what computes, so that the event loop is free for whoever asks how the service is.

A thread would take turns with the event loop, which waits for its turn at each socket that it reads: under the load of
tests/api/test_load.py, who asked for health waited several times as long. The price is the memory of a second Python.
"""

import os
import signal
from asyncio import get_running_loop
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing import active_children, get_context, parent_process
from threading import Thread
from typing import TypeVar

from anyio import CapacityLimiter
from starlette.exceptions import HTTPException

Result = TypeVar("Result")

# One call at a time: more would share the same processor. WEB_CONCURRENCY is uvicorn's way to use several.
ONE = CapacityLimiter(1)
# What waits holds its body in memory, and 64 times 0.15 s is as long as a caller should wait for its turn.
MOST_WAITING = 64


@cache
def process() -> Executor:
    """The process; the first call to it starts it."""
    # Begun anew instead of forked, which would take along the sockets.
    return ProcessPoolExecutor(1, get_context("spawn"), initializer=_begin)


def end() -> None:
    """End the process, for whose results nobody waits any more, and let go of its semaphores.

    uvicorn may end the service by a signal; then Python does not get round to it, and warns.
    """
    for child in active_children():
        child.kill()
    process().shutdown()
    process.cache_clear()


def _begin() -> None:
    """Leave Ctrl-C to the service, and end with it, however it ends: the pool itself would wait for work for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_the_service, daemon=True).start()


def _end_with_the_service() -> None:
    if service := parent_process():
        service.join()
        os._exit(0)


async def run(function: Callable[..., Result], *arguments: object) -> Result:
    """What the function makes of the arguments: in the process, which both, the result and an exception travel to.

    Raises what the function raises, and HTTPException with 503 where too many calls wait already or the process died.
    """
    if ONE.statistics().tasks_waiting >= MOST_WAITING:
        raise HTTPException(503, "too many requests wait for their turn; ask again", {"Retry-After": "5"})
    async with ONE:
        try:
            return await get_running_loop().run_in_executor(process(), function, *arguments)
        except BrokenProcessPool as error:
            # Something killed it, for its memory perhaps: the next call has another one.
            process.cache_clear()
            raise HTTPException(503, "what was to answer this was ended; ask again", {"Retry-After": "1"}) from error
