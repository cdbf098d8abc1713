"""System packages: what apt-get, apk and dnf install, and whether a stage can contain a program."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from app.review.stage import Stage, Step

MANAGERS = frozenset({"apk", "apt", "apt-get", "aptitude", "dnf", "microdnf", "yum"})
INSTALL = frozenset({"add", "install"})
REMOVE = frozenset({"autoremove", "del", "erase", "purge", "remove"})
VALUED = frozenset({"-c", "-o", "-t", "--default-release", "--option", "--repository", "--virtual", "-X"})

COMPILERS = frozenset(
    {"alpine-sdk", "build-base", "build-essential", "cargo", "clang", "cmake", "g++", "gcc", "gcc-c++", "gfortran"}
    | {"llvm", "ninja-build", "rust", "rustc"}
)

# Packages that do not install adduser, curl or wget, by `apt-get --simulate install` of each on Debian 13. Neither does
# curl install wget or adduser, nor wget curl.
PLAIN = frozenset(
    {"autoconf", "automake", "bash-completion", "binutils", "build-essential", "bzip2", "ca-certificates", "cmake"}
    | {"default-libmysqlclient-dev", "default-mysql-client", "dnsutils", "dumb-init", "file", "fontconfig"}
    | {"fonts-liberation", "g++", "gcc", "gettext-base", "gfortran", "gosu", "graphviz", "htop", "iputils-ping", "jq"}
    | {"less", "libbz2-dev", "libc6-dev", "libcairo2", "libcairo2-dev", "libcurl4-openssl-dev", "libevent-dev"}
    | {"libffi-dev", "libfreetype6-dev", "libgdk-pixbuf-2.0-0", "libgeos-dev", "libgl1", "libglib2.0-0"}
    | {"libglib2.0-dev", "libgomp1", "libjpeg-dev", "libkrb5-dev", "libldap2-dev", "libmagic1", "libmariadb-dev"}
    | {"libmariadb3", "libncurses5-dev", "libopenblas-dev", "libpango-1.0-0", "libpangocairo-1.0-0", "libpq-dev"}
    | {"libpq5", "libproj-dev", "libreadline-dev", "libsasl2-dev", "libsm6", "libsndfile1", "libspatialindex-dev"}
    | {"libsqlite3-dev", "libssl-dev", "libtool", "libxext6", "libxi6", "libxml2-dev", "libxmlsec1-dev"}
    | {"libxrender1", "libxslt1-dev", "libyaml-dev", "locales", "lsb-release", "make", "mariadb-client", "nano"}
    | {"netcat-openbsd", "netcat-traditional", "nginx", "nodejs", "openssl", "patch", "pkg-config", "pkgconf"}
    | {"postgresql-client", "procps", "python3", "python3-dev", "python3-pip", "python3-venv", "rsync"}
    | {"shared-mime-info", "sqlite3", "sudo", "supervisor", "swig", "telnet", "tesseract-ocr", "tini", "tk", "tzdata"}
    | {"unixodbc-dev", "unzip", "vim", "xz-utils", "zip", "zlib1g-dev"}
)
# Programs that install no other programs. Any other program may do anything.
HARMLESS = frozenset(
    {"", ":", "[", "addgroup", "adduser", "apt-mark", "awk", "cat", "cd", "chgrp", "chmod", "chown", "cp", "curl"}
    | {"date", "echo", "export", "false", "find", "fi", "done", "for", "esac", "case", "}", "getent", "git", "grep"}
    | {"groupadd", "groupmod", "head", "id", "install", "ldconfig", "ln", "locale-gen", "ls", "mkdir", "mv", "pip"}
    | {"pip3", "poetry", "printf", "pwd", "pytest", "python", "python3", "rm", "rmdir", "ruff", "mypy", "sed", "set"}
    | {"sort", "tail", "tar", "tee", "test", "touch", "tr", "true", "umask", "unset", "unzip", "update-ca-certificates"}
    | {"useradd", "usermod", "uv", "wc", "wget", "which", "whoami"}
)
PROGRAM_FOLDERS = frozenset({"/", "/bin", "/sbin", "/usr", "/usr/bin", "/usr/sbin"})


def _subcommand(words: Sequence[str]) -> tuple[str, list[str]]:
    """Return the action in the arguments of a package manager, and the packages."""
    plain = [word for before, word in pairwise(["", *words]) if not word.startswith("-") and before not in VALUED]
    names = [re.split(r"[=:~<>]", word, maxsplit=1)[0] for word in plain[1:]]
    return (plain[0] if plain else ""), names


def _orders(step: Step) -> list[tuple[str, list[str]]]:
    """Return the actions of package managers in a RUN."""
    return [_subcommand(words) for program, *words in step.commands if program in MANAGERS]


def removes(step: Step) -> bool:
    """Return whether a RUN removes system packages by name."""
    return any(subcommand in REMOVE and packages for subcommand, packages in _orders(step))


def installed(step: Step) -> set[str]:
    """Return the system packages that a RUN installs, or none if it also removes packages."""
    if removes(step):
        return set()  # it is unknown which other packages that removes
    return {name for subcommand, packages in _orders(step) if subcommand in INSTALL for name in packages}


def lacks(program: str, stage: Stage) -> bool:
    """Return whether a stage is known not to contain the program (adduser, curl or wget)."""
    return (
        stage.image is not None
        and stage.image.has(program) is False
        and not any(may_bring(program, command) for step in stage.history for command in step.commands)
        and not any(may_copy(program, step) for step in stage.history)
    )


def may_bring(program: str, command: Sequence[str]) -> bool:
    """Return whether a command may install the program."""
    name, *words = command
    if name in MANAGERS:
        subcommand, packages = _subcommand(words)
        return subcommand in INSTALL and not PLAIN.issuperset(set(packages) - ({"curl", "wget"} - {program}))
    # Playwright, for example, installs system packages with these options.
    return may_do_anything(command) or "install-deps" in words or "--with-deps" in words


def may_do_anything(command: Sequence[str]) -> bool:
    """Return whether a command is an unknown program, or a Python script other than Django's manage.py."""
    name, *words = command
    if name in {".", "source"}:
        return not words or words[0].rpartition("/")[2] not in {"activate", "env", "os-release"}
    script = words[0] if name in {"python", "python3"} and words else ""
    return name not in HARMLESS or (script.endswith(".py") and script != "manage.py")


def may_copy(program: str, step: Step) -> bool:
    """Return whether a COPY or ADD may add the program."""
    if step.instruction.keyword not in {"ADD", "COPY"}:
        return False
    sources = [source.rpartition("/")[2] for source in step.instruction.words[:-1]]
    if program in sources:
        return True
    if not step.instruction.flag("from") and step.instruction.keyword == "COPY":
        return False
    return not step.takes_installers and (step.destination is None or step.destination in PROGRAM_FOLDERS)


def compilers(steps: Iterable[Step]) -> Iterator[tuple[Step, list[str]]]:
    """Yield the steps that install compilers and do not remove them, each with their names."""
    for step in steps:
        if found := sorted(COMPILERS & installed(step)):
            yield step, found
