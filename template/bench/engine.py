"""The container engine. Everything that is created here has a mark, by which it is removed."""

import base64
import json
import os
import re
import subprocess
import time
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

DOCKER = os.environ.get("DOCKER", "docker")
# Time limits: builds and downloads take longer than other commands.
SECONDS, SECONDS_FOR_A_BUILD = 120, 1800


class EngineError(Exception):
    """A command failed. The message names it, with its last lines of output."""


@dataclass(frozen=True)
class Build:
    """The result of a build, with its wall-clock time in seconds and the log of the builder."""

    seconds: float
    context: int
    """Bytes of the build context that were sent."""
    log: str


@dataclass
class Engine:
    """The engine of the current context, with its own builder: others do not load their images into it."""

    mark: str = field(default_factory=lambda: f"bench-{os.getpid()}-{int(time.time()) % 100_000}")
    caches: int = 0

    def __post_init__(self) -> None:
        """Find the builder that belongs to the engine. Raises EngineError if no engine answers."""
        os.environ["BUILDX_BUILDER"] = self.run("context", "show")
        self.run("version")

    def run(self, *arguments: str, seconds: float = SECONDS) -> str:
        """Return what the command prints. Raises EngineError if it fails or takes longer than `seconds`."""
        try:
            done = subprocess.run(
                [DOCKER, *arguments], capture_output=True, text=True, timeout=seconds, errors="replace", check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EngineError(f"docker {arguments[0]}: {error}") from error
        if done.returncode:
            raise EngineError(f"docker {' '.join(arguments)}: {_last(done.stderr)}")
        return done.stdout.strip()

    def image(self, name: str) -> str:
        """Return the marked name of an image."""
        return f"{self.mark}:{name}"

    def marked(self, dockerfile: str) -> str:
        """Return the Dockerfile with the mark, so that its records in the build cache contain it.

        The build cache describes a record by the stage and the command. So the stages are renamed, each shell is
        started by `env` with the mark, and the cache mounts have their own ids.
        """
        # If there is only one stage, the builder leaves out its name.
        if len(re.findall(r"^FROM ", dockerfile, re.MULTILINE)) == 1:
            dockerfile = re.sub(r"^FROM ", "FROM scratch AS nothing\n\\g<0>", dockerfile, flags=re.MULTILINE)
        stages = count()
        dockerfile = re.sub(r"^FROM \S+$", lambda match: f"{match[0]} AS stage{next(stages)}", dockerfile, flags=re.M)
        for name in re.findall(r"^FROM \S+ AS (\w+)$", dockerfile, re.MULTILINE):
            own = rf"\g<1>{self.mark}-{name}"
            dockerfile = re.sub(rf"^(FROM \S+ AS |FROM ){name}(?=\s)", own, dockerfile, flags=re.M)
            dockerfile = re.sub(rf"(--from=|,from=){name}(?=[\s,])", own, dockerfile)
        shell = json.dumps(["/usr/bin/env", f"{self.mark}=", "/bin/sh", "-c"])
        dockerfile = re.sub(r"^FROM .*$", rf"\g<0>\nSHELL {shell}\nLABEL bench={self.mark}", dockerfile, flags=re.M)
        return self.with_caches(re.sub(r"(--mount=type=cache,)(target=([^\s,]+))", r"\1id=\3,\2", dockerfile))

    def with_caches(self, dockerfile: str, new: bool = False) -> str:
        """Return the Dockerfile with the cache mounts that all builds share, or with new, empty ones."""
        self.caches += new
        own = f"{self.mark}-{self.caches if new else 0}"
        return re.sub(rf"(--mount=type=cache,id=)({self.mark}-\d+)?", rf"\g<1>{own}", dockerfile)

    def build(self, folder: Path, image: str, *options: str, buildkit: bool = True, client: str = "") -> Build:
        """Build the folder. With an empty folder for `client`, build as a client that the builder does not know.

        Raises EngineError with the last lines of the failed step if it fails.
        """
        arguments = ["build", *(["--progress=rawjson"] if buildkit else []), "-t", self.image(image), *options]
        start = time.perf_counter()
        try:
            done = subprocess.run(
                [DOCKER, *arguments, str(folder)],
                capture_output=True,
                text=True,
                timeout=SECONDS_FOR_A_BUILD,
                errors="replace",
                env=os.environ
                | {"DOCKER_BUILDKIT": str(int(buildkit))}
                | ({"BUILDX_CONFIG": client} if client else {}),
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise EngineError(f"{image} does not build: {error}") from error
        seconds = time.perf_counter() - start
        context, log = _parsed(done.stderr) if buildkit else (0, done.stdout + done.stderr)
        if done.returncode:
            raise EngineError(f"{image} does not build: {_last(log or done.stderr)}")
        return Build(seconds, context, log)

    def clean(self) -> None:
        """Remove the containers and images that were created here, and their build cache."""
        label = f"label=bench={self.mark}"
        if containers := self.run("ps", "--all", "--quiet", "--filter", label).split():
            self.run("rm", "--force", "--volumes", *containers)
        names = "{{.Repository}}:{{.Tag}}"
        if images := self.run("image", "ls", "--format", names, "--filter", f"reference={self.mark}*").split():
            self.run("image", "rm", "--force", *images)
        # The legacy builder leaves an image for each instruction. All of them have the label.
        self.run("image", "prune", "--force", "--filter", label)
        # A layer can be removed only when no other layer, of whatever image, is on top of it: repeat.
        kept = ("--filter", f"description~={self.mark}", "--all", "--force")
        while "true" in self.run("buildx", "prune", *kept, seconds=SECONDS_FOR_A_BUILD):
            pass


def _parsed(progress: str) -> tuple[int, str]:
    """Return the bytes of context that were sent, and the log, from the lines of the builder's raw progress."""
    sent: dict[str, int] = {}
    log = []
    for line in progress.splitlines():
        try:
            report = json.loads(line)
        except ValueError:
            log.append(line)
            continue
        for status in report.get("statuses", ()):
            if status["id"] == "transferring context:":
                sent[status["vertex"]] = status["current"]
        log += [base64.b64decode(part["data"]).decode(errors="replace") for part in report.get("logs", ())]
    return sum(sent.values()), "".join(log)


def _last(text: str) -> str:
    return " | ".join(line.strip() for line in text.strip().splitlines()[-3:])
