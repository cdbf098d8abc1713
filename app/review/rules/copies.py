"""Rules about copies that cannot work: from stages, from the build context, and with empty variables."""

from __future__ import annotations

import difflib
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import islice

from app.review.dockerfile import Dockerfile
from app.review.dockerignore import Dockerignore
from app.review.edit import insert_below, replace
from app.review.image import OFFICIAL, Image
from app.review.installation import PROJECTS
from app.review.rules.rule import Problem, Severity, rule
from app.review.rules.start import SCRIPTS, start_commands
from app.review.stage import Stage, Step

# BuildKit sets these only if the stage declares an ARG of the name.
PLATFORM = frozenset(
    f"{where}{what}" for where in ("TARGET", "BUILD") for what in ("PLATFORM", "OS", "ARCH", "VARIANT")
)
# Distributions whose images contain no Python.
SYSTEMS = frozenset({"alpine", "debian", "ubuntu"})
# These words may install or use the Python of the system.
SYSTEM_PYTHON = re.compile(r"python3?|PYTHON_PREFERENCE|PYTHON_DOWNLOADS|pypy")
# Official images or the engine set these.
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
# BuildKit expands variables in these instructions, and in RUN the shell does.
EXPANDED = frozenset({"ADD", "COPY", "ENV", "EXPOSE", "LABEL", "RUN", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"})
# A variable without a default value.
USED = re.compile(r"(?<!\\)\$(?:([A-Za-z_]\w*+)|\{([A-Za-z_]\w*+)\})")
SITE_PACKAGES = re.compile(r"/python(?P<version>3\.\d{1,2})/(?:site|dist)-packages(?:/|$)")
# Folders that contain packages without their scripts.
LIBRARIES = re.compile(r"/[\w./-]*lib(?:/python3\.\d{1,2}(?:/(?:site|dist)-packages)?)?")
# Look at this many virtual environments and folders of packages in a stage, and at this many programs that a container
# starts. In practice, no Dockerfile has more.
MOST_VENVS = MOST_FOLDERS = MOST_PROGRAMS = 10
# Compare this many words with the names of stages. In practice, no Dockerfile misspells more.
MOST_MISSPELT = 3
# Compare this many paths with .dockerignore, of this many characters each. In practice, no Dockerfile has more.
MOST_PATHS = 50
LONGEST_PATH = 100


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
    """An instruction names a stage that does not exist.

    If no earlier stage has the name, the build tries to pull an image of that name. A number counts the stages above,
    from 0.
    """
    names = {stage.name: stage for stage in dockerfile.stages if stage.name}
    bases = [stage.start.words[0] for stage in dockerfile.stages if not stage.parent]
    origins = (word for stage in dockerfile.stages for step in stage.steps for word in step.instruction.origins)
    unknown = (word for word in dict.fromkeys((*bases, *origins)) if word.lower() not in names)
    similar = {word: _similar(word, list(names)) for word in islice(filter(_may_be_misspelt, unknown), MOST_MISSPELT)}
    for stage in dockerfile.stages:
        earlier = {name for name, other in names.items() if other.index < stage.index}
        base = stage.start.words[0]
        if not stage.parent and (close := next(filter(earlier.__contains__, similar.get(base, ())), None)):
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
                        fix = f"a number up to {stage.index - 1}, or a stage's name"
                        yield Problem(instruction, message, fix if stage.index else "add a stage above this one")
                elif (other := names.get(word.lower())) and other.index >= stage.index:
                    where = "this stage itself" if other is stage else f"further down, in line {other.start.line}"
                    fix = "copy from an earlier stage" if other is stage else f"move stage {word} above this one"
                    yield Problem(instruction, f"stage {word} is {where}: only earlier stages can be used", fix)
                elif close := next(filter(earlier.__contains__, similar.get(word, ())), None):
                    edits = replace(instruction, f"from={word}", f"from={close}", left="-,", right=" \t\n,")
                    yield Problem(instruction, f"there is no stage {word}", f"--from={close}", edits=edits)


def _may_be_misspelt(word: str) -> bool:
    """Return whether the word can be the misspelled name of a stage, rather than an image."""
    return not re.search(r"[/:.@$]", word) and word.lower() not in OFFICIAL


def _similar(word: str, names: list[str]) -> list[str]:
    """Return the names that the word may misspell, the most similar first."""
    return difflib.get_close_matches(word.lower()[:40], names, n=max(1, len(names)), cutoff=0.8)


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
    """A copied file is excluded by .dockerignore.

    The build fails with "not found", although the file exists. Add an exception with `!` at the end of .dockerignore.
    """
    if dockerfile.dockerignore is None:
        return
    sources = [(step, path) for stage in dockerfile.stages for step in stage.steps for path in _context_paths(step)]
    paths = islice(dict.fromkeys(path for _, path in sources), MOST_PATHS)
    excluded = _excluded(dockerfile.dockerignore, set(paths))
    for step, path in sources:
        if path in excluded:
            fix = f"add at the end of .dockerignore: !{path}"
            yield Problem(step.instruction, f".dockerignore excludes {path} from the build context", fix)


def _context_paths(step: Step) -> list[str]:
    """Return the paths in the build context that an instruction names in full, in order."""
    mounted = [
        posixpath.normpath("./" + mount["source"].lstrip("/"))
        for mount in step.instruction.mounts
        if mount["type"] == "bind" and "from" not in mount and "source" in mount
    ]
    paths = sorted({*step.context_sources, *mounted})
    return [path for path in paths if len(path) <= LONGEST_PATH and not re.search(r"[*?\[$\\]|^\.", path)]


def _excluded(ignore: Dockerignore, paths: Set[str]) -> set[str]:
    """Return those of the paths that are excluded from the build context completely."""
    exceptions = [posixpath.normpath(line.lstrip("! ")).lstrip("/") for line in ignore.patterns if line.startswith("!")]
    if any("*" in line for line in exceptions):
        return set()
    # An exception may match something below the path.
    return {path for path in ignore.excluded(paths) if not any(line.startswith(f"{path}/") for line in exceptions)}


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
    """An ARG is used out of scope, where it is empty.

    An ARG before the first FROM is available only in FROM. An ARG in a stage is available only there and in the stages
    built on it. To use a global ARG in a stage, with its default, write `ARG NAME` there.
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
            continue  # the base image may set it
        edited = set()
        for step in stage.steps:
            instruction = step.instruction
            if instruction.keyword not in EXPANDED or instruction.is_json:
                continue
            for name in _used(step):
                if name in step.state.variables or name in SET_BY_IMAGES:
                    continue
                if instruction.keyword == "RUN" and not name.isupper() and name not in dockerfile.arguments:
                    continue  # it may be a shell variable
                is_known = name in dockerfile.arguments or name in PLATFORM
                if name in dockerfile.arguments:
                    why = "an ARG before the first FROM is available only in FROM"
                elif name in PLATFORM:
                    why = f"this stage has no ARG {name}"
                elif name in elsewhere:
                    why = "its ARG is in another stage, or further down"
                else:
                    continue
                edits = insert_below(stage.start, f"ARG {name}") if is_known and name not in edited else ()
                edited.add(name)
                fix = f"ARG {name}{'' if is_known else '=…'} in this stage, above"
                yield Problem(instruction, f"${name} is empty: {why}", fix, edits=edits, safe=True)


def _used(step: Step) -> list[str]:
    """Return the variables that an instruction uses and does not set itself."""
    instruction = step.instruction
    text = instruction.value
    if instruction.keyword in {"ENV", "LABEL", "RUN"}:
        text = re.sub(r"'[^']*+'", "", text)
    elif instruction.keyword in {"ADD", "COPY"}:
        text = " ".join([instruction.flag("chown") or "", instruction.flag("chmod") or "", text])
    if instruction.keyword == "RUN":
        if instruction.heredocs or not (step.state.shell or "sh").endswith("sh"):
            return []
        own = set(re.findall(r"\b(\w++)=|\bfor\s++(\w++)|\bread\s++(?:-\w++\s++)?(\w++)", text))
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
    """Packages are copied to a place where they do not work.

    A virtual environment works only at the path where it was created, because its scripts contain that path, and only
    with the Python that created it. Packages need the minor version of Python that they were installed for, and the C
    library that they were compiled for. Their scripts are in another folder, `bin`.
    """
    published = dockerfile.published
    start = _Start.of(published)
    contents: dict[int, _Contents] = {}
    for stage in dockerfile.stages:
        inherited = contents[stage.parent.index] if stage.parent else _Contents()
        contents[stage.index] = _Contents.of(stage, inherited)
        for step in stage.steps:
            origin = step.origin
            if step.instruction.keyword != "COPY" or not isinstance(origin, Stage) or not step.destination:
                continue
            if step.takes_installers:
                continue
            theirs = contents[origin.index]
            found = (
                _other_libc(stage, step, origin, theirs.packages)
                or _other_minor(stage, step, origin, theirs.packages)
                or (_has_managed_python(origin.image, theirs) and _without_python(stage, step, origin, theirs.venvs))
                or (stage is published and (_moved(step, theirs.venvs, start) or _without_scripts(step, start)))
            )
            if found:
                yield found


@dataclass(frozen=True, slots=True)
class _Contents:
    """The contents of a stage: virtual environments, each with the step that creates it, and folders of packages.

    `downloads_python` is True if the stage runs `uv python install`, and `asks_python` if it may have a Python of the
    system.
    """

    venvs: Mapping[str, Step] = field(default_factory=dict)
    packages: Set[str] = frozenset()
    downloads_python: bool = False
    asks_python: bool = False

    @classmethod
    def of(cls, stage: Stage, inherited: _Contents) -> _Contents:
        """Return the contents of a stage, given those of the stage that it is built on."""
        venvs = _venvs(stage.steps, inherited.venvs)
        packages = {*inherited.packages, *venvs}
        for step in stage.steps:
            for item in step.installations:
                if len(packages) < MOST_FOLDERS and item.dependencies and (prefix := item.prefix(step.state)):
                    packages.add(prefix)
        commands = (command for step in stage.steps for command in step.commands)
        asked = (words for step in stage.steps for words in _asked(step))
        return cls(
            venvs,
            packages,
            inherited.downloads_python or any(command[:3] == ("uv", "python", "install") for command in commands),
            inherited.asks_python or any(map(SYSTEM_PYTHON.search, asked)),
        )


@dataclass(frozen=True, slots=True)
class _Start:
    """How the container of a stage starts.

    `programs` are the programs that it starts, except Python. `words` are the words of its start commands, and `folder`
    is the first folder in its PATH. `script` is the first program that packages install. `installs` is True if the
    stage installs packages itself. `sources` are the steps that may copy the script.
    """

    stage: Stage
    programs: Sequence[str]
    words: Set[str]
    folder: str
    script: str | None
    installs: bool
    sources: Sequence[Step]

    @classmethod
    def of(cls, stage: Stage) -> _Start:
        """Return how the container of the stage starts."""
        names = dict.fromkeys(command[0] for command in start_commands(stage))
        programs = list(islice((name for name in names if not re.fullmatch(r"python[\d.]*", name)), MOST_PROGRAMS))
        script = next((name for name in names if name in SCRIPTS), None)
        copies = [step for step in stage.history if step.instruction.keyword in {"ADD", "COPY"}]
        return cls(
            stage,
            programs,
            {word for step in stage.start_steps for word in re.split(r"[\s\"',\[\]]+", step.instruction.value)},
            (stage.state.environment.get("PATH") or "").partition(":")[0],
            script,
            any(item.dependencies for step in stage.history for item in step.installations),
            [step for step in copies if script and _may_bring_script(step, script)],
        )


def _arrives(step: Step, folder: str) -> str | None:
    """Return where a folder of the other stage is after a COPY, or None if it is not copied completely."""
    for source, target in step.targets:
        if folder == source or f"{folder}/".startswith(f"{source.rstrip('/')}/"):
            return posixpath.normpath(posixpath.join(target, posixpath.relpath(folder, source)))
    return None


def _venvs(steps: Iterable[Step], inherited: Mapping[str, Step]) -> dict[str, Step]:
    """Return the paths of inherited virtual environments and those that the steps create, each with its step."""
    found = dict(inherited)
    for step in steps:
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


def _takes_packages(step: Step, packages: Set[str]) -> bool:
    """Return whether a COPY takes packages from the other stage, which may be compiled."""
    if any(SITE_PACKAGES.search(source) for source, _ in step.targets):
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
        f"packages that stage {origin.label} compiled for {names[0]} do not run on {ours}, which has {names[1]}",
        f"build both stages on {ours}",
    )


def _other_minor(stage: Stage, step: Step, origin: Stage, packages: Set[str]) -> Problem | None:
    ours, theirs = _minor(stage.image), _minor(origin.image)
    named = {match["version"] for _, target in step.targets if (match := SITE_PACKAGES.search(target))}
    if ours and named and ours not in named:
        wrong = min(named)
        return Problem(
            step.instruction,
            f"Python {ours} in this stage does not search {step.destination}",
            f"use the same Python in both stages, {wrong} or {ours}",
        )
    if ours and theirs and ours != theirs and _takes_packages(step, packages):
        return Problem(
            step.instruction,
            f"these packages are for Python {theirs}, but this stage has Python {ours}",
            f"use the same Python in both stages, {theirs} or {ours}",
        )
    return None


def _minor(image: Image | None) -> str | None:
    """Return the version of an image's Python, such as 3.12, or None if it is unknown."""
    if image is None or (image.official != "python" and not image.is_uv):
        return None
    matches = (re.match(r"(?:python)?(3\.[0-9]{1,2})", word) for word in image.variant)
    return next((match[1] for match in matches if match), None)


def _has_managed_python(image: Image | None, contents: _Contents) -> bool:
    """Return whether a stage has only the Python that uv downloads, or makes uv download one."""
    if image is None or contents.downloads_python:
        return image is not None
    if any(word.startswith("python") for word in image.variant) or not (image.is_uv or image.official in SYSTEMS):
        return False
    return not contents.asks_python


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
        f"{moved[0]}/bin/python links to {folder}, which is not copied: on {origin.image}, uv downloads Python to it",
        f"COPY --from={origin.label} {folder} {folder} too, or build on an image with Python",
    )


def _asked(step: Step) -> list[str]:
    """Return the parts of a step that can install the system's Python, or select a Python."""
    managers = [" ".join(words) for program, *words in step.commands if program in {"apk", "apt", "apt-get"}]
    return [*managers, *step.sets]


def _moved(step: Step, venvs: Mapping[str, Step], start: _Start) -> Problem | None:
    """Return the problem if the container starts a script of a virtual environment that has moved."""
    for path, maker in venvs.items():
        arrived = _arrives(step, path)
        if arrived is None or arrived == path or "relocatable" in maker.text or not _is_script_in(arrived, start):
            continue
        if any(arrived in each.text for each in start.stage.history if each.instruction.keyword == "RUN"):
            continue
        return Problem(
            step.instruction,
            f"the scripts in {arrived}/bin look for Python in {path}, where the environment was created",
            f"create it in {arrived}, or copy it to {path}",
        )
    return None


def _is_script_in(folder: str, start: _Start) -> bool:
    """Return whether the container starts a script of a virtual environment, not its Python."""
    return any(
        f"{folder}/bin/{program}" in start.words or (program in start.words and start.folder == f"{folder}/bin")
        for program in start.programs
    )


def _without_scripts(step: Step, start: _Start) -> Problem | None:
    """Return the problem if the container starts a script whose packages were copied without it."""
    program = start.script
    sources = [source for source, _ in step.targets if LIBRARIES.fullmatch(source)]
    if not program or not sources or start.installs or any(each is not step for each in start.sources):
        return None
    made = f"{sources[0]}/".partition("/lib/")[0] + "/bin/" + program
    line = f"COPY --from={step.instruction.flag('from')} {made} {made}"
    return Problem(
        step.instruction,
        f"the container starts {program}, but its script in {posixpath.dirname(made)} is not copied",
        f"{line}, or start it with `python -m {program}`",
        edits=insert_below(step.instruction, line),
    )


def _may_bring_script(step: Step, program: str) -> bool:
    """Return whether a COPY or ADD may bring a program: by name, in a folder of programs, or to an unknown path."""
    words = step.instruction.words
    if step.destination is None:
        return True
    named = any(posixpath.basename(word) == program or re.search(r"(?:^|/)bin/?$|\*", word) for word in words)
    around = step.instruction.flag("from") and step.destination in {"/", "/usr", "/usr/local", "/opt", "/root/.local"}
    return named or bool(around)
