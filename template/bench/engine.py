"""The container engine: everything that is made in it here carries one mark, and by it all of that is removed again."""

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
# For an answer of a command that does no work of its own; builds and whatever downloads have more.
SECONDS, SECONDS_FOR_A_BUILD = 120, 1800


class EngineError(Exception):
    """A command failed; says which, and the last that it wrote."""


@dataclass(frozen=True)
class Build:
    """A build: how long it took as a user waits for it, in seconds, and what the builder told."""

    seconds: float
    context: int
    """Bytes of the build context that were sent."""
    log: str


@dataclass
class Engine:
    """The engine of the current context, and its own builder: others keep their images to themselves."""

    mark: str = field(default_factory=lambda: f"bench-{os.getpid()}-{int(time.time()) % 100_000}")
    caches: int = 0

    def __post_init__(self) -> None:
        """Find the builder that belongs to the engine. Raises EngineError where no engine answers."""
        os.environ["BUILDX_BUILDER"] = self.run("context", "show")
        self.run("version")

    def run(self, *arguments: str, seconds: float = SECONDS) -> str:
        """What the command prints. Raises EngineError if it fails or takes longer than `seconds`."""
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
        """What an image is called here."""
        return f"{self.mark}:{name}"

    def marked(self, dockerfile: str) -> str:
        """The same Dockerfile, so that what the builder keeps of it says that it is ours.

        The builder describes what it keeps by the name of the stage and the command. So the stages have other names,
        each shell is started by `env` with the mark, and a cache mount is one of our own.
        """
        # Where there is one stage alone, the builder leaves its name out.
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
        """The same Dockerfile with the cache mounts that all share here, or with new ones, which are empty."""
        self.caches += new
        own = f"{self.mark}-{self.caches if new else 0}"
        return re.sub(rf"(--mount=type=cache,id=)({self.mark}-\d+)?", rf"\g<1>{own}", dockerfile)

    def build(self, folder: Path, image: str, *options: str, buildkit: bool = True, client: str = "") -> Build:
        """Build what is in the folder; with a folder for `client`, as somebody who was never seen by the builder.

        Raises EngineError, with the last lines of the failed step, if it fails.
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
        context, log = _told(done.stderr) if buildkit else (0, done.stdout + done.stderr)
        if done.returncode:
            raise EngineError(f"{image} does not build: {_last(log or done.stderr)}")
        return Build(seconds, context, log)

    def clean(self) -> None:
        """Remove the containers and the images that were made here, and what the builder keeps of them."""
        label = f"label=bench={self.mark}"
        if containers := self.run("ps", "--all", "--quiet", "--filter", label).split():
            self.run("rm", "--force", "--volumes", *containers)
        names = "{{.Repository}}:{{.Tag}}"
        if images := self.run("image", "ls", "--format", names, "--filter", f"reference={self.mark}*").split():
            self.run("image", "rm", "--force", *images)
        # The builder of old leaves an image for each instruction, all of which have the label.
        self.run("image", "prune", "--force", "--filter", label)
        # A layer goes only when none is on top of it any more, be it somebody else's.
        kept = ("--filter", f"description~={self.mark}", "--all", "--force")
        while "true" in self.run("buildx", "prune", *kept, seconds=SECONDS_FOR_A_BUILD):
            pass


def _told(progress: str) -> tuple[int, str]:
    """The bytes of context that were sent, and the log, from what the builder told line by line."""
    sent: dict[str, int] = {}
    log = []
    for line in progress.splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            log.append(line)
            continue
        for status in told.get("statuses", ()):
            if status["id"] == "transferring context:":
                sent[status["vertex"]] = status["current"]
        log += [base64.b64decode(part["data"]).decode(errors="replace") for part in told.get("logs", ())]
    return sum(sent.values()), "".join(log)


def _last(text: str) -> str:
    return " | ".join(line.strip() for line in text.strip().splitlines()[-3:])
