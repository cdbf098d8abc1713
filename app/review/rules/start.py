"""Rules about the start command and the health check."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import dropwhile, pairwise, takewhile

from app.review import shell
from app.review.dockerfile import Dockerfile
from app.review.edit import Edit, add_words, append, drop_word, insert_below, insert_exec, replace, rewrite
from app.review.installation import module
from app.review.rules.form import QUOTED
from app.review.rules.rule import Problem, Severity, rule
from app.review.stage import Stage, Step
from app.review.syntax import Instruction
from app.review.system import lacks

# Python programs that start services. Not Celery and Dramatiq, which write printed output to their logs.
PYTHON = re.compile(
    r"(?:python|pypy)[\d.]*|arq|daphne|django-admin|fastapi|flask|gunicorn|huey_consumer(?:\.py)?|hypercorn|rq|streamlit"
    r"|taskiq|uvicorn|waitress-serve"
)
# Programs that packages install as scripts.
SCRIPTS = frozenset(
    {"alembic", "arq", "celery", "daphne", "django-admin", "dramatiq", "fastapi", "flask", "granian", "gunicorn"}
    | {"hypercorn", "rq", "streamlit", "taskiq", "uvicorn", "waitress-serve"}
)
# Programs for process 1 that start the program in their arguments, and tools that `run` one.
INITS = frozenset({"catatonit", "dumb-init", "tini"})
RUNNERS = frozenset({"pdm", "pipenv", "poetry", "uv"})
# Servers, with the options and variables for the listening address, and whether the default is 127.0.0.1.
LISTENING: dict[str, tuple[tuple[str, ...], frozenset[str], bool]] = {
    "daphne": (("-b", "--bind"), frozenset(), True),
    "fastapi": (("--host",), frozenset(), False),
    "flask": (("--host", "-h"), frozenset({"FLASK_RUN_HOST"}), True),
    "litestar": (("--host", "-H"), frozenset({"LITESTAR_HOST"}), True),
    "quart": (("--host", "-h"), frozenset(), True),
    "sanic": (("--host", "-H"), frozenset({"SANIC_HOST"}), True),
    "granian": (("--host",), frozenset({"GRANIAN_HOST"}), True),
    "gunicorn": (("--bind", "-b"), frozenset({"GUNICORN_CMD_ARGS", "PORT"}), False),
    "hypercorn": (("--bind", "-b"), frozenset(), True),
    "uvicorn": (("--host",), frozenset({"UVICORN_HOST", "UVICORN_FD", "UVICORN_UDS"}), True),
    "waitress-serve": (("--host",), frozenset(), False),
}
EVERYWHERE = "0.0.0.0"  # noqa: S104 -- in a container, on the container's own interfaces
# Options whose address includes a port.
WITH_PORT = frozenset({"--bind", "runserver"})
# Servers that forward requests to another one in the same container.
PROXIES = frozenset({"apache2ctl", "caddy", "envoy", "haproxy", "httpd", "nginx", "supervisord", "traefik"})
# The URL in a health check.
ADDRESS = re.compile(r"(?:http://)?((?:localhost|127\.0\.0\.1|0\.0\.0\.0)[^\s'\"]*)")
# A word in a stage's name that means that the stage is not for production.
DEVELOPMENT_STAGE = re.compile(
    r"(?:^|[-_.])(?:ci|coverage|debug|dev|devel|develop|development|e2e|lint|linter|linting|tester|testing"
    r"|(?:unit)?tests?)(?![^-_.])"
)
# `exec` or `trap`, which may replace the shell or handle its signals, as the first word of a command, apart from
# assignments. A bracket inside a word does not begin a command. Without the limit on assignments, they would be read
# again from each bracket in their values.
REPLACED = re.compile(
    r"(?:^|[\n;&|]|(?<![^\s;&|({])(?:[({]|(?:then|else|do)\b))[ \t]*+"
    r"(?>(?:\w++=[^\s;&|]*+[ \t]++){0,10})(?:exec|trap)\b"
)
# A script that only starts a shell with another script.
NESTED = re.compile(
    r"""\s*+(?P<exec>exec\s++)?(?:/\S*/)?(?P<program>(?:ba|da|a|z)?sh)\s++-[a-z]*c\s++"""
    r"""(?:"(?P<double>(?:\\.|[^"\\])*+)"|'(?P<single>[^']*+)')\s*+""",
    re.DOTALL,
)
# Commands at the end of a script that are not the service.
TRIVIAL = frozenset({":", "echo", "exit", "true", "wait"})
# Words that end a loop or a condition.
ENDS = frozenset({"}", "done", "esac", "fi"})
# Inits that, by default, forward a signal only to their child, not to its process group.
TO_CHILD = frozenset({"catatonit", "tini", "tini-static"})
KILL_SIGNALS = frozenset({"9", "KILL", "SIGKILL"})


