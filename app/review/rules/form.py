"""Rules about how commands are written: in the JSON form, in the shell's, and from one RUN to the next."""

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import pairwise

from app.review import shell
from app.review.dockerfile import Dockerfile
from app.review.edit import Edit, delete, rewrite
from app.review.rules.rule import Problem, Severity, rule
from app.review.stage import Stage, Step
from app.review.state import State
from app.review.syntax import Instruction

STARTS = frozenset({"CMD", "ENTRYPOINT"})
# A variable by its usual name, as the shell would fill it in.
VARIABLE = re.compile(r"\$(?:([A-Z_][A-Z0-9_]*+)|\{([A-Z_][A-Z0-9_]*+)(?:\}|:?[-+?]))")
# Commands that change nothing but the shell that runs them.
STATE = frozenset({".", "cd", "conda", "export", "source"})
SOURCE = re.compile(r"(?:^|[\n;&|]|\b(?:then|do)[ \t])[ \t]*+source\s")
QUOTED = re.compile(r""""(?:\\.|[^"\\])*+"|'[^']*+'|\\.""", re.DOTALL)


@rule(
    "not-json",
    Severity.ERROR,
    bad="""
FROM python:3.12-slim
CMD ['python', '-m', 'app']
""",
    good="""
FROM python:3.12-slim
CMD ["python", "-m", "app"]
""",
)
def not_json(dockerfile: Dockerfile) -> Iterator[Problem]:
    """A command looks like the JSON form and is not.

    JSON has double quotes, and no comma after the last word. A shell runs anything else, and looks for a program called
    `[python,`. In the JSON form each word is a string of its own: `["python -m app"]` is the name of one program.
    """
    for stage in dockerfile.stages:
        for step in stage.steps:
            instruction = step.instruction
            keyword = instruction.keyword
            if not instruction.mistaken:
                continue
            if not instruction.is_json:
                fix = f"{keyword} {json.dumps(instruction.mistaken)}"
                edits = rewrite(instruction, fix)
                message = "this is not JSON: a shell looks for a program called ["
                yield Problem(instruction, message, fix, edits=edits, safe=True)
            elif _is_program(stage, step):
                yield _in_one_string(instruction)


def _is_program(stage: Stage, step: Step) -> bool:
    """Return whether the first word of the instruction is a program: that of a CMD is not, after an ENTRYPOINT."""
    if stage.image and stage.image.is_windows:
        return False
    if step.instruction.keyword == "CMD":
        return not any(other.instruction.keyword == "ENTRYPOINT" for other in stage.history)
    return step.instruction.keyword in {"ENTRYPOINT", "RUN"}


def _in_one_string(instruction: Instruction) -> Problem:
    program = instruction.words[0]
    message = f"there is no program called {json.dumps(program, ensure_ascii=False)}: each word is a string of its own"
    if re.search(r"[\\\"'$;&|<>*?`()]", program):
        return Problem(instruction, message, 'each word on its own: ["program", "argument"]')
    fix = f"{instruction.keyword} {json.dumps(instruction.mistaken)}"
    edits = rewrite(instruction, fix)
    return Problem(instruction, message, fix, edits=edits, safe=True)


