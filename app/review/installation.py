"""Installations of Python packages: the commands that install, and what they install."""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from app.review.state import State

# The names may end with a version: `pip3`, `python3.12`, `python${VERSION}`.
PIP = re.compile(r"pip[\d.]*+(?:\$.*)?")
PYTHON = re.compile(r"(?:python|pypy)[\d.]*+(?:\$.*)?")
# Commands that install packages, and commands that install a project with its dependencies.
PACKAGES = frozenset({"pip install", "pip download", "pip wheel", "uv add", "uv pip install", "uv pip sync"})
PROJECTS = frozenset(
    {"pdm install", "pdm sync", "pipenv install", "pipenv sync", "poetry install", "poetry sync", "uv sync"}
)
PROJECT_FILES = frozenset({"Pipfile", "Pipfile.lock", "pdm.lock", "poetry.lock", "pyproject.toml", "uv.lock"})
# Options of these commands to install only the dependencies.
NO_PROJECT = frozenset({"--no-install-project", "--no-install-workspace", "--no-root", "--no-self"})
# Tools with a virtual environment in the project's folder, each with the variable that must be set for that.
IN_PROJECT = {"pdm": "", "pipenv": "PIPENV_VENV_IN_PROJECT", "poetry": "POETRY_VIRTUALENVS_IN_PROJECT"}
# Tools that install packages, and so are not dependencies of a service.
INSTALLERS = frozenset({"build", "hatch", "pdm", "pip", "pipenv", "poetry", "setuptools", "uv", "uvx", "wheel"})
# Options of pip and uv that are followed by a value.
VALUED = frozenset(
    {
        "-r",
        "--requirement",
        "--requirements",
        "--cache-dir",
        "--cert",
        "--config-settings",
        "--constraint",
        "--default-index",
        "--extra-index-url",
    }
    | {"--find-links", "--group", "--index", "--index-strategy", "--index-url", "--no-binary", "--only-binary"}
    | {"--platform", "--prefix", "--progress-bar", "--proxy", "--python", "--python-version", "--retries", "--root"}
    | {"--root-user-action", "--target", "--timeout", "--trusted-host", "--upgrade-strategy", "--wheel-dir"}
    | {"-c", "-f", "-i", "-t", "-w"}
)
# A path or an editable project, not the name of a package.
LOCAL = re.compile(r"[./]|file:|-e|--editable|\S+\.whl$")
ARCHIVE = re.compile(r"(?!https?:)\S+(?:\.whl|\.tar\.gz|/\*)$")


