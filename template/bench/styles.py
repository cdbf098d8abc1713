"""The styles of other projects, with the same app. peers/README.md describes them."""

import re
import shutil
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from deploy.container import serving
from template.bench.runs import Plan, Workshop
from template.bench.subject import PROJECT, Subject

STYLES = Path(__file__).parent / "peers"
OURS = "this project"
MEASURES = [
    "start", "edited", "unchanged", "rebuilt", "dependency", "cold", "context",
    "added", "whole", "unpacked", "pushed", "pushed dependency", "stop", "rate", "slowest", "memory",
]  # fmt: skip
# Use the same server options for all: the installed parser, and no access log.
SERVER = ("--env=UVICORN_HTTP=h11", "--env=UVICORN_ACCESS_LOG=false")

# The reasons why another style is better.
PIP = "uv installs packages faster than pip"
LIBRARY = "the project's image contains the bytecode of the standard library, for faster starts"
HEALTH = "the project's image has a health check, which uses processor time"
REASONS = {
    "cold": PIP,
    "dependency": PIP,
    "added": LIBRARY,
    "whole": LIBRARY,
    "unpacked": LIBRARY,
    "rate": HEALTH,
    "slowest": HEALTH,
}


@dataclass(frozen=True)
class Style:
    """A style: the folder of its files, and the files that it takes from the project."""

    folder: str
    project: tuple[str, ...]
    source: str = "/app/app"
    """The folder of the app in its container."""
    options: tuple[str, ...] = ()


STYLES_BY_NAME = {
    OURS: Style(
        "",
        (
            "Dockerfile", ".dockerignore", "requirements.txt", "requirements-dev.txt",
            "app/logging.json", "app/logs.py", "app/settings.py", "app/probe.py",
        ),
    ),
    "FastAPI's documentation": Style("fastapi", ("requirements.txt",), source="/code/app"),
    "uv's example": Style("uv", ("requirements.in", "requirements.txt")),
    "virtual environment": Style(
        "venv", ("requirements.txt",), options=("--build-arg=PIP_CERT=/etc/ssl/certs/ca-certificates.crt",)
    ),
}  # fmt: skip


@dataclass
class UvSubject(Subject):
    """uv's style. Its lock is made here, because it names the index that it was made with."""

    uv: tuple[str, ...] = field(default=())

    def lock(self) -> None:
        """Write uv.lock with the versions of requirements.txt."""
        self.engine.run(
            "build", "--file", str(self.folder / "lock.Dockerfile"), *self.uv, "--output", str(self.folder),
            str(self.folder), seconds=600,
        )  # fmt: skip

    def drop_the_dependency(self) -> None:
        """Require only the packages of the project, and lock them."""
        super().drop_the_dependency()
        shutil.copy(PROJECT / "requirements.in", self.folder)
        shutil.copy(STYLES / "uv" / "pyproject.toml", self.folder)
        self.lock()

    def add_a_dependency(self) -> None:
        """Require one more package, and lock it."""
        super().add_a_dependency()
        shutil.copy(PROJECT / "requirements.in", self.folder)
        with (self.folder / "requirements.in").open("a") as file:
            file.write("\niniconfig\n")
        # Start from the original file, because uv does not add a package twice. The comment below makes the file
        # different each time, as in the other styles.
        shutil.copy(STYLES / "uv" / "pyproject.toml", self.folder)
        self.lock()
        with (self.folder / "pyproject.toml").open("a") as project:
            project.write(f"# {self.builds}\n")


def subject(workshop: Workshop, name: str) -> Subject:
    """Make the app in the style of this name."""
    style = STYLES_BY_NAME[name]
    folder = workshop.folder(style.folder or "ours")
    shutil.copytree(STYLES / "app", folder / "app")
    for path in style.project:
        shutil.copy(PROJECT / path, folder / path)
    own = STYLES / style.folder if style.folder else None
    for file in own.iterdir() if own else ():
        shutil.copy(file, folder)
    kind = UvSubject if style.folder == "uv" else Subject
    made = kind(
        workshop.engine, folder.name, folder, style.options, run=SERVER,
        develop=(*serving(), "--reload"), mounted=style.source,
    )  # fmt: skip
    if isinstance(made, UvSubject):
        made.uv = ("--build-arg", f"UV_IMAGE={uv(workshop)}")
        made.options += made.uv
        for file in folder.glob("*.Dockerfile"):
            file.write_text(workshop.engine.marked(file.read_text()))
        made.lock()
    return made.edit(())


def uv(workshop: Workshop) -> str:
    """Build and return an image that contains uv, in the version that locks the project's packages."""
    folder = workshop.folder("uv-image")
    dockerfile = (STYLES / "uv" / "uv.Dockerfile").read_text()
    (folder / "Dockerfile").write_text(workshop.engine.marked(dockerfile))
    workshop.engine.build(folder, "uv-image", f"--build-arg=UV_VERSION={uv_version()}")
    return workshop.engine.image("uv-image")


def uv_version() -> str:
    """Return the version of uv that locks the project's packages."""
    (version,) = re.findall(r"^uv==(\S+)", (PROJECT / "requirements/lock.txt").read_text(), re.MULTILINE)
    return str(version)


def plan(workshop: Workshop, quick: bool) -> Plan:
    """Return what to measure. If `quick`, only check that the images build and respond."""
    wanted = ["start"] if quick else MEASURES
    return {name: (partial(subject, workshop, name), wanted) for name in STYLES_BY_NAME}
