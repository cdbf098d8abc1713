"""Rules about the stages: what is built, what is published, and what each stage contains."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from app.review.dockerfile import Dockerfile
from app.review.edit import Edit, drop_word, insert_below, replace
from app.review.image import Image
from app.review.installation import INSTALLERS, PROJECTS, Installation
from app.review.rules.rule import Problem, Severity, rule
from app.review.rules.start import DEVELOPMENT_STAGE, start_commands
from app.review.stage import Stage, Step
from app.review.state import State
from app.review.system import MANAGERS, compilers, may_do_anything, removes

# Programs that check code. Their packages have the same names.
TOOLS = frozenset(
    {"bandit", "black", "coverage", "flake8", "isort", "mypy", "nox", "pre-commit", "pylint", "pyright", "pytest"}
    | {"ruff", "tox"}
)
# With more folders of packages in one stage, nothing is reported.
MOST_FOLDERS = 10
# A fix removes at most this many development requirements files from a command. In practice, no command has more.
MOST_FILES = 10
# Packages that do not install any of these tools.
RUNTIME = INSTALLERS | {"celery", "django", "fastapi", "flask", "gunicorn", "requests", "sqlalchemy", "uvicorn"}
RUNTIME_FILE = re.compile(
    r"(?:.*/)?(?:requirements|(?:requirements[-_./])?(?:base|main|prod|production|runtime))\.(?:txt|lock)"
)
DEVELOPMENT_FILE = re.compile(
    r"(?:^|[^a-z])(?:(?:check|ci|dev|devel|development|lint|test|testing|tests|typing)(?![a-z])|local\.\w+$)"
)
STARTS = frozenset({"CMD", "ENTRYPOINT"})
# These tools install the development group, unless one of these options or variables is set.
WITHOUT = {
    "pdm": frozenset({"--group", "--no-default", "--prod", "--production", "-G"}),
    "poetry": frozenset({"--no-dev", "--only", "--only-root", "--without", "POETRY_WITHOUT"}),
    "uv": frozenset(
        {"--no-default-groups", "--no-dev", "--no-group", "--only-group"}
        | {"UV_NO_DEFAULT_GROUPS", "UV_NO_DEV", "UV_NO_GROUP"}
    ),
}
OPTIONS = {"pdm": "--prod", "poetry": "--only main", "uv": "--no-dev"}
# Options that select the group, and its possible names.
ASKED = frozenset({"--all-groups", "--dev", "--only-dev", "-d"})
DEVELOPMENT_GROUP = re.compile(r"(?:^|,)(?:dev|development|lint|test|tests|testing)(?:,|$)")
PUBLISHED_STAGES = frozenset(
    {"app", "deploy", "final", "main", "prod", "production", "release", "run", "runner", "runtime"}
)


@rule(
    "single-stage",
    Severity.INFO,
    bad="""
