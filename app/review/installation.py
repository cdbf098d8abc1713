"""Installations of Python packages: which of a RUN's commands install, and what they install from."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.review.syntax import Instruction

PIP = re.compile(r"pip[\d.]*+")
PYTHON = re.compile(r"(?:python|pypy)[\d.]*+")
# What each tool's subcommands install. The words of a nested subcommand are joined: `uv pip install`.
PACKAGES = frozenset({"pip install", "pip download", "pip wheel", "uv pip install", "uv pip sync"})
PROJECTS = frozenset({"uv sync", "poetry install", "pipenv install", "pipenv sync", "pdm install", "pdm sync"})
# A path, the project in the working directory, or an editable one; not a package by its name.
LOCAL = re.compile(r"\.|/|file:|-e|--editable")


@dataclass(frozen=True, slots=True)
class Installation:
    """One command that installs Python packages: `pip install`, `uv sync` …, and its arguments."""

    command: str
    arguments: tuple[str, ...]

    @property
    def tool(self) -> str:
        """The program whose cache the downloads go to."""
        return self.command.split()[0]

    @property
    def downloads(self) -> bool:
        """Whether packages come over the network."""
        return not {"--no-index", "--offline"} & set(self.arguments)

    @property
    def dependencies(self) -> bool:
        """Whether more is installed than what is named."""
        return "--no-deps" not in self.arguments

    @property
    def project_only(self) -> bool:
        """Whether it names nothing but local projects, whose source has to be there already."""
        if self.command in PROJECTS:
            return not {"--no-install-project", "--no-root"} & set(self.arguments)
        named = [word for word in self.arguments if LOCAL.match(word) or not word.startswith("-")]
        reads_file = any(re.match("-r|--requirement", word) for word in self.arguments)
        return bool(named) and not reads_file and all(LOCAL.match(word) for word in named)


def installations(instruction: Instruction) -> list[Installation]:
    """The commands of a RUN that install Python packages, in order; none for another instruction."""
    if instruction.keyword != "RUN":
        return []
    found = []
    for program, *words in instruction.commands:
        if PYTHON.fullmatch(program) and "-m" in words[:-1]:
            program, *words = words[words.index("-m") + 1 :]
        if PIP.fullmatch(program):
            program = "pip"
        command, rest = program, words
        # Options may stand before the subcommand, with values that are none.
        for at, word in enumerate(words):
            if word.startswith("-"):
                continue
            if f"{command} {word}" in PACKAGES | PROJECTS:
                found.append(Installation(f"{command} {word}", tuple(rest[at + 1 :])))
                break
            if (command, word) == ("uv", "pip"):
                command = "uv pip"
    return found
