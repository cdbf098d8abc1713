"""Rules about copies that cannot work: from other stages, from the build context, by variables that are empty."""

from __future__ import annotations

import difflib
import posixpath
import re
from collections.abc import Iterator, Mapping, Set
from functools import cache

from app.review.dockerfile import Dockerfile
from app.review.dockerignore import Dockerignore
from app.review.edit import insert_below, replace
from app.review.image import OFFICIAL, Image
from app.review.installation import PROJECTS
from app.review.rules.rule import Problem, Severity, rule
from app.review.rules.start import SCRIPTS, start_commands
from app.review.stage import Stage, Step

# Set by BuildKit for an ARG of the name, and not without one.
PLATFORM = frozenset(
    f"{where}{what}" for where in ("TARGET", "BUILD") for what in ("PLATFORM", "OS", "ARCH", "VARIANT")
)
# Distributions, whose images have no Python.
SYSTEMS = frozenset({"alpine", "debian", "ubuntu"})
# Set by official images, or by the engine.
SET_BY_IMAGES = frozenset(
    {"CARGO_HOME", "GPG_KEY", "HOME", "HOSTNAME", "LANG", "NODE_VERSION", "PATH", "PWD", "PYTHON_GET_PIP_URL"}
    | {
        "PYTHON_PIP_VERSION",
        "PYTHON_SETUPTOOLS_VERSION",
        "PYTHON_SHA256",
        "PYTHON_VERSION",
        "PYPY_VERSION",
        "RUSTUP_HOME",
    }
    | {"RUST_VERSION", "SHELL", "TERM", "USER", "YARN_VERSION"}
)
# Where BuildKit fills in variables; in a RUN the shell does.
EXPANDED = frozenset({"ADD", "COPY", "ENV", "EXPOSE", "LABEL", "RUN", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"})
# A variable that has nothing to fall back on.
USED = re.compile(r"(?<!\\)\$(?:([A-Za-z_]\w*+)|\{([A-Za-z_]\w*+)\})")
SITE_PACKAGES = re.compile(r"/python(?P<version>3\.\d{1,2})/(?:site|dist)-packages(?:/|$)")
# The folders of packages without their scripts.
LIBRARIES = re.compile(r"/[\w./-]*lib(?:/python3\.\d{1,2}(?:/(?:site|dist)-packages)?)?")
MOST_VENVS = 10


@rule(
    "no-such-stage",
    Severity.ERROR,
    bad="""
FROM python:3.12-slim AS builder
RUN python -m venv /opt/venv

FROM python:3.12-slim
COPY --from=bulider /opt/venv /opt/venv
""",
    good="""
FROM python:3.12-slim AS builder
RUN python -m venv /opt/venv

FROM python:3.12-slim
COPY --from=builder /opt/venv /opt/venv
""",
)
def no_such_stage(dockerfile: Dockerfile) -> Iterator[Problem]:
    """Files are taken from a stage that does not exist.

    A name that no earlier stage has is that of an image, which the build tries to pull. A number counts the stages
    above, from 0.
    """
    names = {stage.name: stage for stage in dockerfile.stages if stage.name}
    for stage in dockerfile.stages:
        earlier = [name for name, other in names.items() if other.index < stage.index]
        base = stage.start.words[0]
        if not stage.parent and (close := _meant(base, earlier)):
            edits = replace(stage.start, base, close)
            yield Problem(stage.start, f"there is no stage {base}", f"FROM {close}", edits=edits)
        for step in stage.steps:
            instruction = step.instruction
            for word in dict.fromkeys(instruction.origins):
                if word.lower() in earlier or "$" in word:
                    continue
                if re.fullmatch(r"\d{1,4}", word):
                    if int(word) >= stage.index:
                        message = f"there is no stage {word} above this one"
                        yield Problem(instruction, message, f"a number up to {stage.index - 1}, or a stage's name")
                elif (other := names.get(word.lower())) and other.index >= stage.index:
                    where = "this stage" if other is stage else f"line {other.start.line}, below"
                    fix = "take from an earlier stage" if other is stage else f"move stage {word} above this one"
                    yield Problem(instruction, f"the stage {word} is {where}: a stage takes from those above it", fix)
                elif close := _meant(word, earlier):
                    edits = replace(instruction, f"from={word}", f"from={close}", left="-,", right=" \t\n,")
                    yield Problem(instruction, f"there is no stage {word}", f"--from={close}", edits=edits)


def _meant(word: str, names: list[str]) -> str | None:
    """Return the stage that a word is a misspelling of, None where it can be an image."""
    if re.search(r"[/:.@]", word) or word.lower() in OFFICIAL:
        return None
    return next(iter(difflib.get_close_matches(word.lower()[:40], names, n=1, cutoff=0.8)), None)


@rule(
    "not-in-context",
    Severity.ERROR,
    bad="""
FROM python:3.12-slim
WORKDIR /app
COPY requirements.txt .
""",
    good="""
FROM python:3.12-slim
WORKDIR /app
COPY app app
""",
    dockerignore="*.txt\n",
)
def not_in_context(dockerfile: Dockerfile) -> Iterator[Problem]:
    """A file is copied that .dockerignore keeps out of the build context.

    The build ends with "not found", though the file is there. Take it back in with `!` at the end of .dockerignore.
    """
    ignore = dockerfile.dockerignore
    if ignore is None:
        return
    for stage in dockerfile.stages:
        for step in stage.steps:
            lent = [
                posixpath.normpath("./" + mount["source"].lstrip("/"))
                for mount in step.instruction.mounts
                if mount["type"] == "bind" and "from" not in mount and "source" in mount
            ]
            sources = [path for path in (*step.context_sources, *lent) if not re.search(r"[*?\[$\\]|^\.", path)]
            for path in sorted(ignore.excluded(sources)):
                if not _takes_back(ignore, path):
                    fix = f"add to .dockerignore, at its end: !{path}"
                    yield Problem(step.instruction, f".dockerignore keeps {path} out of the build context", fix)


def _takes_back(ignore: Dockerignore, path: str) -> bool:
    """Return whether an exception may name something below the path."""
    exceptions = (posixpath.normpath(line.lstrip("! ")).lstrip("/") for line in ignore.patterns if line.startswith("!"))
    return any("*" in line or line.startswith(f"{path}/") for line in exceptions)


@rule(
    "undefined-variable",
    Severity.ERROR,
    bad="""
ARG APP_HOME=/srv/app
FROM python:3.12-slim
WORKDIR ${APP_HOME}
COPY app ${APP_HOME}/app
""",
    good="""
ARG APP_HOME=/srv/app
FROM python:3.12-slim
ARG APP_HOME
WORKDIR ${APP_HOME}
COPY app ${APP_HOME}/app
""",
)
def undefined_variable(dockerfile: Dockerfile) -> Iterator[Problem]:
    """An ARG is used where it is out of scope, and empty.

    An ARG before the first FROM counts in FROM only, and one of a stage only there and in the stages built on it. `ARG
    NAME` in the stage brings it in, with its default.
    """
    elsewhere = {
        name: stage.start.line
        for stage in dockerfile.stages
        for step in stage.steps
        if step.instruction.keyword == "ARG"
        for name, _ in step.instruction.assignments
    }
    for stage in dockerfile.stages:
        if not stage.state.is_bare:
            continue  # whose image may set it
        edited = set()
        for step in stage.steps:
            instruction = step.instruction
            if instruction.keyword not in EXPANDED or instruction.is_json:
                continue
            for name in _used(step):
                if name in step.state.variables or name in SET_BY_IMAGES:
                    continue
                if instruction.keyword == "RUN" and not name.isupper() and name not in dockerfile.arguments:
                    continue  # one of the shell, perhaps
                is_known = name in dockerfile.arguments or name in PLATFORM
                if name in dockerfile.arguments:
                    why = "the ARG before the first FROM counts in FROM only"
                elif name in PLATFORM:
                    why = f"this stage has no ARG {name}"
                elif name in elsewhere:
                    why = "its ARG is of another stage, or below"
                else:
                    continue
                edits = insert_below(stage.start, f"ARG {name}") if is_known and name not in edited else ()
                edited.add(name)
                fix = f"ARG {name}{'' if is_known else '=…'} in this stage, above"
                yield Problem(instruction, f"${name} is empty: {why}", fix, edits=edits, safe=True)


def _used(step: Step) -> list[str]:
    """Return the variables that an instruction needs, and does not set itself."""
    instruction = step.instruction
    text = instruction.value
    if instruction.keyword in {"ENV", "LABEL", "RUN"}:
        text = re.sub(r"'[^']*+'", "", text)
    elif instruction.keyword in {"ADD", "COPY"}:
        text = " ".join([instruction.flag("chown") or "", instruction.flag("chmod") or "", text])
    if instruction.keyword == "RUN":
        if instruction.heredocs or not (step.state.shell or "sh").endswith("sh"):
            return []
        own = set(re.findall(r"\b(\w++)=|\bfor\s++(\w++)|\bread\s++(?:-\w++\s++)?+(\w++)", text))
        given = {name for names in own for name in names if name}
        given |= {mount["env"] for mount in instruction.mounts if "env" in mount}
        return [name for name in _names(text) if name not in given]
    return _names(text)


def _names(text: str) -> list[str]:
    return list(dict.fromkeys(match[1] or match[2] for match in USED.finditer(text)))


@rule(
    "copy-between-stages",
    Severity.ERROR,
    bad="""
FROM python:3.12-slim AS builder
RUN python -m venv /build/venv
ENV PATH=/build/venv/bin:$PATH
RUN --mount=type=cache,target=/root/.cache/pip \\
    --mount=type=bind,source=requirements.txt,target=requirements.txt \\
    pip install -r requirements.txt

FROM python:3.12-slim
ENV PATH=/opt/venv/bin:$PATH
COPY --from=builder /build/venv /opt/venv
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0"]
""",
    good="""
FROM python:3.12-slim AS builder
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
RUN --mount=type=cache,target=/root/.cache/pip \\
    --mount=type=bind,source=requirements.txt,target=requirements.txt \\
    pip install -r requirements.txt

FROM python:3.12-slim
ENV PATH=/opt/venv/bin:$PATH
COPY --from=builder /opt/venv /opt/venv
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0"]
""",
)
def copy_between_stages(dockerfile: Dockerfile) -> Iterator[Problem]:
    """Packages are copied to where they cannot run.

    A virtual environment works at the path where it was made, since its scripts name that path, and with the Python
    that made it. Packages are found by the minor version of Python that they were installed for, and run on the C
    library that they were compiled for. Their scripts are in another folder, `bin`.
    """
    venvs, packages, is_managed = cache(_venvs), cache(_packages), cache(_has_managed_python)
    for stage in dockerfile.stages:
        for step in stage.steps:
            origin = step.origin
            if step.instruction.keyword != "COPY" or not isinstance(origin, Stage) or not step.destination:
                continue
            if step.takes_installers:
                continue
            found = (
                _other_libc(stage, step, origin, packages(origin))
                or _other_minor(stage, step, origin, packages(origin))
                or (is_managed(origin) and _without_python(stage, step, origin, venvs(origin)))
                or (
                    stage is dockerfile.published
                    and (_moved(stage, step, venvs(origin)) or _without_scripts(stage, step))
                )
            )
            if found:
                yield found


def _targets(step: Step) -> list[tuple[str, str]]:
    """Return the folders that a COPY takes from a stage, as absolute paths, each with where it puts what is in them."""
    *sources, last = step.instruction.words
    inside = last.endswith("/") and len(sources) > 1
    folders = []
    for source in sources:
        path = posixpath.normpath(f"/{step.state.expand(source) or source}".replace("//", "/"))
        target = step.destination or "/"
        folders.append((path, posixpath.join(target, posixpath.basename(path)) if inside else target))
    return folders


def _arrives(step: Step, folder: str) -> str | None:
    """Return where a folder of the other stage is after a COPY; None if it does not come along as a whole."""
    for source, target in _targets(step):
        if folder == source or f"{folder}/".startswith(f"{source.rstrip('/')}/"):
            return posixpath.normpath(posixpath.join(target, posixpath.relpath(folder, source)))
    return None


def _venvs(stage: Stage) -> dict[str, Step]:
    """Return the virtual environments that a stage makes, by path, with the step that does."""
    found: dict[str, Step] = {}
    for step in stage.history:
        for program, *words in step.commands:
            plain = [word for word in words if not word.startswith("-")]
            path = None
            if re.fullmatch(r"python[\d.]*", program) and words[:2] == ["-m", "venv"]:
                path = plain[-1] if len(plain) > 1 else None
            elif program == "virtualenv" and plain:
                path = plain[-1]
            elif program == "uv" and words[:1] == ["venv"]:
                path = ".venv" if len(plain) == 1 else plain[-1]
                path = None if "--relocatable" in words else path
            if path and (known := step.state.path(path)) and len(found) < MOST_VENVS:
                found[known] = step
        for item in step.installations:
            if item.command in PROJECTS and (known := item.prefix(step.state)) and len(found) < MOST_VENVS:
                found.setdefault(known, step)
    return found


def _packages(stage: Stage) -> set[str]:
    """Return the folders that a stage installs the service's dependencies under."""
    items = [(item, step) for step in stage.history for item in step.installations if item.dependencies]
    return {prefix for item, step in items if (prefix := item.prefix(step.state))} | _venvs(stage).keys()


def _takes_packages(step: Step, packages: Set[str]) -> bool:
    """Return whether a COPY takes packages of the other stage that may be compiled."""
    sources = [source for source, _ in _targets(step)]
    if any(SITE_PACKAGES.search(source) for source in sources):
        return True
    return any(_arrives(step, folder) for folder in packages if folder != "/usr/local")


def _other_libc(stage: Stage, step: Step, origin: Stage, packages: Set[str]) -> Problem | None:
    ours, theirs = stage.image, origin.image
    if not (ours and theirs and ours.is_bare and theirs.is_bare) or "scratch" in {ours.official, theirs.official}:
        return None
    if ours.is_alpine == theirs.is_alpine or not _takes_packages(step, packages):
        return None
    names = ("musl", "glibc") if theirs.is_alpine else ("glibc", "musl")
    return Problem(
        step.instruction,
        f"what stage {origin.label} has compiled for {names[0]} does not run on {ours}, which has {names[1]}",
        f"build both stages on {ours}",
    )


def _other_minor(stage: Stage, step: Step, origin: Stage, packages: Set[str]) -> Problem | None:
    ours, theirs = _minor(stage.image), _minor(origin.image)
    named = {match["version"] for _, target in _targets(step) if (match := SITE_PACKAGES.search(target))}
    if ours and named and ours not in named:
        wrong = min(named)
        return Problem(
            step.instruction,
            f"Python {ours} of this stage does not look into {step.destination}",
            f"the same Python in both stages, {wrong} or {ours}",
        )
    if ours and theirs and ours != theirs and _takes_packages(step, packages):
        return Problem(
            step.instruction,
            f"these packages are of Python {theirs}, and this stage has {ours}",
            f"the same Python in both stages, {theirs} or {ours}",
        )
    return None


def _minor(image: Image | None) -> str | None:
    """Return the version of an image's Python, such as 3.12; None where it is not known."""
    if image is None or (image.official != "python" and not image.is_uv):
        return None
    matches = (re.match(r"(?:python)?(3\.[0-9]{1,2})", word) for word in image.variant)
    return next((match[1] for match in matches if match), None)


def _has_managed_python(stage: Stage) -> bool:
    """Return whether a stage has no Python but the one that uv downloads, or has it download one."""
    image = stage.image
    if image is None:
        return False
    if any(command[:3] == ("uv", "python", "install") for step in stage.history for command in step.commands):
        return True
    if any(word.startswith("python") for word in image.variant) or not (image.is_uv or image.official in SYSTEMS):
        return False
    system = re.compile(r"python3?|PYTHON_PREFERENCE|PYTHON_DOWNLOADS|pypy")
    return not any(system.search(words) for step in stage.history for words in _asked(step))


def _without_python(stage: Stage, step: Step, origin: Stage, venvs: Mapping[str, Step]) -> Problem | None:
    moved = [path for path in venvs if _arrives(step, path)]
    folder = origin.state.environment.get("UV_PYTHON_INSTALL_DIR", "/root/.local/share/uv/python")
    if not moved or not folder:
        return None
    takes = [other for other in stage.history if other.origin is origin and other.instruction.keyword == "COPY"]
    if any(_arrives(other, folder) == folder for other in takes):
        return None
    return Problem(
        step.instruction,
        f"{moved[0]}/bin/python leads to {folder}, which stays behind: {origin.image} downloads a Python there",
        f"COPY --from={origin.label} {folder} {folder} as well, or build on an image with Python",
    )


def _asked(step: Step) -> list[str]:
    """Return what of a step can bring a Python of the system, or have one used."""
    managers = [" ".join(words) for program, *words in step.commands if program in {"apk", "apt", "apt-get"}]
    return [*managers, *step.sets]


def _moved(stage: Stage, step: Step, venvs: Mapping[str, Step]) -> Problem | None:
    """Return the problem of a virtual environment at another path, where a script of it is what starts."""
    for path, maker in venvs.items():
        arrived = _arrives(step, path)
        if arrived in {None, path} or "relocatable" in maker.text:
            continue
        later = [each.text for each in stage.history if each.instruction.keyword == "RUN"]
        if any(str(arrived) in text for text in later):
            continue
        if any(_is_script_in(stage, str(arrived), command) for command in start_commands(stage)):
            return Problem(
                step.instruction,
                f"the scripts in {arrived}/bin look for Python in {path}, where the environment was made",
                f"make it in {arrived}, or copy it to {path}",
            )
    return None


def _is_script_in(stage: Stage, folder: str, command: tuple[str, ...]) -> bool:
    """Return whether a start command is a script of a virtual environment, and not its Python."""
    if re.fullmatch(r"python[\d.]*", command[0]):
        return False
    written = [word for step in stage.start_steps for word in re.split(r"[\s\"',\[\]]+", step.instruction.value)]
    if any(word == f"{folder}/bin/{command[0]}" for word in written):
        return True
    first = (stage.state.environment.get("PATH") or "").partition(":")[0]
    return command[0] in written and first == f"{folder}/bin"


def _without_scripts(stage: Stage, step: Step) -> Problem | None:
    """Return the problem of packages without their scripts, where one of these is what starts."""
    sources = [source for source, _ in _targets(step) if LIBRARIES.fullmatch(source)]
    if not sources or any(item.dependencies for each in stage.history for item in each.installations):
        return None
    for program, *_ in start_commands(stage):
        if program not in SCRIPTS:
            continue
        others = (each for each in stage.history if each.instruction.keyword in {"ADD", "COPY"} and each is not step)
        if any(_may_bring_script(each, program) for each in others):
            return None
        made = f"{sources[0]}/".partition("/lib/")[0] + "/bin/" + program
        line = f"COPY --from={step.instruction.flag('from')} {made} {made}"
        return Problem(
            step.instruction,
            f"{program} is started, and its script in {posixpath.dirname(made)} stays behind",
            f"{line}, or start it by `python -m {program}`",
            edits=insert_below(step.instruction, line),
        )
    return None


def _may_bring_script(step: Step, program: str) -> bool:
    """Return whether a COPY or ADD may bring a program: by its name, with a folder of programs, or in the unknown."""
    words = step.instruction.words
    if step.destination is None:
        return True
    named = any(posixpath.basename(word) == program or re.search(r"(?:^|/)bin/?$|\*", word) for word in words)
    around = step.instruction.flag("from") and step.destination in {"/", "/usr", "/usr/local", "/opt", "/root/.local"}
    return named or bool(around)
