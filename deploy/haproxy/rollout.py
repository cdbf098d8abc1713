"""A rollout under load: replace two production containers behind HAProxy one after the other, then kill one.

`python -m deploy.haproxy.rollout IMAGE` prints the report of the load. It fails if a request failed that was not in
flight on the killed container, or if that container did not return to service.
"""

import argparse
import asyncio
import csv
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Event, Timer
from types import FrameType

from deploy.container import DOCKER, LOCKED_DOWN, RUN_OPTIONS
from deploy.load import RATE, REQUESTS, Load, LoadError, Outcome, Phase, positive, read, report

HAPROXY = "haproxy:3.0"
CONFIGURATION = Path(__file__).with_name("haproxy.cfg")
# The names in haproxy.cfg.
BACKEND, SERVERS = "service", ("a", "b")
HTTP_PORT, COMMANDS_PORT = 8080, 9999
# The time before the replacement, before the kill, and after the killed container is back.
STEADY_SECONDS = 2.0
# Stop a process on the engine's machine, so that requests are in flight, as when memory runs out. Wait for a line, kill
# the process, and report when it is gone with its sockets. Not `docker kill`, which disables the restart policy.
KILL = """
import os, signal, time
os.kill({0}, signal.SIGSTOP)
time.sleep(0.2)
print("ready", flush=True)
input()
os.kill({0}, signal.SIGKILL)
while os.path.exists("/proc/{0}"):
    time.sleep(0.001)
print("gone", flush=True)
"""


class RolloutError(Exception):
    """The rollout failed. The message is one line with the reason."""


class InterruptedRolloutError(Exception):
    """A signal interrupted the rollout."""