@rule(
    "exec-form-variable",
    Severity.ERROR,
    bad="""
FROM python:3.12-slim
ENV PORT=8000
CMD ["gunicorn", "--bind", "0.0.0.0:$PORT", "app:app"]
""",
    good="""
FROM python:3.12-slim
ENV PORT=8000
CMD ["sh", "-c", "exec gunicorn --bind 0.0.0.0:$PORT app:app"]
""",
)
def exec_form_variable(dockerfile: Dockerfile) -> Iterator[Problem]:
    """A variable stands in the JSON form, where nothing fills it in.

    Without a shell, the program gets the text `$PORT` as it is. Let a shell fill it in, and `exec` give the shell's
    place to the service.
    """
    stage = dockerfile.published
    if stage.image and stage.image.is_windows:
        return
    steps = stage.start_steps
    words = [word for step in steps if step.instruction.is_json for word in step.instruction.words]
    if not _may_expand(words):
        for step in steps:
            if step.instruction.is_json and (names := _variables(step.instruction.words)):
                yield _unfilled(step, names, stage.state, len(steps) == 1)
    checks = [step for step in stage.history if step.instruction.keyword == "HEALTHCHECK"]
    runs = [step for each in dockerfile.stages for step in each.steps if step.instruction.keyword == "RUN"]
    for step in [*runs, *checks[-1:]]:
        json_words = step.instruction.json_words or ()
        if not _may_expand(json_words) and (names := _variables(json_words)):
            yield Problem(
                step.instruction,
                f"nothing fills in ${names[0]}: the JSON form has no shell",
                f"{step.instruction.keyword} in the shell form, without brackets",
            )


def _variables(words: Sequence[str]) -> list[str]:
    """Return the variables in the words, but for those in a program's text: `python -c …`."""
    plain = [word for before, word in pairwise(["", *words]) if before not in {"-c", "-e"}]
    return [match[1] or match[2] for word in plain for match in VARIABLE.finditer(word)]


def _may_expand(words: Sequence[str]) -> bool:
    """Return whether a shell, or a script, may fill the variables in."""
    programs = {word.rpartition("/")[2] for word in words}
    if not shell.SHELLS.isdisjoint(programs) or any(name.endswith(".sh") or "entrypoint" in name for name in programs):
        return True
    return bool(words) and "/" in words[0] and not re.search(r"/s?bin/[^/]+$", words[0])


def _unfilled(step: Step, names: list[str], state: State, is_alone: bool) -> Problem:
    instruction = step.instruction
    message = f"nothing fills in ${names[0]}: the JSON form has no shell"
    if any(name in state.arguments and name not in state.environment for name in names):
        fix = f"ENV {names[0]}=${names[0]}, since no ARG is there at run time, and a shell that fills it in"
        return Problem(instruction, message, fix)
    script = "exec " + " ".join(map(_quoted, instruction.words))
    fix = f"{instruction.keyword} {json.dumps(['sh', '-c', script])}"
    edits = rewrite(instruction, fix) if is_alone else ()
    return Problem(instruction, message, fix, edits=edits, safe=True)


def _quoted(word: str) -> str:
    """Return the word as a shell needs it for the same meaning, but for its variables, which it fills in."""
    if not VARIABLE.search(word):
        return shlex.quote(word)
    return word if re.fullmatch(r"[\w./:=,@%+${}-]+", word) else '"' + re.sub(r'["\\`]', r"\\\g<0>", word) + '"'


@rule(
    "overridden",
    Severity.WARNING,
    bad="""
FROM python:3.12-slim
CMD ["python", "manage.py", "migrate"]
CMD ["gunicorn", "--bind", "0.0.0.0:8000", "app:app"]
""",
    good="""
FROM python:3.12-slim
CMD ["gunicorn", "--bind", "0.0.0.0:8000", "app:app"]
""",
)
def overridden(dockerfile: Dockerfile) -> Iterator[Problem]:
    """A command is replaced by a later one of the same stage.

    A container has one CMD, one ENTRYPOINT and one HEALTHCHECK: only the last of each counts. What should run first
    belongs into the same command, or is a step of the deployment.
    """
    for stage in dockerfile.stages:
        for keyword in ("CMD", "ENTRYPOINT", "HEALTHCHECK"):
            found = [step.instruction for step in stage.steps if step.instruction.keyword == keyword]
            for instruction in found[:-1]:
                yield Problem(
                    instruction,
                    f"this {keyword} does nothing: the one in line {found[-1].line} replaces it",
                    f"without this {keyword}",
                    edits=delete(instruction),
                    safe=True,
                )


