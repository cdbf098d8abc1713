"""Rules about how commands are written: in the JSON form, in the shell form, and across several RUN."""

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import pairwise

from app.review import shell
from app.review.dockerfile import Dockerfile
from app.review.edit import MOST_PLACES, Edit, delete, rewrite
from app.review.rules.rule import Problem, Severity, rule
from app.review.stage import Step
from app.review.state import State
from app.review.syntax import Instruction

STARTS = frozenset({"CMD", "ENTRYPOINT"})
# A variable with a usual name, as a shell would expand it.
VARIABLE = re.compile(r"\$(?:([A-Z_][A-Z0-9_]*+)|\{([A-Z_][A-Z0-9_]*+)(?:\}|:?[-+?]))")
# Commands that change only the shell that runs them.
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
    """A command in the JSON form is malformed.

    JSON needs double quotes, and no comma after the last word. A shell runs anything else, and looks for a program
    called `[python,`. In the JSON form, each word must be a separate string: `["python -m app"]` is the name of one
    program.
    """
    for stage in dockerfile.stages:
        has_entrypoint = any(step.instruction.keyword == "ENTRYPOINT" for step in stage.history)
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
            elif not (stage.image and stage.image.is_windows) and not (keyword == "CMD" and has_entrypoint):
                # The first word is a program, except that of a CMD after an ENTRYPOINT.
                yield _in_one_string(instruction)


def _in_one_string(instruction: Instruction) -> Problem:
    program = instruction.words[0]
    message = f"{json.dumps(program, ensure_ascii=False)} is not a program: each word must be a separate string"
    if re.search(r"[\\\"'$;&|<>*?`()]", program):
        return Problem(instruction, message, 'a string for each word: ["program", "argument"]')
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
    """A variable in the JSON form is not expanded.

    Without a shell, the program gets the text `$PORT` itself. Let a shell expand it, and use `exec` so that the service
    replaces the shell.
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
                f"${names[0]} is not expanded: the JSON form starts no shell",
                f"{step.instruction.keyword} in the shell form, without brackets",
            )


def _variables(words: Sequence[str]) -> list[str]:
    """Return the variables in the words, except those in code: `python -c …`."""
    plain = [word for before, word in pairwise(["", *words]) if before not in {"-c", "-e"}]
    return [match[1] or match[2] for word in plain for match in VARIABLE.finditer(word)]


def _may_expand(words: Sequence[str]) -> bool:
    """Return whether a shell or a script may expand the variables."""
    programs = {word.rpartition("/")[2] for word in words}
    if not shell.SHELLS.isdisjoint(programs) or any(name.endswith(".sh") or "entrypoint" in name for name in programs):
        return True
    return bool(words) and "/" in words[0] and not re.search(r"/s?bin/[^/]+$", words[0])


def _unfilled(step: Step, names: list[str], state: State, is_alone: bool) -> Problem:
    instruction = step.instruction
    message = f"${names[0]} is not expanded: the JSON form starts no shell"
    if any(name in state.arguments and name not in state.environment for name in names):
        fix = f"ENV {names[0]}=${names[0]}, because an ARG is not set at run time, and a shell that expands it"
        return Problem(instruction, message, fix)
    script = "exec " + " ".join(map(_quoted, instruction.words))
    fix = f"{instruction.keyword} {json.dumps(['sh', '-c', script])}"
    edits = rewrite(instruction, fix) if is_alone else ()
    return Problem(instruction, message, fix, edits=edits, safe=True)


def _quoted(word: str) -> str:
    """Return the word quoted for a shell, which then expands only its variables."""
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
    """A command is overridden by a later one in the same stage.

    A container has one CMD, one ENTRYPOINT and one HEALTHCHECK: the last of each. To run something first, make it part
    of the same command, or a step of the deployment.
    """
    for stage in dockerfile.stages:
        for keyword in ("CMD", "ENTRYPOINT", "HEALTHCHECK"):
            found = [step.instruction for step in stage.steps if step.instruction.keyword == keyword]
            for instruction in found[:-1]:
                yield Problem(
                    instruction,
                    f"this {keyword} has no effect: the one in line {found[-1].line} overrides it",
                    f"remove this {keyword}",
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
    """What a RUN changes in its shell is lost when the RUN ends.

    Each RUN starts a new shell, and so does the start command. An activated environment, another working directory or
    an exported variable is lost. ENV and WORKDIR persist.
    """
    for stage in dockerfile.stages:
        for step in stage.steps:
            commands = step.commands
            if not commands or step.instruction.is_json or step.instruction.heredocs or commands[-1][0] not in STATE:
                continue
            if re.search(r"[|(){}]|\b(?:if|for|while|case)\b", step.instruction.value):
                continue  # the last command may not be the one that runs last
            program, *words = commands[-1]
            fix = _lasting(program, words)
            if fix is None:
                continue
            edits: tuple[Edit, ...] = ()
            if len(commands) == 1 and not re.search(r"[;&|<>`]|\$\(", step.instruction.value) and "<" not in fix:
                edits = rewrite(step.instruction, fix)
            message = f"`{' '.join([program, *words[:1]])}` has no effect after this RUN: the next starts a new shell"
            yield Problem(step.instruction, message, fix, edits=edits)


def _lasting(program: str, words: list[str]) -> str | None:
    """Return the instruction with the lasting effect of a command, or None if it is unknown."""
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
    return "ENV with the variables that the file sets"


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
    """`source` is used in a shell that does not support it.

    RUN starts `sh`, which is dash on Debian, so the build fails with "source: not found". A dot does the same in every
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
                    "sh is dash on Debian and does not support `source`",
                    "use a dot: `. file`",
                    edits=_dotted(instruction),
                    safe=True,
                )


def _dotted(instruction: Instruction) -> tuple[Edit, ...]:
    # A heredoc may be a file where the word has another meaning.
    if instruction.heredocs:
        return ()
    edits: list[Edit] = []
    for number, line in enumerate(instruction.source, start=instruction.line):
        for match in re.finditer(r"(?:(?<=[;&|])|(?<=\bRUN)|^)\s*+(source)(?=\s)", line):
            edits.append(Edit(number, match.start(1) + 1, number, match.end(1) + 1, "."))
    return tuple(edits) if len(edits) <= MOST_PLACES else ()
