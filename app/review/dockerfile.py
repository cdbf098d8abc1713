"""A Dockerfile as its stages: what each is built from, and what its image is made by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from app.review import syntax
from app.review.dockerignore import Dockerignore
from app.review.image import Image
from app.review.syntax import DockerfileError, Instruction
from app.review.variables import expand

STAGE_NAME = re.compile(r"[a-z][a-z0-9_.-]*+", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Stage:
    """The instructions from one FROM to the next.

    `base` is what FROM names, its variables filled in; None where a build argument without a default
    decides. `parent` is the earlier stage of that name, None for an image from outside. `origins` are the
    stages and outside images that its instructions take files from, by the word that they name them with.
    """

    index: int
    name: str | None
    base: str | None
    parent: Stage | None = field(repr=False)
    instructions: tuple[Instruction, ...] = field(repr=False)
    origins: Mapping[str, Stage | Image] = field(repr=False)

    @property
    def start(self) -> Instruction:
        """The FROM instruction."""
        return self.instructions[0]

    @property
    def label(self) -> str:
        """What `COPY --from` can call the stage: its name, or its number."""
        return self.name or str(self.index)

    @property
    def lineage(self) -> tuple[Stage, ...]:
        """The stages that make up this one: that on an outside image first, this one last."""
        stages = [self]
        while parent := stages[-1].parent:
            stages.append(parent)
        return tuple(reversed(stages))

    @property
    def image(self) -> Image | None:
        """The outside image at the root of the lineage, None where it cannot be known."""
        base = self.lineage[0].base
        return None if base is None else Image.parse(base)

    @property
    def history(self) -> Iterator[Instruction]:
        """Every instruction that made this stage's image, inherited ones first."""
        return (instruction for stage in self.lineage for instruction in stage.instructions)


@dataclass(frozen=True)
class Dockerfile:
    """A parsed Dockerfile, and the `.dockerignore` beside it: None where nothing is told of one.

    `arguments` are the ARGs before the first FROM, None for one without a default.
    """

    stages: tuple[Stage, ...]
    arguments: Mapping[str, str | None]
    dockerignore: Dockerignore | None = None

    @classmethod
    def parse(cls, text: str, dockerignore: str | None = None) -> Dockerfile:
        """Both texts, parsed. `dockerignore` is "" where there is none, None where that is not known.

        Raises DockerfileError, with its line, where the text is no Dockerfile.
        """
        instructions = syntax.parse(text)
        starts = [at for at, instruction in enumerate(instructions) if instruction.keyword == "FROM"]
        before = instructions[: starts[0]] if starts else instructions
        for instruction in before:
            if instruction.keyword != "ARG":
                raise DockerfileError(instruction.line, f"{instruction.keyword} before the first FROM")
        if not starts:
            raise DockerfileError(before[-1].line if before else 1, "no FROM: a Dockerfile needs a base image")
        arguments = environment(before)
        stages: list[Stage] = []
        named: dict[str, Stage] = {}
        for start, end in zip(starts, [*starts[1:], len(instructions)], strict=True):
            stage = _stage(stages, tuple(instructions[start:end]), arguments, named)
            stages.append(stage)
            if stage.name:
                named[stage.name] = stage
        ignore = None if dockerignore is None else Dockerignore.parse(dockerignore)
        return cls(tuple(stages), arguments, ignore)

    @property
    def published(self) -> Stage:
        """The stage that `docker build` gives when none is named: the last one."""
        return self.stages[-1]

    @property
    def needed(self) -> set[int]:
        """The stages, by index, that the published one is made of, itself among them: what a build runs."""
        needed: set[int] = set()
        waiting = [self.published]
        while waiting:
            stage = waiting.pop()
            if stage.index not in needed:
                needed.add(stage.index)
                waiting += [origin for origin in (stage.parent, *stage.origins.values()) if isinstance(origin, Stage)]
        return needed


def environment(
    instructions: Iterable[Instruction], arguments: Mapping[str, str | None] | None = None
) -> dict[str, str | None]:
    """The variables that the ARGs and ENVs among the instructions set, in order; None: not known.

    `arguments` are those before the first FROM: an ARG without a default takes its value from there.
    """
    variables: dict[str, str | None] = {}
    for instruction in instructions:
        if instruction.keyword in {"ARG", "ENV"}:
            for name, value in instruction.assignments:
                if value is not None:
                    variables[name] = expand(value, variables)
                else:
                    variables[name] = (arguments or {}).get(name)
    return variables


def _stage(
    earlier: list[Stage],
    instructions: tuple[Instruction, ...],
    arguments: Mapping[str, str | None],
    named: Mapping[str, Stage],
) -> Stage:
    start = instructions[0]
    match start.words:
        case [base]:
            name = None
        case [base, keyword, name] if keyword.upper() == "AS":
            if not STAGE_NAME.fullmatch(name):
                raise DockerfileError(start.line, "a stage's name is a letter, then letters, digits, - _ .")
            name = name.lower()
        case _:
            raise DockerfileError(start.line, "FROM takes an image, or an image AS a name")
    resolved = expand(base, arguments)
    parent = named.get(resolved.lower()) if resolved else None
    origins: dict[str, Stage | Image] = {}
    for word in (word for instruction in instructions for word in instruction.origins):
        # A number is a stage's, as long as it is an earlier one's.
        numbered = earlier[int(word)] if re.fullmatch(r"\d{1,4}", word) and int(word) < len(earlier) else None
        if "$" not in word:  # which BuildKit takes in no such place
            origins[word] = named.get(word.lower()) or numbered or Image.parse(word)
    return Stage(len(earlier), name, resolved or None, parent, instructions, origins)