FROM python:3.12-slim
RUN apt-get update && apt-get install -y gcc && rm -rf /var/lib/apt/lists/*
RUN --mount=type=cache,target=/root/.cache/pip \\
    --mount=type=bind,source=requirements.txt,target=requirements.txt \\
    pip install -r requirements.txt
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0"]
""",
    good="""
FROM python:3.12-slim AS builder
RUN apt-get update && apt-get install -y gcc && rm -rf /var/lib/apt/lists/*
ENV PYTHONUSERBASE=/opt/python
RUN --mount=type=cache,target=/root/.cache/pip \\
    --mount=type=bind,source=requirements.txt,target=requirements.txt \\
    pip install --user -r requirements.txt

FROM python:3.12-slim
ENV PYTHONUSERBASE=/opt/python PATH=/opt/python/bin:$PATH
COPY --from=builder /opt/python /opt/python
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0"]
""",
)
def single_stage(dockerfile: Dockerfile) -> Iterator[Problem]:
    """The service is built in the published stage.

    Everything that the build needs is published too. Compilers make this a warning, because they help intruders. Build
    in a separate stage, and copy the result into a fresh one.
    """
    stage = dockerfile.published
    is_bare = stage.state.is_bare
    built = [item for step in stage.steps for item in step.installations if item.dependencies and item.downloads]
    if not built or (is_bare and not stage.start_steps):
        return
    fix = "install in a stage called builder, then COPY --from=builder"
    for step, names in compilers(stage.steps):
        message = f"compilers stay in the published image: {', '.join(names)}"
        yield Problem(step.instruction, message, fix, Severity.WARNING)
        return
    cleaned = any(map(removes, stage.steps))
    installs = any(item.reads_file or item.project_only for item in built)
    if len(dockerfile.stages) == 1 and is_bare and installs and not cleaned:
        yield Problem(stage.start, "packages are installed, and if necessary built, in the published stage", fix)


@rule(
    "production-from-development",
    Severity.WARNING,
    bad="""
FROM python:3.12-slim AS dev
RUN --mount=type=cache,target=/root/.cache/pip pip install fastapi pytest
FROM dev AS production
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0"]
""",
    good="""
FROM python:3.12-slim AS base
RUN --mount=type=cache,target=/root/.cache/pip pip install fastapi
FROM base AS dev
RUN --mount=type=cache,target=/root/.cache/pip pip install pytest
FROM base AS production
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0"]
""",
)
def production_from_development(dockerfile: Dockerfile) -> Iterator[Problem]:
    """The published stage is built on one with compilers or development tools.

    They are published too: more to download, to patch, and for an intruder to use. Build both stages on a common one,
    and copy what the published stage needs.
    """
    stage = dockerfile.published
    if DEVELOPMENT_STAGE.search(stage.label):
        return
    for parent in reversed(stage.lineage[:-1]):
        names = [name for _, found in compilers(parent.steps) for name in found]
        names += [tool for step in parent.steps for item in step.installations for tool in _tools(item)]
        if names:
            yield Problem(
                stage.start,
                f"the published stage is built on stage {parent.label}, which has {', '.join(dict.fromkeys(names))}",
                f"build on the base of stage {parent.label}, and COPY --from={parent.label} what is needed",
            )
            return


def _tools(installation: Installation) -> list[str]:
    """Return the development tools that it installs, and the files that list development packages."""
    named = {_package(word): word for word in installation.named}
    files = [file for file in installation.files if DEVELOPMENT_FILE.search("/".join(file.lower().split("/")[-2:]))]
    return [name for name in named if name in TOOLS] + files


def _package(word: str) -> str:
    """Return the name of the package in a requirement: `pytest` for `pytest[all]>=8`."""
    return re.split(r"[^\w.-]", word, maxsplit=1)[0].lower()


@rule(
    "development-packages",
    Severity.WARNING,
    bad="""
FROM python:3.12-slim
RUN --mount=type=cache,target=/root/.cache/pip \\
    --mount=type=bind,source=requirements.txt,target=requirements.txt \\
    --mount=type=bind,source=requirements-dev.txt,target=requirements-dev.txt \\
    pip install -r requirements.txt -r requirements-dev.txt
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0"]
""",
    good="""
FROM python:3.12-slim
RUN --mount=type=cache,target=/root/.cache/pip \\
    --mount=type=bind,source=requirements.txt,target=requirements.txt \\
    pip install -r requirements.txt
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0"]
""",
)
def development_packages(dockerfile: Dockerfile) -> Iterator[Problem]:
    """Development packages are installed in the published image.

    Test tools and linters are more to download and to patch, and the service never runs them. By default, uv, Poetry
    and PDM install the development group.
    """
    published = dockerfile.published
    starts = start_commands(published)
    if not starts or DEVELOPMENT_STAGE.search(published.label) or any(map(_tool, starts)):
        return
    shipped = _shipped(published)
    for stage in dockerfile.stages:
        folders: set[str] = set()
        for step in stage.steps:
            for item in step.installations:
                if stage not in published.lineage:
                    folder = item.prefix(step.state)
                    if folder is None:
                        continue
                    folders.add(folder)
                    if len(folders) > MOST_FOLDERS or not shipped(stage, folder):
                        continue
                if found := _development(item, step, named=stage is published or stage not in published.lineage):
                    what, fix, severity, option = found
                    message = f"`{item.command}` installs {what} for the published image"
                    edits = _with_option(step, item, option) if option else _without_files(step, item)
                    yield Problem(step.instruction, message, fix, severity, edits)
                    break


def _with_option(step: Step, item: Installation, option: str) -> tuple[Edit, ...]:
    """Return the edit that adds an option to a command."""
    return replace(step.instruction, item.command, f"{item.command} {option}", left=" \t\n/")


def _without_files(step: Step, item: Installation) -> tuple[Edit, ...]:
    """Return the edits that remove the development requirements, if another requirements file remains."""
    tools = set(_tools(item))
    files = [file for file in item.files if file in tools]
    if len(files) == len(item.files) or len(files) > MOST_FILES:
        return ()
    options = ("-r ", "-r", "--requirement ", "--requirement=")
    words = (f"{option}{file}" for file in files for option in options)
    return tuple(edit for word in words for edit in drop_word(step.instruction, word))


def _development(item: Installation, step: Step, *, named: bool) -> tuple[str, str, Severity | None, str | None] | None:
    """Return the development packages of an installation, the fix, the severity, and the missing option.

    Tools that it names count only if `named`. In a stage that the published one is built on, another rule reports them.
    """
    given = {word.partition("=")[0] for word in item.arguments}
    pairs = pairwise(item.arguments)
    groups = [value for option, value in pairs if option in {"--group", "--only-group", "--with", "-G"}]
    groups += [word.partition("=")[2] for word in item.arguments if re.match(r"--(?:only-)?(?:group|with)=", word)]
    if item.command in PROJECTS and (ASKED & given or any(map(DEVELOPMENT_GROUP.search, groups))):
        return "a development group", f"{item.command} without that group", None, None
    if item.tool in WITHOUT and item.command in PROJECTS:
        if not any(name in given or name in step.state.variables or name in step.names for name in WITHOUT[item.tool]):
            option = OPTIONS[item.tool]
            return "the development group, if there is one,", f"{item.command} {option}", Severity.INFO, option
        return None
    tools = _tools(item) if named else []
    extras = [word for word in item.named if re.search(r"\[(?:[\w-]+,)*(?:dev|test|tests|testing|lint)[,\]]", word)]
    if tools or (extras and named):
        return ", ".join([*tools, *extras]), "install it in a development stage", None, None
    return None


@rule(
    "development-published",
    Severity.WARNING,
    bad="""
FROM python:3.12-slim AS production
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0"]
FROM production AS dev
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--reload"]
""",
    good="""
FROM python:3.12-slim AS base
FROM base AS dev
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--reload"]
FROM base AS production
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0"]
""",
)
def development_published(dockerfile: Dockerfile) -> Iterator[Problem]:
    """The last stage is for development or tests.

    Without `--target`, `docker build .` builds the last stage, so the published image is not the one for production.
    Put the production stage last.
    """
    stage = dockerfile.published
    others = [
        other
        for other in dockerfile.stages[:-1]
        if other.name in PUBLISHED_STAGES
        or (
            not DEVELOPMENT_STAGE.search(other.label)
            and any(step.instruction.keyword in STARTS for step in other.steps)
        )
    ]
    tests = any(map(_tool, start_commands(stage)))
    if others and (DEVELOPMENT_STAGE.search(stage.label) or tests):
        last = others[-1]
        is_below = last in stage.lineage or last in stage.origins.values()
        yield Problem(
            stage.start,
            f"`docker build` without --target builds {stage.label}, which is for {'tests' if tests else 'development'}",
            f"end with `FROM {last.name or '<its name>'}`" if is_below else f"move stage {last.label} to the end",
            edits=insert_below(stage.steps[-1].instruction, f"\nFROM {last.name}")
            if last.name and last.state.user == stage.state.user
            else (),
        )


@rule(
    "missing-tools",
    Severity.WARNING,
    bad="""
FROM python:3.12-slim AS builder
RUN --mount=type=cache,target=/root/.cache/pip \\
    --mount=type=bind,source=requirements.txt,target=requirements.txt \\
    pip install -r requirements.txt

FROM builder AS dev
COPY . .
RUN pytest

FROM builder AS production
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0"]
""",
    good="""
FROM python:3.12-slim AS builder
RUN --mount=type=cache,target=/root/.cache/pip \\
    --mount=type=bind,source=requirements.txt,target=requirements.txt \\
    pip install -r requirements.txt

FROM builder AS dev
RUN --mount=type=cache,target=/root/.cache/pip \\
    --mount=type=bind,source=requirements-dev.txt,target=requirements-dev.txt \\
    pip install -r requirements-dev.txt
COPY . .
RUN pytest

FROM builder AS production
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0"]
""",
)
def missing_tools(dockerfile: Dockerfile) -> Iterator[Problem]:
    """A stage runs a check without installing its tool.

    Either the build fails with "not found", or the tool is one of the service's packages, and so it is published too.
    Install development tools in the stage that uses them, from a separate file.
    """
    published = dockerfile.published
    shipped = _shipped(published)
    held: dict[int, _Packages] = {}
    for stage in dockerfile.stages:
        packages = held[stage.parent.index] if stage.parent else _Packages(not stage.state.is_bare, {})
        for step in stage.steps:
            found = None
            for command, installation in zip(step.commands, step.installed, strict=True):
                if tool := _tool(command):
                    found = found or packages.lack(tool, stage is published)
                elif _may_install(command):
                    packages = _Packages(True, {})
                if installation:
                    packages = packages.with_installed(installation, step.state, stage, shipped)
            if found:
                fix = "install it in this stage, from a file such as requirements-dev.txt"
                yield Problem(step.instruction, found, fix)
            packages = packages.with_copied(step, held)
        held[stage.index] = packages


@dataclass(frozen=True, slots=True)
class _Packages:
    """The Python packages of a stage: where they are, what installed them, and whether they are published too.

    `unknown` means that there may be others.
    """

    unknown: bool
    folders: Mapping[str, tuple[str, bool]]

    def lack(self, tool: str, published: bool) -> str | None:
        """Return what is wrong with running the tool here, or None if it may be installed."""
        if self.unknown or (self.folders and (published or not all(shipped for _, shipped in self.folders.values()))):
            return None
        if not self.folders:
            return f"this stage runs {tool}, but nothing installs it"
        source, _ = next(iter(self.folders.values()))
        return f"this stage runs {tool} but does not install it: if {source} does, it is published too"

    def with_installed(
        self, installation: Installation, state: State, stage: Stage, shipped: Callable[[Stage, str], bool]
    ) -> _Packages:
        """Return these packages and those that a command in the stage installs."""
        folder = None if self.unknown else installation.prefix(state)
        if folder is None or not _is_runtime(installation):
            return _Packages(True, {})
        source = next(iter(installation.files), f"`{installation.command}`")
        return self._and({folder: (source, shipped(stage, folder))})

    def with_copied(self, step: Step, held: Mapping[int, _Packages]) -> _Packages:
        """Return these packages and those that a step copies. `held` are the packages of earlier stages."""
        if self.unknown or any("from" in mount for mount in step.instruction.mounts):
            return _Packages(True, {})
        if not step.instruction.flag("from") or step.takes_installers:
            return self
        if not isinstance(step.origin, Stage) or held[step.origin.index].unknown:
            return _Packages(True, {})
        copied = {folder: known for folder, known in held[step.origin.index].folders.items() if _takes(step, folder)}
        return self._and(copied)

    def _and(self, folders: Mapping[str, tuple[str, bool]]) -> _Packages:
        """Return these packages and those in other folders."""
        folders = {**self.folders, **folders}
        return _Packages(True, {}) if len(folders) > MOST_FOLDERS else _Packages(False, folders)


def _tool(command: tuple[str, ...]) -> str | None:
    """Return the tool that a command runs, by name or as a module."""
    program, *words = command
    if re.fullmatch(r"python[\d.]*", program) and words[:1] == ["-m"] and len(words) > 1:
        program = words[1]
    return program if program in TOOLS else None


def _may_install(command: tuple[str, ...]) -> bool:
    """Return whether a command may install tools in a way that is not recognized as an installation."""
    program, *words = command
    if program in MANAGERS:
        return any(word.startswith(("py-", "py3-", "python3-")) or word in TOOLS for word in words)
    return may_do_anything(command) or (program == "uv" and words[:1] == ["tool"])


def _shipped(published: Stage) -> Callable[[Stage, str], bool]:
    """Return a function that checks whether the published stage contains a folder of a stage, or a part of it."""
    takers: dict[Stage | Image | None, list[Step]] = {}
    for step in published.history:
        takers.setdefault(step.origin, []).append(step)

    @cache
    def shipped(stage: Stage, folder: str) -> bool:
        return stage in published.lineage or any(_takes(step, folder) for step in takers.get(stage, []))

    return shipped


def _takes(step: Step, folder: str) -> bool:
    """Return whether a COPY from another stage takes the folder or a part of it."""
    sources = (f"/{source.strip('/')}/" for source in step.instruction.words[:-1])
    return any(source.startswith(f"{folder}/") or f"{folder}/".startswith(source) for source in sources)


def _is_runtime(installation: Installation) -> bool:
    """Return whether it is known to install only what the service needs at run time."""
    names = {_package(word) for word in installation.named if not word.startswith((".", "-"))}
    if not names <= RUNTIME or any("[" in word for word in installation.named):
        return False
    if installation.command == "uv sync":
        return not {"--no-dev", "--no-default-groups"}.isdisjoint(installation.arguments)
    by_name = installation.command in {"pip install", "uv pip install"}
    return by_name and all(RUNTIME_FILE.fullmatch(file) for file in installation.files)
