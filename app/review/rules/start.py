"""Rules about the process that the container starts, and the question whether it is well."""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import dropwhile, pairwise

from app.review import shell
from app.review.dockerfile import Dockerfile
from app.review.rules.rule import Problem, Severity, rule
from app.review.stage import Stage, Step
from app.review.syntax import Instruction, json_array
from app.review.system import lacks

# Programs written in Python that services are started with. Celery and Dramatiq write what is printed to their logs.
PYTHON = re.compile(
    r"(?:python|pypy)[\d.]*|arq|daphne|django-admin|fastapi|flask|gunicorn|huey_consumer(?:\.py)?|hypercorn|rq|streamlit"
    r"|taskiq|uvicorn|waitress-serve"
)
# Process 1 in front of another program, whose arguments that program is; and tools that `run` one.
INITS = frozenset({"catatonit", "dumb-init", "tini"})
RUNNERS = frozenset({"pdm", "pipenv", "poetry", "uv"})
# What a health check asks.
ADDRESS = re.compile(r"(?:http://)?((?:localhost|127\.0\.0\.1|0\.0\.0\.0)[^\s'\"]*)")
# A word of a stage's name by which it is no stage to publish.
DEVELOPMENT_STAGE = re.compile(r"(?:^|[-_.])(?:ci|debug|dev|devel|development|lint|test|testing|tests)(?![^-_.])")
# What may put a program in the shell's place: `exec` or `trap`, as the first word of a command but for assignments. A
# bracket within a word begins no command.
REPLACED = re.compile(
    r"(?:^|[\n;&|]|(?<![^\s;&|({])(?:[({]|(?:then|else|do)\b))[ \t]*+(?:\w++=[^\s;&|]*+[ \t]++)*+(?:exec|trap)\b"
)


def start_commands(stage: Stage) -> list[tuple[str, ...]]:
    """The commands that start the stage's container, as far as they can be read."""
    steps = stage.start_steps
    if len(steps) == 2 and steps[0].instruction.is_json and steps[1].instruction.is_json:
        words = [*steps[0].instruction.words, *steps[1].instruction.words]
        return _inside(shell.unwrapped(words))
    return _inside([command for step in steps for command in step.instruction.commands])


def _inside(commands: Sequence[tuple[str, ...]], deepest: int = 3) -> list[tuple[str, ...]]:
    """The commands, with what an init or a runner is given in its place."""
    found = []
    for name, *words in commands:
        runs = name in RUNNERS and words[:1] == ["run"]
        if deepest and (name in INITS or runs):
            given = list(dropwhile(lambda word: word.startswith("-"), words[runs:]))
            found += _inside(shell.unwrapped(given), deepest - 1)
        else:
            found.append((name, *words))
    return found


@rule(
    "buffered-output",
    Severity.INFO,
    bad="""
FROM python:3.12-slim AS base
ENV PYTHONUNBUFFERED=1

FROM python:3.12-slim
WORKDIR /app
COPY app app
CMD ["python", "-m", "app"]
""",
    good="""
FROM python:3.12-slim
ENV PYTHONUNBUFFERED=1
WORKDIR /app
COPY app app
CMD ["python", "-m", "app"]
""",
)
def buffered_output(dockerfile: Dockerfile) -> Iterator[Problem]:
    """Python buffers what the service prints.

    Where standard output is no terminal, what `print` writes waits until some thousand characters have come together:
    it appears late, and not at all when the process is killed. Logging and tracebacks are not affected. Set
    PYTHONUNBUFFERED in the stage that runs; a stage on a fresh base image inherits nothing of what other stages set.
    """
    stage = dockerfile.published
    if not stage.state.is_bare:
        return
    environment = stage.state.environment
    if environment.get("PYTHONUNBUFFERED", "0") not in {"", "0"}:
        return
    starts = stage.start_steps
    if any("PYTHONUNBUFFERED" in step.instruction.value for step in starts):
        return
    commands = start_commands(stage)
    pythons = [words for words in commands if PYTHON.fullmatch(words[0])]
    if not pythons or any(_is_unbuffered(words) for words in pythons):
        return
    elsewhere = [other.label for other in dockerfile.stages if "PYTHONUNBUFFERED" in other.state.environment]
    reason = f"{pythons[-1][0]} is started without PYTHONUNBUFFERED"
    if elsewhere and "PYTHONUNBUFFERED" not in environment:
        reason = f"PYTHONUNBUFFERED of stage {elsewhere[0]} is not inherited by a fresh base image"
    yield Problem(stage.start, f"what the service prints is buffered: {reason}", "ENV PYTHONUNBUFFERED=1")


def _is_unbuffered(words: Sequence[str]) -> bool:
    """Whether Python is told so by its option -u."""
    for before, word in pairwise(words):
        if before in {"-W", "-X"}:
            continue
        if not word.startswith("-") or word in {"-m", "-c"}:
            break
        if re.fullmatch(r"-[A-Za-tv-z]*+u[A-Za-z]*+", word):
            return True
    return False