def start_commands(stage: Stage) -> list[tuple[str, ...]]:
    """Return the commands that start the container of the stage, as far as they are known."""
    instructions = [step.instruction for step in stage.start_steps]
    if len(instructions) == 2 and all(each.is_json or each.mistaken for each in instructions):
        words = [word for each in instructions for word in each.mistaken or each.words]
        return _inside(shell.unwrapped(words))
    return _inside([command for each in instructions for command in each.commands])


def _inside(commands: Sequence[tuple[str, ...]], deepest: int = 3) -> list[tuple[str, ...]]:
    """Return the commands. Replace inits and runners with the program that they start."""
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

    If standard output is not a terminal, `print` waits until several thousand characters have accumulated. The output
    appears late, or never if the process is killed. Logging and tracebacks are not affected. Set PYTHONUNBUFFERED in
    the published stage. A stage on a fresh base image does not inherit the variables of other stages.
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
        reason = f"a stage on a fresh base image does not inherit PYTHONUNBUFFERED from stage {elsewhere[0]}"
    message = f"what the service prints is buffered: {reason}"
    line = "ENV PYTHONUNBUFFERED=1"
    edits = () if "PYTHONUNBUFFERED" in environment else insert_below(stage.start, line)
    yield Problem(stage.start, message, line, edits=edits, safe=True)


def _is_unbuffered(words: Sequence[str]) -> bool:
    """Return whether Python has the option -u."""
    for before, word in pairwise(words):
        if before in {"-W", "-X"}:
            continue
        if not word.startswith("-") or word in {"-m", "-c"}:
            break
        if re.fullmatch(r"-[A-Za-tv-z]*+u[A-Za-z]*+", word):
            return True
    return False


# Variables that enable a server's reloading or debugger, and programs that restart another when files change.
RELOADING = {"flask": ("FLASK_DEBUG", "FLASK_ENV"), "uvicorn": ("UVICORN_RELOAD",)}
WATCHERS = frozenset({"hupper", "nodemon", "watchfiles", "watchmedo"})


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

    It watches files that never change in an image, and cannot run several workers. Flask's debugger also shows the
    internals of the service to anyone. Start the server without reloading, and override the command in a development
    stage or a Compose file.
    """
    stage = dockerfile.published
    if DEVELOPMENT_STAGE.search(stage.label):
        return
    environment = stage.state.environment
    for command in start_commands(stage):
        name, words = module(*command)
        start = stage.start_steps[-1].instruction
        option = next((word for word in words if word == "--reload" or word.startswith("--reload=")), None)
        variable = next((name for name in RELOADING.get(name, ()) if _is_on(environment.get(name))), None)
        edits: tuple[Edit, ...] = ()
        fix = "a production server, such as gunicorn"
        if name == "fastapi" and words[:1] == ["dev"]:
            option, fix = "fastapi dev", "fastapi run"
            edits = replace(start, "dev", "run", left=' \t\n"', right=' \t\n"')
        elif name == "flask" and {"--debug", "--debugger"} & set(words):
            option = "flask --debug"
        elif "runserver" in words[:3] and "--noreload" not in words:
            option = "runserver"
        elif name in WATCHERS:
            option, fix = name, f"the service without {name}"
        elif option:
            fix, edits = f"{name} without {option}", drop_word(start, option)
        elif variable:
            setting = next(step.instruction for step in reversed(stage.history) if variable in step.sets)
            yield Problem(setting, f"{variable} is for development", f"this ENV without {variable}")
            return
        if option:
            yield Problem(start, f"{option} is for development", fix, edits=edits, safe=True)
            return


def _is_on(value: str | None) -> bool:
    return value is not None and value.lower() in {"1", "development", "on", "t", "true", "y", "yes"}


@rule(
    "loopback",
    Severity.WARNING,
    bad="""
FROM python:3.12-slim
CMD ["uvicorn", "app.main:app"]
""",
    good="""