@dataclass
class Engine:
    """The container engine. Everything created here has one label, by which it is removed again."""

    label: str = field(default_factory=lambda: f"rollout={os.getpid()}-{int(time.time())}")
    interrupted: Event = field(default_factory=Event)

    def run(self, *arguments: str, seconds: float = 60) -> str:
        """Return what the command prints.

        Raises RolloutError if it fails, and InterruptedRolloutError after it if there was a signal.
        """
        try:
            # Ctrl-C does not reach a command in its own session, so it does not stop halfway.
            done = subprocess.run(
                [DOCKER, *arguments],
                capture_output=True,
                text=True,
                timeout=seconds,
                start_new_session=True,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise RolloutError(str(error)) from error
        if done.returncode:
            raise RolloutError(f"{DOCKER} {arguments[0]}: {' '.join(done.stderr.split())}")
        self.wait(0)
        return done.stdout.strip()

    def wait(self, seconds: float) -> None:
        """Wait. Raises InterruptedRolloutError if there is a signal."""
        if self.interrupted.wait(seconds):
            raise InterruptedRolloutError

    def eventually(self, what: str, happened: Callable[[], object], seconds: float = 30) -> float:
        """Wait until it has happened and return the seconds. Raises RolloutError if it takes too long."""
        begin = time.monotonic()
        while not happened():
            if time.monotonic() > begin + seconds:
                raise RolloutError(f"not within {seconds:g} s: {what}")
            self.wait(0.05)
        return time.monotonic() - begin

    def logs(self) -> str:
        """Return the last lines of the log of each container."""
        names = self.run("ps", "--all", "--format={{.Names}}", f"--filter=label={self.label}").split()
        return "".join(f"{name}: {line}\n" for name in names for line in self._log(name))

    def _log(self, name: str) -> list[str]:
        command = [DOCKER, "logs", "--tail=10", name]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.stdout.splitlines()

    def clean(self) -> None:
        """Remove the containers and the network."""
        self.interrupted.clear()
        if containers := self.run("ps", "--all", "--quiet", f"--filter=label={self.label}").split():
            self.run("rm", "--force", "--volumes", *containers)
        if networks := self.run("network", "ls", "--quiet", f"--filter=label={self.label}").split():
            self.run("network", "rm", *networks)


@dataclass
class Fleet:
    """Two containers of the image behind the proxy."""

    engine: Engine
    image: str

    def up(self, folder: Path) -> None:
        """Start the containers, and wait until both servers serve. `folder` is for the proxy's configuration."""
        self.engine.run("network", "create", f"--label={self.engine.label}", self._name("network"))
        for server in SERVERS:
            self.start(server)
        # Copy it, so that every user can read it, whatever the umask of this checkout.
        copy = folder / CONFIGURATION.name
        copy.write_bytes(CONFIGURATION.read_bytes())
        copy.chmod(0o644)
        options = (
            f"--publish=127.0.0.1::{HTTP_PORT}",
            f"--publish=127.0.0.1::{COMMANDS_PORT}",
            f"--volume={copy}:/usr/local/etc/haproxy/haproxy.cfg:ro",
            "--read-only",
            "--cap-drop=ALL",
            "--security-opt=no-new-privileges",
        )
        self._run("proxy", *options, HAPROXY)
        self.engine.eventually("both serve", self._serve)

    def _serve(self) -> bool:
        """Return True if the proxy sees both servers as up. It may not listen yet."""
        with suppress(RolloutError):
            return all(self.stats(server)["status"] == "UP" for server in SERVERS)
        return False

    def start(self, server: str) -> None:
        """Start a container of the service as `make run` does, but with a restart policy."""
        self._run(server, "--restart=on-failure:3", *LOCKED_DOWN, *RUN_OPTIONS, self.image)

    def _name(self, name: str) -> str:
        return f"{self.engine.label.replace('=', '-')}-{name}"

    def _run(self, name: str, *arguments: str) -> None:
        """Start a container that the others can reach by its name."""
        options = (f"--label={self.engine.label}", f"--network={self._name('network')}", f"--network-alias={name}")
        self.engine.run("run", "--detach", f"--name={self._name(name)}", *options, *arguments, seconds=300)

    def inspect(self, server: str, what: str) -> int:
        """Return a number from the engine's description of a container."""
        return int(self.engine.run("inspect", f"--format={{{{.{what}}}}}", self._name(server)))

    def _address(self, port: int) -> tuple[str, int]:
        host, _, number = self.engine.run("port", self._name("proxy"), str(port)).splitlines()[0].rpartition(":")
        return host, int(number)

    @cached_property
    def url(self) -> str:
        """The URL of the proxy."""
        return "http://{}:{}".format(*self._address(HTTP_PORT))

    @cached_property
    def _commands(self) -> tuple[str, int]:
        return self._address(COMMANDS_PORT)

    def command(self, line: str) -> str:
        """Send a command to the runtime API of the proxy and return the response."""
        try:
            with socket.create_connection(self._commands, timeout=10) as connection, connection.makefile("rw") as file:
                file.write(f"{line}\n")
                file.flush()
                return file.read()
        except OSError as error:
            raise RolloutError(f"the proxy does not accept commands: {error}") from error

    def stats(self, server: str) -> dict[str, str]:
        """Return the proxy's statistics of a server: https://docs.haproxy.org/3.0/management.html#9.1."""
        lines = self.command(f"show stat {BACKEND} 4 -1").removeprefix("# ").splitlines()
        return next((row for row in csv.DictReader(lines) if row["svname"] == server), {"status": "", "scur": ""})

    def set_state(self, server: str, state: str) -> None:
        """Make the proxy send requests to the server (`ready`) or no new ones (`drain`)."""
        if answer := self.command(f"set server {BACKEND}/{server} state {state}").strip():
            raise RolloutError(f"the proxy does not set {server} to {state}: {answer}")

    def replace(self, server: str) -> str:
        """Replace the container of a server, and return how long each step took."""
        # The other server must take all of the load, so it must be up.
        self.engine.eventually("both serve", self._serve)
        self.set_state(server, "drain")
        drained = self.engine.eventually(f"{server} has no requests", lambda: self.stats(server)["scur"] == "0")
        begin = time.monotonic()
        self.engine.run("stop", self._name(server))
        stopped = time.monotonic() - begin
        if code := self.inspect(server, "State.ExitCode"):
            raise RolloutError(f"{server} stopped with exit code {code}")
        # Otherwise the proxy would apply the old container's health to the new one, before it serves.
        self.engine.eventually(f"{server} is down", lambda: self.stats(server)["status"] != "DRAIN")
        self.engine.run("rm", self._name(server))
        begin = time.monotonic()
        self.start(server)
        self.engine.eventually(f"the new {server} is healthy", lambda: self.stats(server)["status"] == "DRAIN")
        self.set_state(server, "ready")
        self.engine.eventually(f"the new {server} serves", lambda: self.stats(server)["status"] == "UP")
        started = time.monotonic() - begin
        return f"{server}: drained in {drained:.1f} s, stopped in {stopped:.1f} s, replaced in {started:.1f} s"

    def kill(self, server: str) -> tuple[float, float]:
        """Kill a server as the kernel does when memory runs out. Return the times between which it died."""
        process = self.inspect(server, "State.Pid")
        options = ("--rm", "--interactive", f"--label={self.engine.label}", "--pid=host", "--user=0")
        command = [DOCKER, "run", *options, self.image, "python", "-c", KILL.format(process)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        ) as killer:
            assert killer.stdin and killer.stdout  # noqa: S101, PT018 -- pipes, for mypy
            limit = Timer(60, killer.kill)
            limit.start()
            try:
                ready = killer.stdout.readline()
                begin = time.monotonic()
                if ready:
                    killer.stdin.write("\n")
                    killer.stdin.flush()
                if not ready or not killer.stdout.readline():
                    raise RolloutError(f"{server} could not be killed")
                return begin, time.monotonic()
            finally:
                limit.cancel()


@dataclass(frozen=True)
class Kill:
    """The server that was killed, and the times between which it died."""

    server: str
    begin: float
    end: float

    def hit(self, outcome: Outcome) -> bool:
        """Return True if the request may have been in flight on the server, and no other server answered it."""
        # A failure without a server's name is a closed connection, or a status of the proxy, which found no server.
        by = outcome.server or ("" if outcome.failure.startswith("status") else self.server)
        return outcome.due <= self.end and outcome.ended >= self.begin and by == self.server


@contextmanager
def loading(load: Load) -> Iterator[None]:
    """Run the load inside the context."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(asyncio.run, load.run())
        try:
            yield
        finally:
            load.stop.set()
        running.result()


@dataclass
class Rollout:
    """The rollout under load, and the outcomes of its requests."""

    requests: list[Outcome] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    kill: Kill | None = None
    problem: str = ""

    def run(self, fleet: Fleet, load: Load, seconds: float) -> None:
        """Replace the containers until the time is over, then kill one and wait until it serves again."""
        self._begin("steady")
        self._print(f"{load.rate:g} requests per second to {fleet.url}")
        fleet.engine.wait(STEADY_SECONDS)
        self._begin("replacing")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for server in SERVERS:
                self._print(fleet.replace(server))
        self._begin("killing")
        fleet.engine.wait(STEADY_SECONDS)
        self.kill = kill = Kill(SERVERS[0], *fleet.kill(SERVERS[0]))
        self._print(f"{kill.server} killed")
        fleet.engine.eventually(f"{kill.server} serves again", lambda: self._answered(kill))
        self._print(f"{kill.server} serves again, {time.monotonic() - kill.end:.1f} s later")
        fleet.engine.wait(STEADY_SECONDS)

    def _answered(self, kill: Kill) -> bool:
        """Return True if the killed server has answered a request since."""
        since = [one for one in self.requests.copy() if one.due > kill.end]
        return any(one.server == kill.server and not one.failure for one in since)

    def _begin(self, phase: str) -> None:
        self.phases.append(Phase(phase, time.monotonic()))

    def _print(self, what: str) -> None:
        print(f"{time.monotonic() - self.phases[0].begin:6.1f} s  {what}", flush=True)

    def report(self) -> list[str]:
        """Return the report of the load. Set `problem` if a request failed that was not hit by the kill."""
        failed = [one for one in self.requests if one.failure]
        lost = [one for one in failed if self.kill and self.kill.hit(one)]
        if not self.problem and len(failed) > len(lost):
            self.problem = f"failed requests that were not in flight on a killed container: {len(failed) - len(lost)}"
        lines = ["", *report(self.requests, self.phases)] if self.phases else []
        if self.kill:
            hit = [one for one in self.requests if self.kill.hit(one)]
            server = self.kill.server
            lines.append(f"in flight on {server} when it was killed: {len(hit)}; of these, failed: {len(lost)}")
        return lines


def main() -> int:
    """Start the containers, roll out under load, and print the report. Return 1 if the rollout failed."""
    parser = argparse.ArgumentParser(prog="python -m deploy.haproxy.rollout", description=__doc__)
    parser.add_argument("image", metavar="IMAGE")
    parser.add_argument("--seconds", type=positive, default=60.0, help="how long to replace (default: %(default)g)")
    parser.add_argument("--rate", type=positive, default=RATE, help="requests per second (default: %(default)g)")
    parser.add_argument("--requests", type=Path, default=REQUESTS, help="a file like %(default)s")
    arguments = parser.parse_args()
    engine = Engine()
    try:
        requests = read(arguments.requests)
        engine.run("version")
    except (LoadError, RolloutError) as error:
        return fail(str(error), 2)
    handle_signals(lambda *_: engine.interrupted.set())
    rollout = Rollout()
    try:
        with tempfile.TemporaryDirectory(prefix="rollout-") as folder:
            fleet = Fleet(engine, arguments.image)
            fleet.up(Path(folder))
            # A container may not know what an earlier request created in another one, and respond with 404.
            load = Load(fleet.url, requests, arguments.rate, failing=500, outcomes=rollout.requests)
            with loading(load):
                rollout.run(fleet, load, arguments.seconds)
    except RolloutError as error:
        rollout.problem = str(error)
        print(engine.logs(), end="", file=sys.stderr)
    except InterruptedRolloutError:
        return fail("interrupted", 130)
    finally:
        handle_signals(signal.SIG_IGN)
        try:
            engine.clean()
        except RolloutError as error:
            fail(f"cannot remove all containers and networks: {error}", 1)
    for line in rollout.report():
        print(line)
    return fail(rollout.problem, 1) if rollout.problem else 0


def handle_signals(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    """Handle the signals that end a process with this handler."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, handler)


def fail(message: str, code: int) -> int:
    """Print what is wrong in one line, and return the exit code."""
    print(f"rollout: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
