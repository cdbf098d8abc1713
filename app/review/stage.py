"""A stage of a Dockerfile: the steps that make its image, each with what holds when it runs."""

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


@dataclass(frozen=True, eq=False)
class Step:
    """An instruction in its stage: what holds when it runs, and what it takes from where."""

    instruction: Instruction
    state: State
    origins: Mapping[str, Stage | Image] = field(repr=False)

    @property
    def origin(self) -> Stage | Image | None:
        """Where a COPY takes its files from; None for the build context, or where that is not known."""
        return self.origins.get(self.instruction.flag("from") or "")

    @cached_property
    def context_sources(self) -> list[str]:
        """The paths, relative to the build context, that a COPY or ADD takes from it; "." is all of it."""
        if self.instruction.keyword not in {"ADD", "COPY"} or self.instruction.flag("from"):
            return []
        sources = [word for word in self.instruction.words[:-1] if not re.match(r"\w+://|git@|<<", word)]
        return [posixpath.normpath("./" + source.lstrip("/")) for source in sources]

    @cached_property
    def copies_everything(self) -> bool:
        """Whether a COPY or ADD takes the whole build context."""
        return not {".", "*", "**"}.isdisjoint(self.context_sources)

    def excluded(self, paths: Iterable[str]) -> set[str]:
        """Return those of the paths that its `--exclude` names."""
        flags = "\n".join(value for name, value in self.instruction.flags if name == "exclude")
        return Dockerignore.parse(flags).excluded(paths) if flags else set()

    @cached_property
    def takes_installers(self) -> bool:
        """Whether a COPY takes nothing but installers: `COPY --from=ghcr.io/astral-sh/uv /uv /bin/`."""
        programs = INSTALLERS - {"build", "wheel"}  # which are folders more often
        return programs.issuperset(map(posixpath.basename, self.instruction.words[:-1]))

    @cached_property
    def destination(self) -> str | None:
        """The absolute path that a COPY or ADD writes to; None for another instruction, or where it is not known."""
        if self.instruction.keyword not in {"ADD", "COPY"}:
            return None
        return self.state.path(self.instruction.words[-1])

    @cached_property
    def text(self) -> str:
        """What the instruction says, the heredocs included."""
        return "\n".join([self.instruction.value, *(heredoc.content for heredoc in self.instruction.heredocs)])

    @cached_property
    def names(self) -> Set[str]:
        """What can be the name of a variable in what it says."""
        return frozenset(re.findall(r"\w++", self.text))

    @cached_property
    def tokens(self) -> Set[str]:
        """Return the words and paths in what it says, without quotes and signs."""
        return frozenset(re.findall(r"[\w./-]++", self.text))

    @cached_property
    def sets(self) -> Set[str]:
        """Return the names that an ENV sets; none for another instruction."""
        return {name for name, _ in self.instruction.assignments} if self.instruction.keyword == "ENV" else frozenset()

    @property
    def commands(self) -> list[tuple[str, ...]]:
        """The simple commands of a RUN; none for another instruction."""
        return self.instruction.commands if self.instruction.keyword == "RUN" else []

    @property
    def all_commands(self) -> list[tuple[str, ...]]:
        """Return the simple commands of a RUN, a start command or a health check; none for another instruction."""
        if self.instruction.keyword == "HEALTHCHECK":
            return self.instruction.check
        return self.instruction.commands if self.instruction.keyword in {"CMD", "ENTRYPOINT", "RUN"} else []

    @cached_property
    def installed(self) -> list[Installation | None]:
        """For each of its commands, what it is as an installation of Python packages."""
        return list(map(installation, self.commands))

    @cached_property
    def installations(self) -> list[Installation]:
        """The commands of a RUN that install Python packages, in order."""
        return [item for item in self.installed if item]


@dataclass(frozen=True, eq=False)
class Stage:
    """The instructions from one FROM to the next.

    `base` is what FROM names, its variables filled in; None where a build argument without a default
    decides. `parent` is the earlier stage of that name, None for an image from outside. `origins` are the
    stages and outside images that its steps take files from, by the word that they name them with. `state` is
    what the last step leaves.
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
        """What `COPY --from` can call the stage: its name, or its number."""
        return self.name or str(self.index)

    @cached_property
    def lineage(self) -> tuple[Stage, ...]:
        """The stages that make up this one: that on an outside image first, this one last."""
        stages = [self]
        while parent := stages[-1].parent:
            stages.append(parent)
        return tuple(reversed(stages))

    @cached_property
    def image(self) -> Image | None:
        """The outside image at the root of the lineage, None where it cannot be known."""
        base = self.lineage[0].base
        return None if base is None else Image.parse(base)

    @cached_property
    def history(self) -> tuple[Step, ...]:
        """Every step that made this stage's image, inherited ones first."""
        return tuple(step for stage in self.lineage for step in stage.steps)

    @cached_property
    def start_steps(self) -> list[Step]:
        """The ENTRYPOINT and the CMD that start its container, as far as there are any."""
        entrypoint = command = None
        for stage in self.lineage:
            inherited = True
            for step in stage.steps:
                if step.instruction.keyword == "CMD":
                    command, inherited = step, False
                elif step.instruction.keyword == "ENTRYPOINT":
                    # It takes back an inherited CMD, which was for another program.
                    entrypoint, command = step, None if inherited else command
        return [step for step in (entrypoint, command) if step and step.instruction.words]
