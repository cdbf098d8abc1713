"""Parse a Dockerfile into its stages: what each is built on, and its steps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from app.review import syntax
from app.review.dockerignore import Dockerignore
from app.review.image import OFFICIAL, Image
from app.review.stage import Stage, Step
from app.review.state import State
from app.review.syntax import DockerfileError, Instruction
from app.review.variables import expand

# No real Dockerfile reaches these limits. Each stage has its own copy of the variables.
MOST_STAGES = 100
MOST_VARIABLES = 1000

PYTHON_PROGRAM = re.compile(r"python|pypy|pip|poetry|pdm|uvicorn|gunicorn|uv$")
STAGE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*+")


@dataclass(frozen=True)
class Dockerfile:
    """A parsed Dockerfile and its `.dockerignore`, or None if that is unknown.

    `arguments` are the ARGs before the first FROM. The value of an ARG without a default is None.
    """

    stages: tuple[Stage, ...]
    arguments: Mapping[str, str | None]
    dockerignore: Dockerignore | None = None

    @classmethod
    def parse(cls, text: str, dockerignore: str | None = None) -> Dockerfile:
        """Parse both texts. `dockerignore` is "" if there is none, or None if that is unknown.

        Raises DockerfileError if the text is not a Dockerfile.
        """
        instructions = syntax.parse(text)
        starts = [at for at, instruction in enumerate(instructions) if instruction.keyword == "FROM"]
        before = instructions[: starts[0]] if starts else instructions
        for instruction in before:
            if instruction.keyword != "ARG":
                raise DockerfileError(instruction.line, f"{instruction.keyword} before the first FROM")
        if not starts:
            raise DockerfileError(before[-1].line if before else 1, "no FROM: a Dockerfile needs a base image")
        if len(starts) > MOST_STAGES:
            raise DockerfileError(instructions[starts[MOST_STAGES]].line, f"more than {MOST_STAGES} stages")
        arguments = _arguments(before)
        stages: list[Stage] = []
        named: dict[str, Stage] = {}
        for start, end in zip(starts, [*starts[1:], len(instructions)], strict=True):
            stage = _stage(instructions[start:end], arguments, stages, named)
            stages.append(stage)
            if stage.name:
                named[stage.name] = stage
        ignore = None if dockerignore is None else Dockerignore.parse(dockerignore)
        return cls(tuple(stages), arguments, ignore)

    @property
    def published(self) -> Stage:
        """The last stage, which `docker build` builds by default."""
        return self.stages[-1]

    @cached_property
    def is_python(self) -> bool:
        """Whether an image, an installation or a command may be about Python."""
        for stage in self.stages:
            if stage.image is None or stage.image.official not in OFFICIAL or "py" in str(stage.image):
                return True
            for step in stage.steps:
                commands = step.instruction.commands if step.instruction.keyword in {"CMD", "ENTRYPOINT", "RUN"} else []
                if step.installations or any(PYTHON_PROGRAM.match(command[0]) for command in commands):
                    return True
        return False

    @property
    def needed(self) -> set[int]:
        """The indexes of the stages that a build of the published stage runs, including that one."""
        needed: set[int] = set()
        waiting = [self.published]
        while waiting:
            stage = waiting.pop()
            if stage.index not in needed:
                needed.add(stage.index)
                waiting += [origin for origin in (stage.parent, *stage.origins.values()) if isinstance(origin, Stage)]
        return needed


def _arguments(instructions: Iterable[Instruction]) -> Mapping[str, str | None]:
    """Return the values of the ARGs before the first FROM. None means that the build must set it."""
    state = State.on(None)
    for instruction in instructions:
        state = state.after(instruction, {})
    return state.arguments


def _stage(
    instructions: list[Instruction],
    arguments: Mapping[str, str | None],
    earlier: list[Stage],
    named: Mapping[str, Stage],
) -> Stage:
    start = instructions[0]
    match start.words:
        case [base]:
            name = None
        case [base, keyword, name] if keyword.upper() == "AS":
            if not STAGE_NAME.fullmatch(name):
                raise DockerfileError(
                    start.line, "a stage name must begin with a letter and contain only letters, digits and - _ ."
                )
            name = name.lower()
        case _:
            raise DockerfileError(start.line, "FROM needs an image, or image AS name")
    resolved = expand(base, arguments) or None
    if resolved and resolved[-1] in "/:@":
        resolved = None  # not an image: the build must set an argument
    parent = named.get(resolved.lower()) if resolved else None
    origins: dict[str, Stage | Image] = {}
    for word in (word for instruction in instructions for word in instruction.origins):
        # A number is the index of an earlier stage, or else the name of an image.
        numbered = earlier[int(word)] if re.fullmatch(r"[0-9]{1,4}", word) and int(word) < len(earlier) else None
        if "$" not in word:  # BuildKit does not expand variables here
            origins[word] = named.get(word.lower()) or numbered or Image.parse(word)
    state = parent.state if parent else State.on(Image.parse(resolved) if resolved else None)
    steps = []
    for instruction in instructions:
        steps.append(Step(instruction, state, origins))
        state = state.after(instruction, arguments)
        if len(state.environment) + len(state.arguments) > MOST_VARIABLES:
            raise DockerfileError(instruction.line, f"more than {MOST_VARIABLES} variables")
    return Stage(len(earlier), name, resolved, parent, tuple(steps), origins, state)
