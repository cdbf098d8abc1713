"""A stage of a Dockerfile: the steps that build its image, each with the state in which it runs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property

from app.review.dockerignore import Dockerignore
from app.review.image import Image
from app.review.installation import INSTALLERS, Installation, installation
from app.review.state import State
from app.review.syntax import Instruction

# Look at this many paths that a COPY takes from a stage. In practice, no COPY has more.
MOST_SOURCES = 50


@dataclass(frozen=True, eq=False)
class Step:
    """An instruction in its stage, with the state in which it runs, and the stages and images that it copies from."""

    instruction: Instruction
    state: State
    origins: Mapping[str, Stage | Image] = field(repr=False)

    @property
    def origin(self) -> Stage | Image | None:
        """The stage or image that a COPY copies from, or None for the build context or if it is unknown."""
        return self.origins.get(self.instruction.flag("from") or "")

    @cached_property
    def context_sources(self) -> list[str]:
        """The paths that a COPY or ADD copies from the build context, relative to it. "." is all of it."""
        if self.instruction.keyword not in {"ADD", "COPY"} or self.instruction.flag("from"):
            return []
        sources = [word for word in self.instruction.words[:-1] if not re.match(r"\w+://|git@|<<", word)]
        return [posixpath.normpath("./" + source.lstrip("/")) for source in sources]

    @cached_property
    def copies_everything(self) -> bool:
        """Whether a COPY or ADD copies the whole build context."""
        return not {".", "*", "**"}.isdisjoint(self.context_sources)

    def excluded(self, paths: Iterable[str]) -> set[str]:
        """Return those of the paths that its `--exclude` flags exclude."""
        flags = "\n".join(value for name, value in self.instruction.flags if name == "exclude")
        return Dockerignore.parse(flags).excluded(paths) if flags else set()

    @cached_property
    def takes_installers(self) -> bool:
        """Whether a COPY copies only installers: `COPY --from=ghcr.io/astral-sh/uv /uv /bin/`."""
        programs = INSTALLERS - {"build", "wheel"}  # these are usually folders
        return programs.issuperset(map(posixpath.basename, self.instruction.words[:-1]))

    @cached_property
    def destination(self) -> str | None:
        """The absolute path that a COPY or ADD writes to, or None for other instructions or if it is unknown."""
        if self.instruction.keyword not in {"ADD", "COPY"}:
            return None
        return self.state.path(self.instruction.words[-1])

    @cached_property
    def targets(self) -> list[tuple[str, str]]:
        """The absolute paths that a COPY takes from a stage, each with its destination."""
        *sources, last = self.instruction.words
        inside = last.endswith("/") and len(sources) > 1
        target = self.destination or "/"
        paths = []
        for source in sources[:MOST_SOURCES]:
            path = posixpath.normpath(f"/{self.state.expand(source) or source}".replace("//", "/"))
            paths.append((path, posixpath.join(target, posixpath.basename(path)) if inside else target))
        return paths

    @cached_property
    def text(self) -> str:
        """The text of the instruction, including its heredocs."""
        return "\n".join([self.instruction.value, *(heredoc.content for heredoc in self.instruction.heredocs)])

    @cached_property
    def names(self) -> Set[str]:
        """The words in its text that can be names of variables."""
        return frozenset(re.findall(r"\w++", self.text))

    @cached_property
    def tokens(self) -> Set[str]:
        """The words and paths in its text, without quotes and other characters."""
        return frozenset(re.findall(r"[\w./-]++", self.text))

    @cached_property
    def sets(self) -> Set[str]:
        """The names that an ENV sets. Empty for other instructions."""
        return {name for name, _ in self.instruction.assignments} if self.instruction.keyword == "ENV" else frozenset()

    @property
    def commands(self) -> list[tuple[str, ...]]:
        """The simple commands of a RUN. Empty for other instructions."""
        return self.instruction.commands if self.instruction.keyword == "RUN" else []

    @property
    def all_commands(self) -> list[tuple[str, ...]]:
        """The simple commands of a RUN, a start command or a health check. Empty for other instructions."""
        if self.instruction.keyword == "HEALTHCHECK":
            return self.instruction.check
        return self.instruction.commands if self.instruction.keyword in {"CMD", "ENTRYPOINT", "RUN"} else []

    @cached_property
    def installed(self) -> list[Installation | None]:
        """For each of its commands, the installation of Python packages, or None."""
        return list(map(installation, self.commands))

    @cached_property
    def installations(self) -> list[Installation]:
        """The commands of a RUN that install Python packages, in order."""
        return [item for item in self.installed if item]


@dataclass(frozen=True, eq=False)
class Stage:
    """The instructions from one FROM to the next.

    `base` is what FROM names, with its variables expanded, or None if it depends on a build argument without a default.
    `parent` is the earlier stage of that name, or None for an external image. `origins` are the stages and external
    images that its steps copy from, by the word that names them. `state` is the state after the last step.
    """

    index: int
    name: str | None
    base: str | None
    parent: Stage | None = field(repr=False)
    steps: tuple[Step, ...] = field(repr=False)
    origins: Mapping[str, Stage | Image] = field(repr=False)
    state: State = field(repr=False)

    @property
    def start(self) -> Instruction:
        """The FROM instruction."""
        return self.steps[0].instruction

    @property
    def label(self) -> str:
        """The name of the stage, or else its number, as in `COPY --from`."""
        return self.name or str(self.index)

    @cached_property
    def lineage(self) -> tuple[Stage, ...]:
        """The stages that this one is built on, beginning with the one on an external image, and this one."""
        stages = [self]
        while parent := stages[-1].parent:
            stages.append(parent)
        return tuple(reversed(stages))

    @cached_property
    def image(self) -> Image | None:
        """The external image that the lineage begins with, or None if it is unknown."""
        base = self.lineage[0].base
        return None if base is None else Image.parse(base)

    @cached_property
    def history(self) -> tuple[Step, ...]:
        """Every step that built the image of this stage, inherited ones first."""
        return tuple(step for stage in self.lineage for step in stage.steps)

    @cached_property
    def start_steps(self) -> list[Step]:
        """The ENTRYPOINT and the CMD that start its container, if there are any."""
        entrypoint = command = None
        for stage in self.lineage:
            inherited = True
            for step in stage.steps:
                if step.instruction.keyword == "CMD":
                    command, inherited = step, False
                elif step.instruction.keyword == "ENTRYPOINT":
                    # It resets an inherited CMD, which was for another program.
                    entrypoint, command = step, None if inherited else command
        return [step for step in (entrypoint, command) if step and step.instruction.words]