FROM python:3.12-slim
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0"]
""",
)
def loopback(dockerfile: Dockerfile) -> Iterator[Problem]:
    """The server listens on 127.0.0.1, which nothing outside the container can reach.

    A published port leads to the container's network interface, not to its loopback interface. By default, uvicorn,
    hypercorn, granian and `flask run` listen on 127.0.0.1. Listen on 0.0.0.0, which is every interface.
    """
    stage = dockerfile.published
    if not stage.state.is_bare or DEVELOPMENT_STAGE.search(stage.label):
        return
    commands = [module(*command) for command in start_commands(stage)]
    if any(name in PROXIES for name, _ in commands):
        return  # the proxy reaches it inside the container
    for name, words in commands:
        found = _loopback(name, words, stage.state.environment)
        if found is None:
            continue
        option, default = found
        step = stage.start_steps[-1]
        wanted = f"{option} {EVERYWHERE}{':8000' if option in WITH_PORT else ''}"
        if default:
            message, fix = f"{name} listens on 127.0.0.1 by default", f"{name} … {wanted}"
            is_option = option.startswith("-") and name == commands[-1][0]
            edits = _with_words(step.instruction, *wanted.split()) if is_option else ()
        else:
            message, fix = f"{name} listens on the loopback interface", f"use {EVERYWHERE}"
            edits = tuple(
                edit
                for name in ("127.0.0.1", "localhost")
                for edit in replace(step.instruction, name, EVERYWHERE, left=' \t\n"=', right=' \t\n":')
            )
        yield Problem(step.instruction, f"{message}: nothing outside the container can reach it", fix, edits=edits)
        return


def _loopback(name: str, words: list[str], environment: Mapping[str, str | None]) -> tuple[str, bool] | None:
    """Return the option for the listening address, and whether it is missing, or None if the server may be reached."""
    if "runserver" in words[:3]:
        addresses = [word for word in words[words.index("runserver") + 1 :] if not word.startswith("-")]
        is_reached = bool(addresses) and not re.match(r"\d+$|127\.|localhost", addresses[0])
        return None if is_reached else ("runserver", not addresses)
    if name not in LISTENING:
        return None
    options, variables, default = LISTENING[name]
    if name in {"flask", "litestar", "quart"}:
        if "run" not in words:
            return None
        words = words[words.index("run") :]
    if any(
        word.startswith("$") or word in {"--help", "--version", "--uds", "--fd", "-u", "-c", "--config"}
        for word in words
    ):
        return None
    for before, word in pairwise(["", *words]):
        option, equals, value = word.partition("=")
        address = word if before in options else value if equals and option in options else None
        if address is not None:
            is_loopback = re.fullmatch(r"(?:127\.0\.0\.1|localhost|\[?::1\]?)(?::\d+)?", address)
            return (options[0], False) if is_loopback else None
    if any(
        word.startswith(option) and not word.startswith("--")
        for word in words
        for option in options
        if option[1] != "-"
    ):
        return None  # -b0.0.0.0
    if not default or not variables.isdisjoint(environment) or not words or words[0].startswith("@"):
        return None
    return options[0], True


def _with_words(instruction: Instruction, *words: str) -> tuple[Edit, ...]:
    """Return the edit that appends words to a command."""
    if not shell.SHELLS.isdisjoint(word.rpartition("/")[2] for word in instruction.words):
        return ()
    if instruction.is_json:
        return add_words(instruction, *words)
    if re.search(r"[;&|<>()`#]", instruction.value) and not re.search(r"&&[^;&|<>()`#]*$", instruction.value):
        return ()
    return () if instruction.value.endswith(('"', "'")) else append(instruction, " " + " ".join(words))


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
    """The service runs under a shell, which does not forward signals.

    The shell is process 1 and receives the signal to stop, but the service does not. After ten seconds, the service is
    killed, and the requests in flight are lost. Use the JSON form, or let `exec` replace the shell with the service.
    """
    stage = dockerfile.published
    if not (stage.image and stage.state.is_bare) or not stage.start_steps or _stops_by_kill(stage):
        return
    step, init, program, script = _start_script(stage)
    if script is None or step.instruction.mistaken or _is_replaced(stage.image.is_debian, program, script):
        return
    commands = shell.commands(script)
    instruction = step.instruction
    if not commands:
        return
    service = commands[-1][0]
    bare = QUOTED.sub("''", script)
    edits: tuple[Edit, ...] = ()
    nested = NESTED.fullmatch(script)
    if nested and not nested["exec"]:
        inner = _inner(nested)
        fix = f"{instruction.keyword} {json.dumps([nested['program'], '-c', inner])}"
        if _is_replaced(stage.image.is_debian, nested["program"], inner):
            edits = rewrite(instruction, fix)
        else:
            fix += f", with `exec` before {service}"
    elif service in ENDS or (len(commands) > 1 and service in TRIVIAL) or re.search(r"\||(?<![&>])&(?!&)", bare):
        service, fix = "what it starts", "start one program, in the JSON form or with `exec`"
    elif instruction.is_json or re.search(r"[$<>;&*?~`()]", script) or "=" in instruction.words[0]:
        fix = f"put `exec` before {service}, or start it in the JSON form"
        edits = insert_exec(instruction, service)
    else:
        words = [word for word in instruction.words if word != "--reload"]
        fix = f"{instruction.keyword} {json.dumps(words)}"
        edits = rewrite(instruction, f"{instruction.keyword} {json.dumps(instruction.words)}")
    if init:
        message = f"{init} sends signals to a shell, which does not forward them to {service}"
    else:
        message = f"a shell is process 1 and does not forward signals to {service}"
    yield Problem(instruction, message, fix, edits=edits, safe=True)


def _stops_by_kill(stage: Stage) -> bool:
    """Return whether SIGKILL stops the container, which no shell can forward."""
    signals = [step for step in stage.history if step.instruction.keyword == "STOPSIGNAL"]
    return bool(signals) and signals[-1].state.expand(signals[-1].instruction.words[0]) in KILL_SIGNALS


def _start_script(stage: Stage) -> tuple[Step, str, str, str | None]:
    """Return the step with the start script, the init or "", the shell that runs the script, and the script.

    The script is None if no shell is started.
    """
    first, *second = stage.start_steps
    if not first.instruction.is_json:
        return first, "", first.state.shell or "sh", first.instruction.value
    step, words = first, list(first.instruction.words)
    init = words[0].rpartition("/")[2]
    if init in TO_CHILD:
        own = list(takewhile(lambda word: word.startswith("-"), words[1:]))
        if any(re.fullmatch(r"-[a-z]*g", word) for word in own) or "TINI_KILL_PROCESS_GROUP" in stage.state.environment:
            return first, init, init, None
        words = words[1 + len(own) :]
        if not words and second:
            step = second[0]
            if not step.instruction.is_json:
                return step, init, step.state.shell or "sh", step.instruction.value
            words = list(step.instruction.words)
    else:
        init = ""
    name = words[0].rpartition("/")[2] if words else ""
    if name in shell.SHELLS and len(words) > 2 and re.fullmatch(r"-[a-z]*c", words[1]):
        return step, init, name, words[2]
    return step, init, name, None


def _is_replaced(is_debian: bool, program: str, script: str) -> bool:
    """Return whether the service replaces the shell, or may do so.

    dash, which is Debian's `sh`, never lets it do so without `exec`.
    """
    bare = QUOTED.sub("''", script)
    is_dash = program == "dash" or (program == "sh" and is_debian)
    if nested := NESTED.fullmatch(script):
        if is_dash and not nested["exec"]:
            return False
        return _is_replaced(is_debian, nested["program"], _inner(nested))
    if REPLACED.search(bare):
        return True
    if is_dash:
        return False
    # Other shells do so for the last command, unless it is part of a pipe. bash does not if it is redirected.
    last = re.split(r"&&|\|\||[;\n]", bare)[-1].strip()
    if last in ENDS:
        return False
    return not re.search(r"[|&<>]" if program == "bash" else r"\|", last)


def _inner(nested: re.Match[str]) -> str:
    """Return the script of the inner shell."""
    return nested["single"] or shell.unquote(f'"{nested["double"] or ""}"')


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

    Slim images contain neither curl nor wget, and Alpine images no curl, so the check always fails, and the container
    never becomes healthy. Python can send the request, without another package.
    """
    stage = dockerfile.published
    checks = [step for step in stage.history if step.instruction.keyword == "HEALTHCHECK"]
    if not checks or checks[-1].instruction.words[0].upper() != "CMD":
        return
    check = checks[-1].instruction
    commands = check.check
    programs = {command[0] for command in commands}
    tools = sorted(programs & {"curl", "wget"})
    if not tools or any(map(PYTHON.fullmatch, programs)) or not all(lacks(tool, stage) for tool in tools):
        return
    fix = f"install {tools[0]} in this stage"
    edits: tuple[Edit, ...] = ()
    if "python" in str(stage.image):
        addresses = (ADDRESS.fullmatch(word) for command in commands for word in command)
        address = next((match[1] for match in addresses if match), "127.0.0.1:8000/")
        fix = f"CMD python -c \"import urllib.request as r; r.urlopen('http://{address}', timeout=2)\""
        flags = [f"--{name}={value}" for name, value in check.flags]
        edits = rewrite(check, " ".join(["HEALTHCHECK", *flags, fix]))
    yield Problem(check, f"{stage.image} has no {' and no '.join(tools)}", fix, edits=edits)
