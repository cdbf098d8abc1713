"""A Dockerfile as its stages: text in, what each stage is built from and made by out."""

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

# Far above what anybody writes: each stage has variables of its own, and so do the stages based on it.
MOST_STAGES = 100
MOST_VARIABLES = 1000

PYTHON_PROGRAM = re.compile(r"python|pypy|pip|poetry|pdm|uvicorn|gunicorn|uv$")
STAGE_NAME = re.compile(r"[a-z][a-z0-9_.-]*+", re.IGNORECASE)


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
        """The stage that `docker build` gives when none is named: the last one."""
        return self.stages[-1]

    @cached_property
    def is_python(self) -> bool:
        """Return whether it may be about Python: by an image, an installation, or a command."""
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
        """The stages, by index, that the published one is made of, itself among them: what a build runs."""
        needed: set[int] = set()
        waiting = [self.published]
        while waiting:
            stage = waiting.pop()
            if stage.index not in needed:
                needed.add(stage.index)
                waiting += [origin for origin in (stage.parent, *stage.origins.values()) if isinstance(origin, Stage)]
        return needed


def _arguments(instructions: Iterable[Instruction]) -> Mapping[str, str | None]:
    """Return the values of the ARGs before the first FROM. None means that a build must set it."""
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
                raise DockerfileError(start.line, "a stage's name is a letter, then letters, digits, - _ .")
            name = name.lower()
        case _:
            raise DockerfileError(start.line, "FROM takes an image, or an image AS a name")
    resolved = expand(base, arguments) or None
    if resolved and resolved[-1] in "/:@":
        resolved = None  # no image: an argument without a value, which a build has to give
    parent = named.get(resolved.lower()) if resolved else None
    origins: dict[str, Stage | Image] = {}
    for word in (word for instruction in instructions for word in instruction.origins):
        # A number is a stage's, as long as it is an earlier one's.
        numbered = earlier[int(word)] if re.fullmatch(r"[0-9]{1,4}", word) and int(word) < len(earlier) else None
        if "$" not in word:  # which BuildKit takes in no such place
            origins[word] = named.get(word.lower()) or numbered or Image.parse(word)
    state = parent.state if parent else State.on(Image.parse(resolved) if resolved else None)
    steps = []
    for instruction in instructions:
        steps.append(Step(instruction, state, origins))
        state = state.after(instruction, arguments)
        if len(state.environment) + len(state.arguments) > MOST_VARIABLES:
            raise DockerfileError(instruction.line, f"more than {MOST_VARIABLES} variables: no Dockerfile has those")
    return Stage(len(earlier), name, resolved, parent, tuple(steps), origins, state)