@rule(
    "reload-in-production",
    Severity.WARNING,
    bad="""
FROM python:3.12-slim
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--reload"]
""",
    good="""
FROM python:3.12-slim
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0"]
""",
)
def reload_in_production(dockerfile: Dockerfile) -> Iterator[Problem]:
    """The published image starts a development server.

    It watches files that never change in an image, and cannot run several workers; Flask's debugger also shows its
    internals to whoever asks. Start the server without reloading; a development stage or a compose file can have
    another command.
    """
    stage = dockerfile.published
    if DEVELOPMENT_STAGE.search(stage.label):
        return
    for name, *words in start_commands(stage):
        option = next((word for word in words if word == "--reload" or word.startswith("--reload=")), None)
        if name == "fastapi" and words[:1] == ["dev"]:
            option, fix = "fastapi dev", "fastapi run"
        elif name == "flask" and {"--debug", "--debugger"} & set(words):
            option, fix = "flask --debug", "a server for production, such as gunicorn"
        elif "runserver" in words[:3] and "--noreload" not in words:
            option, fix = "runserver", "a server for production, such as gunicorn"
        else:
            fix = f"{name} without {option}"
        if option:
            yield Problem(stage.start_steps[-1].instruction, f"{option} is for development", fix)
            return


@rule(
    "shell-form-command",
    Severity.WARNING,
    bad="""
FROM python:3.12-slim
CMD uvicorn app.main:app --host 0.0.0.0
""",
    good="""
FROM python:3.12-slim
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0"]
""",
)
def shell_form_command(dockerfile: Dockerfile) -> Iterator[Problem]:
    """The service runs below a shell, which does not pass signals on.

    The shell is process 1 and gets the signal that stops the container, the service does not: after ten
    seconds it is killed, with the requests that it was serving. Use the JSON form, or let `exec` put the service
    in the shell's place.
    """
    stage = dockerfile.published
    if not (stage.image and stage.state.is_bare) or not stage.start_steps:
        return
    first = stage.start_steps[0]
    program, script = _shell_script(first)
    if script is None or _is_replaced(stage.image.is_debian, program, script):
        return
    commands = shell.commands(script)
    instruction = first.instruction
    if not commands:
        return
    service = commands[-1][0]
    if re.search(r"\||(?<![&>])&(?!&)", script):
        service, fix = "what it starts", "start one program, by the JSON form or by `exec`"
    elif instruction.is_json or re.search(r"[$<>;&*?~`()]", script) or "=" in instruction.words[0]:
        fix = f"put `exec` before {service}, or start it by the JSON form"
    else:
        fix = f"{instruction.keyword} {json.dumps(instruction.words)}"
    yield Problem(instruction, f"a shell is process 1 and keeps the signals from {service}", fix)


def _shell_script(step: Step) -> tuple[str, str | None]:
    """The shell that a start command runs in and its script, None where it is not run by one."""
    instruction = step.instruction
    if not instruction.is_json:
        return step.state.shell or "sh", instruction.value
    words = list(instruction.words)
    name = words[0].rpartition("/")[2]
    if name in shell.SHELLS and len(words) > 2 and re.fullmatch(r"-[a-z]*c", words[1]):
        return name, words[2]
    return name, None


def _is_replaced(is_debian: bool, program: str, script: str) -> bool:
    """Whether the shell gives its place to the service, or may: dash, which is Debian's `sh`, never does by itself."""
    if REPLACED.search(script):
        return True
    if program == "dash" or (program == "sh" and is_debian):
        return False
    # The others do it for the last command, alone; bash not where that is redirected.
    last = re.split(r"&&|\|\||[;\n]", script)[-1]
    return not re.search(r"[|&<>]" if program == "bash" else r"\|", last)


@rule(
    "healthcheck-tool",
    Severity.ERROR,
    bad="""
FROM python:3.12-slim
HEALTHCHECK CMD curl --fail http://127.0.0.1:8000/healthz
""",
    good="""
FROM python:3.12-slim
HEALTHCHECK CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
""",
)
def healthcheck_tool(dockerfile: Dockerfile) -> Iterator[Problem]:
    """The health check calls a program that the image does not have.

    Slim images have neither curl nor wget: the check fails every time, and the container never turns healthy. Python
    can ask as well, and nothing has to be installed for it.
    """
    stage = dockerfile.published
    checks = [step for step in stage.history if step.instruction.keyword == "HEALTHCHECK"]
    if not checks or checks[-1].instruction.words[0].upper() != "CMD":
        return
    check = checks[-1].instruction
    commands = _checks(check)
    programs = {command[0] for command in commands}
    tools = sorted(programs & {"curl", "wget"})
    if not tools or any(map(PYTHON.fullmatch, programs)) or not all(lacks(tool, stage) for tool in tools):
        return
    fix = f"install {tools[0]} in this stage"
    if "python" in str(stage.image):
        addresses = (ADDRESS.fullmatch(word) for command in commands for word in command)
        address = next((match[1] for match in addresses if match), "127.0.0.1:8000/")
        fix = f"CMD python -c \"import urllib.request as r; r.urlopen('http://{address}', timeout=2)\""
    yield Problem(check, f"{stage.image} has no {' and no '.join(tools)}", fix)


def _checks(check: Instruction) -> list[tuple[str, ...]]:
    """The commands of a health check, in the JSON form or the shell's."""
    text = check.value[len("CMD") :].strip()
    words = json_array(text, check.line)
    return shell.commands(text) if words is None else shell.unwrapped(words)
