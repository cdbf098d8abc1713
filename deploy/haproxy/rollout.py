"""Two production containers behind HAProxy, replaced one after the other under load; then one of them is killed.

`python -m deploy.haproxy.rollout IMAGE` prints the report of the load. It fails if a request failed that the killed
container did not hold when it was killed, or if that one did not return to service.
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
# As haproxy.cfg names them.
BACKEND, SERVERS = "service", ("a", "b")
HTTP_PORT, COMMANDS_PORT = 8080, 9999
# Before the replacing, between it and the kill, and once the killed one is back.
STEADY_SECONDS = 2.0
# Halts a process of the engine's machine, as one that runs out of memory is, so that it holds requests; waits for a
# line, kills it, and says when nothing is left of it, its sockets included. Not by `docker kill`, after which no
# restart policy brings a container back.
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
    """It did not go as it should; says what, in a line."""


class InterruptedRolloutError(Exception):
    """Somebody wants this to end."""


@dataclass
class Engine:
    """The container engine. All that is made in it here carries one label, and by it is removed again."""

    label: str = field(default_factory=lambda: f"rollout={os.getpid()}-{int(time.time())}")
    interrupted: Event = field(default_factory=Event)

    def run(self, *arguments: str, seconds: float = 60) -> str:
        """What the command prints. Raises RolloutError if it fails, and InterruptedRolloutError once it is done."""
        try:
            # In a session of its own, where Ctrl-C does not end it halfway through what it makes.
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
        """Wait so long. Raises InterruptedRolloutError where somebody wants this to end."""
        if self.interrupted.wait(seconds):
            raise InterruptedRolloutError

    def eventually(self, what: str, happened: Callable[[], object], seconds: float = 30) -> float:
        """How long it took, in seconds, until it had happened. Raises RolloutError where that is too long."""
        begin = time.monotonic()
        while not happened():
            if time.monotonic() > begin + seconds:
                raise RolloutError(f"not within {seconds:g} s: {what}")
            self.wait(0.05)
        return time.monotonic() - begin

    def logs(self) -> str:
        """The last that each container wrote."""
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
        """Start all three, and wait until both serve. `folder` is for what the proxy reads."""
        self.engine.run("network", "create", f"--label={self.engine.label}", self._name("network"))
        for server in SERVERS:
            self.start(server)
        # A copy that every user can read, whatever the umask of this checkout.
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
        """Whether both do, as the proxy sees it; it may not listen yet."""
        with suppress(RolloutError):
            return all(self.told(server)["status"] == "UP" for server in SERVERS)
        return False

    def start(self, server: str) -> None:
        """Start a container of the service as `make run` does, but have the engine start it again when it dies."""
        self._run(server, "--restart=on-failure:3", *LOCKED_DOWN, *RUN_OPTIONS, self.image)

    def _name(self, name: str) -> str:
        return f"{self.engine.label.replace('=', '-')}-{name}"

    def _run(self, name: str, *arguments: str) -> None:
        """Start a container whom the others know by its name."""
        options = (f"--label={self.engine.label}", f"--network={self._name('network')}", f"--network-alias={name}")
        self.engine.run("run", "--detach", f"--name={self._name(name)}", *options, *arguments, seconds=300)

    def inspect(self, server: str, what: str) -> int:
        """A number that the engine knows of a container."""
        return int(self.engine.run("inspect", f"--format={{{{.{what}}}}}", self._name(server)))

    def _address(self, port: int) -> tuple[str, int]:
        host, _, number = self.engine.run("port", self._name("proxy"), str(port)).splitlines()[0].rpartition(":")
        return host, int(number)

    @cached_property
    def url(self) -> str:
        """Where the proxy serves."""
        return "http://{}:{}".format(*self._address(HTTP_PORT))

    @cached_property
    def _commands(self) -> tuple[str, int]:
        return self._address(COMMANDS_PORT)

    def command(self, line: str) -> str:
        """What the proxy answers to a line of its runtime API."""
        try:
            with socket.create_connection(self._commands, timeout=10) as connection, connection.makefile("rw") as file:
                file.write(f"{line}\n")
                file.flush()
                return file.read()
        except OSError as error:
            raise RolloutError(f"the proxy takes no command: {error}") from error

    def told(self, server: str) -> dict[str, str]:
        """What the proxy tells of a server: https://docs.haproxy.org/3.0/management.html#9.1."""
        lines = self.command(f"show stat {BACKEND} 4 -1").removeprefix("# ").splitlines()
        return next((row for row in csv.DictReader(lines) if row["svname"] == server), {"status": "", "scur": ""})

    def set_state(self, server: str, state: str) -> None:
        """Have the proxy send requests, `ready`, or no new ones, `drain`."""
        if answer := self.command(f"set server {BACKEND}/{server} state {state}").strip():
            raise RolloutError(f"the proxy does not set {server} to {state}: {answer}")

    def replace(self, server: str) -> str:
        """Put a new container in the place of a server's; how long each step took."""
        # The other one has to bear all of the load, so it has to be there.
        self.engine.eventually("both serve", self._serve)
        self.set_state(server, "drain")
        drained = self.engine.eventually(f"{server} has no request", lambda: self.told(server)["scur"] == "0")
        begin = time.monotonic()
        self.engine.run("stop", self._name(server))
        stopped = time.monotonic() - begin
        if code := self.inspect(server, "State.ExitCode"):
            raise RolloutError(f"{server} stopped with exit code {code}")
        # Else the proxy would believe of the new one, before it serves, what it knows of the old one.
        self.engine.eventually(f"the proxy misses {server}", lambda: self.told(server)["status"] != "DRAIN")
        self.engine.run("rm", self._name(server))
        begin = time.monotonic()
        self.start(server)
        self.engine.eventually(f"the new {server} is healthy", lambda: self.told(server)["status"] == "DRAIN")
        self.set_state(server, "ready")
        self.engine.eventually(f"the new {server} serves", lambda: self.told(server)["status"] == "UP")
        started = time.monotonic() - begin
        return f"{server}: drained in {drained:.1f} s, stopped in {stopped:.1f} s, replaced in {started:.1f} s"

    def kill(self, server: str) -> tuple[float, float]:
        """Kill a server as the kernel does when memory is short; between when and when it died."""
        process = self.inspect(server, "State.Pid")
        options = ("--rm", "--interactive", f"--label={self.engine.label}", "--pid=host", "--user=0")
        command = [DOCKER, "run", *options, self.image, "python", "-c", KILL.format(process)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        ) as killer:
            assert killer.stdin and killer.stdout  # noqa: S101, PT018 -- asked for in the line above
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
    """Which server was killed, and between when and when it died."""

    server: str
    begin: float
    end: float

    def took(self, outcome: Outcome) -> bool:
        """Whether the server may have held the request: on its way then, and answered by no other."""
        # Without a server's name, the connection was closed; with a status, the proxy had no server for it.
        by = outcome.server or ("" if outcome.failure.startswith("status") else self.server)
        return outcome.due <= self.end and outcome.ended >= self.begin and by == self.server


