"""A subject: the project as it is, or with one thing about it undone, in a build context of its own."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from template.bench.engine import Build, Engine, EngineError

PROJECT = Path(__file__).parents[2]
# What is changed in a subject.
APP, REQUIREMENTS = "app/main.py", "requirements.txt"


class EditError(Exception):
    """An edit that does not apply any more: the product has changed, and the benchmark has to follow."""


@dataclass(frozen=True)
class Edit:
    """A change to one file of the project: `old`, which is there once, becomes `new`; without `old`, the file goes."""

    path: str
    old: str = ""
    new: str = ""

    def apply(self, folder: Path) -> None:
        """Change the file there. Raises EditError if `old` is not in it just once."""
        file = folder / self.path
        if not self.old:
            file.unlink()
            return
        text = file.read_text()
        if (found := text.count(self.old)) != 1:
            raise EditError(f"{self.path}: this is there {found} times instead of 1: {self.old!r}")
        file.write_text(text.replace(self.old, self.new))


def copy(folder: Path) -> None:
    """Copy the project as git knows it, with what is not committed yet. Raises EngineError where git does not know."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        told = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise EngineError(f"git tells which files are the project's, and does not: {error}") from error
    for name in filter(None, told.split("\0")):
        if (PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, folder / name)


@dataclass
class Subject:
    """A project to build, by a Dockerfile that carries the engine's mark."""

    engine: Engine
    name: str
    folder: Path
    options: tuple[str, ...] = ()
    """What `docker build` is told beside the usual."""
    buildkit: bool = True
    compose: bool = True
    """Whether it is developed by its compose file, or as `develop` says."""
    run: tuple[str, ...] = ()
    """What `docker run` is told beside the usual."""
    develop: tuple[str, ...] = ()
    """The command that reloads, with the source mounted at `mounted`; without one, it is built and started anew."""
    mounted: str = ""
    builds: int = 0
    waited: list[float] = field(default_factory=list)
    """Milliseconds of each run of load, until they are asked for."""

    @property
    def image(self) -> str:
        """The image that it was built as last."""
        return self.engine.image(self.name)

    def edit(self, edits: Iterable[Edit]) -> "Subject":
        """Undo something about it, and have it carry the mark. Raises EditError."""
        for edit in edits:
            edit.apply(self.folder)
        dockerfile = self.folder / "Dockerfile"
        dockerfile.write_text(self.engine.marked(dockerfile.read_text()))
        if (compose := self.folder / "compose.yaml").exists():
            compose.write_text(compose.read_text().replace("target: dev", f"target: {self.engine.mark}-dev"))
        return self

    def build(self, *options: str, name: str = "", client: str = "") -> Build:
        """Build it as its image, or as the one of that name; with a folder for `client`, as somebody else."""
        options = (*self.options, *options)
        return self.engine.build(self.folder, name or self.name, *options, buildkit=self.buildkit, client=client)

    def build_cold(self, name: str = "") -> Build:
        """Build it with nothing reused but the image of Python: no layer, and nothing in a cache mount."""
        dockerfile = self.folder / "Dockerfile"
        dockerfile.write_text(self.engine.with_caches(dockerfile.read_text(), new=True))
        return self.build("--no-cache", name=name)

    def change_a_line(self) -> None:
        """Change one line of the app: a comment, which is another one each time."""
        self.builds += 1
        with (self.folder / APP).open("a") as file:
            file.write(f"# change {self.builds}\n")

    def drop_the_dependency(self) -> None:
        """Require what the project requires."""
        file = self.folder / REQUIREMENTS
        file.write_text(file.read_text().split("# one more\n")[0])

    def add_a_dependency(self) -> None:
        """Require one more package, small and without dependencies, in the version that the tests have it in."""
        self.builds += 1
        file = self.folder / REQUIREMENTS
        locked = (PROJECT / "requirements-dev.txt").read_text()
        block = locked[locked.index("iniconfig==") :]
        end = block.index("\n    # via")
        text = file.read_text().split("# one more\n")[0]
        # The comment makes it another file each time, or the builder would have it from the last round.
        file.write_text(f"{text}# one more\n# {os.getpid()} {self.builds}\n{block[:end]}\n")
