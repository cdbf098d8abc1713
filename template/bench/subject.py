"""A subject: the project, unchanged or with one technique undone, in its own build context."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from template.bench.engine import Build, Engine, EngineError

PROJECT = Path(__file__).parents[2]
# The files that measures change in a subject.
APP, REQUIREMENTS = "app/main.py", "requirements.txt"


class EditError(Exception):
    """An edit does not apply anymore: the project has changed, and the benchmark must follow."""


@dataclass(frozen=True)
class Edit:
    """A change to one file: `old`, which it must contain once, becomes `new`. Without `old`, delete the file."""

    path: str
    old: str = ""
    new: str = ""

    def apply(self, folder: Path) -> None:
        """Change the file in the folder. Raises EditError unless it contains `old` exactly once."""
        file = folder / self.path
        if not self.old:
            file.unlink()
            return
        text = file.read_text()
        if (found := text.count(self.old)) != 1:
            raise EditError(f"{self.path} contains this {found} times instead of once: {self.old!r}")
        file.write_text(text.replace(self.old, self.new))


def copy(folder: Path) -> None:
    """Copy the files that git tracks or would add, with uncommitted changes. Raises EngineError if git fails."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise EngineError(f"git cannot list the files of the project: {error}") from error
    for name in filter(None, names.split("\0")):
        if (PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, folder / name)


@dataclass
class Subject:
    """A project to build, with a marked Dockerfile."""

    engine: Engine
    name: str
    folder: Path
    options: tuple[str, ...] = ()
    """Additional options of `docker build`."""
    buildkit: bool = True
    compose: bool = True
    """True to reload with the compose file, False to use `develop`."""
    run: tuple[str, ...] = ()
    """Additional options of `docker run`."""
    develop: tuple[str, ...] = ()
    """The command that reloads, with the source mounted at `mounted`. Without it, build and start again."""
    mounted: str = ""
    builds: int = 0
    waited: list[float] = field(default_factory=list)
    """The p99 latency in milliseconds of each run of load, until it is used."""

    @property
    def image(self) -> str:
        """The name of the image."""
        return self.engine.image(self.name)

    def edit(self, edits: Iterable[Edit]) -> "Subject":
        """Apply the edits and mark the Dockerfile. Raises EditError if an edit does not apply."""
        for edit in edits:
            edit.apply(self.folder)
        dockerfile = self.folder / "Dockerfile"
        dockerfile.write_text(self.engine.marked(dockerfile.read_text()))
        if (compose := self.folder / "compose.yaml").exists():
            compose.write_text(compose.read_text().replace("target: dev", f"target: {self.engine.mark}-dev"))
        return self

    def build(self, *options: str, name: str = "", client: str = "") -> Build:
        """Build the image, or one with another name. With a folder for `client`, build as a new client."""
        options = (*self.options, *options)
        return self.engine.build(self.folder, name or self.name, *options, buildkit=self.buildkit, client=client)

    def build_cold(self, name: str = "") -> Build:
        """Build without cache and with empty cache mounts. Only the Python base image is reused."""
        dockerfile = self.folder / "Dockerfile"
        dockerfile.write_text(self.engine.with_caches(dockerfile.read_text(), new=True))
        return self.build("--no-cache", name=name)

    def change_a_line(self) -> None:
        """Change one line of the app: append a comment that is different each time."""
        self.builds += 1
        with (self.folder / APP).open("a") as file:
            file.write(f"# change {self.builds}\n")

    def drop_the_dependency(self) -> None:
        """Require only the packages of the project."""
        file = self.folder / REQUIREMENTS
        file.write_text(file.read_text().split("# one more\n")[0])

    def add_a_dependency(self) -> None:
        """Require one more package, small and without dependencies, in the version of requirements-dev.txt."""
        self.builds += 1
        file = self.folder / REQUIREMENTS
        locked = (PROJECT / "requirements-dev.txt").read_text()
        block = locked[locked.index("iniconfig==") :]
        end = block.index("\n    # via")
        text = file.read_text().split("# one more\n")[0]
        # The comment makes the file different each time, so that the builder does not reuse the last round.
        file.write_text(f"{text}# one more\n# {os.getpid()} {self.builds}\n{block[:end]}\n")