@contextmanager
def loading(load: Load) -> Iterator[None]:
    """Have the load beside what is done meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(asyncio.run, load.run())
        try:
            yield
        finally:
            load.stop.set()
        running.result()


@dataclass
class Rollout:
    """What is done under load, and what became of the requests meanwhile."""

    requests: list[Outcome] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    kill: Kill | None = None
    problem: str = ""

    def run(self, fleet: Fleet, load: Load, seconds: float) -> None:
        """Replace the containers again and again for so long, then kill one, and see it return to service."""
        self._begin("steady")
        self._tell(f"{load.rate:g} requests a second to {fleet.url}")
        fleet.engine.wait(STEADY_SECONDS)
        self._begin("replacing")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for server in SERVERS:
                self._tell(fleet.replace(server))
        self._begin("killing")
        fleet.engine.wait(STEADY_SECONDS)
        self.kill = kill = Kill(SERVERS[0], *fleet.kill(SERVERS[0]))
        self._tell(f"{kill.server} killed")
        fleet.engine.eventually(f"{kill.server} answers again", lambda: self._answered(kill))
        self._tell(f"{kill.server} answers again, {time.monotonic() - kill.end:.1f} s later")
        fleet.engine.wait(STEADY_SECONDS)

    def _answered(self, kill: Kill) -> bool:
        """Whether the server that was killed has answered since."""
        since = [one for one in self.requests.copy() if one.due > kill.end]
        return any(one.server == kill.server and not one.failure for one in since)

    def _begin(self, phase: str) -> None:
        self.phases.append(Phase(phase, time.monotonic()))

    def _tell(self, what: str) -> None:
        print(f"{time.monotonic() - self.phases[0].begin:6.1f} s  {what}", flush=True)

    def report(self) -> list[str]:
        """The report of the load; has a problem where a request failed that had to be answered."""
        failed = [one for one in self.requests if one.failure]
        lost = [one for one in failed if self.kill and self.kill.took(one)]
        if not self.problem and len(failed) > len(lost):
            self.problem = f"requests that failed, though no killed container held them: {len(failed) - len(lost)}"
        lines = ["", *report(self.requests, self.phases)] if self.phases else []
        if self.kill:
            held = [one for one in self.requests if self.kill.took(one)]
            lines.append(f"held by {self.kill.server} when it was killed: {len(held)}; lost of these: {len(lost)}")
        return lines


def main() -> int:
    """Start all, have it rolled out under load, print the report; 1 if it did not go as it should."""
    parser = argparse.ArgumentParser(prog="python -m deploy.haproxy.rollout", description=__doc__)
    parser.add_argument("image", metavar="IMAGE")
    parser.add_argument("--seconds", type=positive, default=60.0, help="how long to replace (%(default)g)")
    parser.add_argument("--rate", type=positive, default=RATE, help="requests a second (%(default)g)")
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
            load = Load(fleet.url, requests, arguments.rate, outcomes=rollout.requests)
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
            fail(f"not all is removed: {error}", 1)
    for line in rollout.report():
        print(line)
    return fail(rollout.problem, 1) if rollout.problem else 0


def handle_signals(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    """Have what wants this to end handled so."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, handler)


def fail(message: str, code: int) -> int:
    """Say what is wrong, in a line."""
    print(f"rollout: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