@rule(
    "lost-between-runs",
    Severity.WARNING,
    bad="""
FROM python:3.12-slim
RUN python -m venv /opt/venv
RUN . /opt/venv/bin/activate
RUN --mount=type=cache,target=/root/.cache/pip pip install fastapi
""",
    good="""
FROM python:3.12-slim
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
RUN --mount=type=cache,target=/root/.cache/pip pip install fastapi
""",
)
def lost_between_runs(dockerfile: Dockerfile) -> Iterator[Problem]:
    """What a RUN changes in its shell is lost when it ends.

    Each RUN is a shell of its own, and so is the start command: an activated environment, another folder, an exported
    variable end with it. ENV and WORKDIR last.
    """
    for stage in dockerfile.stages:
        for step in stage.steps:
            commands = step.commands
            if not commands or step.instruction.is_json or step.instruction.heredocs or commands[-1][0] not in STATE:
                continue
            if re.search(r"[|(){}]|\b(?:if|for|while|case)\b", step.instruction.value):
                continue  # the last command by its place need not be the last one that runs
            program, *words = commands[-1]
            fix = _lasting(program, words)
            if fix is None:
                continue
            edits: tuple[Edit, ...] = ()
            if len(commands) == 1 and not re.search(r"[;&|<>`]|\$\(", step.instruction.value) and "<" not in fix:
                edits = rewrite(step.instruction, fix)
            message = f"`{' '.join([program, *words[:1]])}` ends with this RUN: the next one has a new shell"
            yield Problem(step.instruction, message, fix, edits=edits)


def _lasting(program: str, words: list[str]) -> str | None:
    """Return the instruction that does for good what a command does for its shell; None if it is not known."""
    if not words or words[0].startswith("-"):
        return None
    if program == "conda":
        return f"`conda run -n {words[1]} …` in each RUN" if words[0] == "activate" and len(words) > 1 else None
    if program == "cd":
        return f"WORKDIR {words[0]}"
    if program == "export":
        return f"ENV {' '.join(words)}" if all(re.fullmatch(r"\w+=[^\s]*", word) for word in words) else None
    folder, slash, name = words[0].rpartition("/")
    if name == "activate" and slash:
        return f"ENV PATH={folder}:$PATH"
    return "ENV with what that file sets"


@rule(
    "source-in-sh",
    Severity.ERROR,
    bad="""
FROM python:3.12-slim
RUN source /etc/os-release && echo "$VERSION"
""",
    good="""
FROM python:3.12-slim
RUN . /etc/os-release && echo "$VERSION"
""",
)
def source_in_sh(dockerfile: Dockerfile) -> Iterator[Problem]:
    """`source` is called in a shell that does not have it.

    RUN starts `sh`, which is dash on Debian: the build ends with "source: not found". A dot does the same in every
    shell.
    """
    for stage in dockerfile.stages:
        if not (stage.image and stage.image.is_debian):
            continue
        for step in stage.steps:
            instruction = step.instruction
            if instruction.keyword != "RUN" or instruction.is_json or (step.state.shell or "sh") not in {"sh", "dash"}:
                continue
            text = QUOTED.sub("''", instruction.value)
            lost = step.commands and step.commands[-1][0] == "source"
            if SOURCE.search(text) and "||" not in text and not lost:
                yield Problem(
                    instruction,
                    "sh, which is dash on Debian, has no `source`",
                    "a dot: `. file`",
                    edits=_dotted(instruction),
                    safe=True,
                )


def _dotted(instruction: Instruction) -> tuple[Edit, ...]:
    edits: list[Edit] = []
    for number, line in enumerate(instruction.source, start=instruction.line):
        for match in re.finditer(r"(?:(?<=[;&|])|(?<=\bRUN)|^)\s*+(source)(?=\s)", line):
            edits.append(Edit(number, match.start(1) + 1, number, match.end(1) + 1, "."))
    return tuple(edits)