@dataclass(frozen=True)
class Installation:
    """A command that installs Python packages, such as `pip install` or `uv sync`, and its arguments."""

    command: str
    arguments: tuple[str, ...]

    @property
    def tool(self) -> str:
        """The program whose cache stores the downloads."""
        return self.command.split()[0]

    @cached_property
    def named(self) -> list[str]:
        """The packages, projects and archives that it names."""
        pairs = pairwise(("", *self.arguments))
        words = [word for before, word in pairs if before not in VALUED]
        return [word for word in words if LOCAL.match(word) or not word.startswith("-")]

    @cached_property
    def has_project(self) -> bool:
        """Whether it names a local project, whose source must exist."""
        return any(LOCAL.match(word) and not ARCHIVE.match(word) for word in self.named)

    @property
    def reads_file(self) -> bool:
        """Whether it installs from a requirements file."""
        return bool(self.files)

    @cached_property
    def downloads(self) -> bool:
        """Whether it downloads packages."""
        options = set(self.arguments)
        if {"--no-index", "--offline", "--only-root"} & options:
            return False
        if self.project_only and {"--no-build-isolation", "--no-deps"} <= options:
            return False
        return self.reads_file or not self.named or not all(ARCHIVE.match(word) for word in self.named)

    @cached_property
    def dependencies(self) -> bool:
        """Whether it installs dependencies of a service, not only tools or the project itself."""
        if self.project_only:
            return "--no-deps" not in self.arguments
        names = {re.split(r"[^\w-]", word, maxsplit=1)[0].lower() for word in self.named}
        return self.reads_file or not names or not names <= INSTALLERS

    @cached_property
    def files(self) -> list[str]:
        """The requirements files that it reads."""
        return [value for name, value in self.options if name in {"-r", "--requirement", "--requirements"}]

    @property
    def reads(self) -> Set[str]:
        """The names of the files and folders that it reads, by its arguments or by default."""
        if self.command in PROJECTS:
            return PROJECT_FILES
        return {name for file in self.files for name in file.split("/")}

    @cached_property
    def options(self) -> list[tuple[str, str]]:
        """The options with a value: `--prefix=/x`, `--prefix /x`, `-rfile`."""
        found = []
        for word, following in pairwise((*self.arguments, "")):
            name, equals, value = word.partition("=")
            if word in VALUED:
                found.append((word, following))
            elif equals and word.startswith("--"):
                found.append((name, value))
            elif word[:2] in VALUED:
                found.append((word[:2], word[2:]))
        return found

    def prefix(self, state: State) -> str | None:
        """Return the folder in which it installs in this state, or None if that is unknown."""
        options = dict(self.options)
        variables = state.variables
        for option in ("-t", "--target", "--prefix"):
            if option in options:
                return state.path(options[option])
        if "--root" in options or "--python" in options:
            return None
        if self.command in {"pip wheel", "pip download"}:
            folder = next((options[name] for name in ("-w", "--wheel-dir", "-d", "--dest") if name in options), ".")
            return state.path(folder)
        if self.tool in IN_PROJECT and (variable := IN_PROJECT[self.tool]) in {"", *variables}:
            is_on = not variable or (variables[variable] or "").lower() in {"1", "true", "yes"}
            return state.path(".venv") if is_on else None
        if self.command == "uv sync":
            return state.path(variables.get("UV_PROJECT_ENVIRONMENT", ".venv") or "$")
        if "--user" in self.arguments or variables.get("PIP_USER"):
            home = variables.get("HOME", "/root" if state.is_root else None)
            return variables.get("PYTHONUSERBASE", home and f"{home}/.local")
        if "VIRTUAL_ENV" in variables:
            return variables["VIRTUAL_ENV"]
        first = (variables.get("PATH") or "").partition(":")[0]
        return first.removesuffix("/bin") if self.tool in {"pip", "uv"} and first.endswith("/bin") else None

    @cached_property
    def project_only(self) -> bool:
        """Whether it names only local projects, whose source must exist."""
        if self.command in PROJECTS:
            return NO_PROJECT.isdisjoint(self.arguments)
        return bool(self.named) and not self.reads_file and all(LOCAL.match(word) for word in self.named)


def installation(command: tuple[str, ...]) -> Installation | None:
    """Return the command as an installation of Python packages, or None if it is not one."""
    return _installation(*module(*command))


def module(program: str, *words: str) -> tuple[str, list[str]]:
    """Return the module that Python runs and its arguments, or the unchanged command if it is not Python."""
    if PYTHON.fullmatch(program):
        for at, word in enumerate(words):
            if match := re.fullmatch(r"-[A-Za-ln-z]*+m(\w*+)", word):
                module = [match[1]] if match[1] else list(words[at + 1 : at + 2])
                return (module or [""])[0], list(words[at + 1 + (not match[1]) :])
            if not word.startswith("-"):
                break
    return program, list(words)


def _installation(program: str, words: list[str]) -> Installation | None:
    command = "pip" if PIP.fullmatch(program) else program
    for at, word in enumerate(words):
        # Skip options before the subcommand, and values of options that are paths or URLs.
        if word.startswith("-") or "/" in word:
            continue
        command = f"{command} {word}"
        if command in PACKAGES | PROJECTS:
            options = (word for word in words[:at] if word.startswith("-"))
            return Installation(command, (*options, *words[at + 1 :]))
        if command != "uv pip":
            break
    return None
