"""System packages, and the programs in a stage."""

import pytest

from app.review.dockerfile import Dockerfile
from app.review.stage import Stage
from app.review.system import COMPILERS, HARMLESS, PLAIN, compilers, installed, lacks, may_bring, may_copy, removes


def stage(dockerfile: str) -> Stage:
    """Return the last stage of a Dockerfile."""
    return Dockerfile.parse(dockerfile).published


@pytest.mark.parametrize(
    ("run", "packages"),
    [
        ("apt-get update", set()),
        ("apt-get install -y", set()),
        ("apt-get -y", set()),
        ("apt-get source gcc", set()),
        ("pip install gcc", set()),
        ("echo apt-get install gcc", set()),
        ("apt-get install -y gcc && apt-get purge -y gcc", set()),  # it is unknown which other packages this removes
        ("apk add --virtual .build gcc && make && apk del .build", set()),
        ("dnf install -y gcc && dnf erase -y gcc", set()),
        ("apt-get install -y --no-install-recommends gcc libpq5", {"gcc", "libpq5"}),
        ("apt-get -o Dpkg::Use-Pty=0 -t stable install -qy gcc", {"gcc"}),
        ("apt install gcc=4:14.2.0-1 g++:arm64", {"gcc", "g++"}),
        ("apk add --no-cache 'gcc>14' 'make<=5'", {"gcc", "make"}),
        ("apk add --no-cache --virtual .build gcc~14 musl-dev", {"gcc", "musl-dev"}),
        ("apk add --no-cache -X https://mirror.example/edge gcc", {"gcc"}),
        ("apt-get install a; apt-get install b && apt-get autoremove -y", {"a", "b"}),
        ("microdnf install -y gcc-c++ && dnf -y install git && yum install x", {"gcc-c++", "git", "x"}),
        ("<<E\nset -e\napt-get update\napt-get install -y gcc\nE", {"gcc"}),
    ],
)
def test_installed_packages(run: str, packages: set[str]) -> None:
    assert installed(stage(f"FROM a\nRUN {run}").steps[-1]) == packages


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ("apt-get install gcc", False),
        ("apt-get autoremove -y", False),
        ("apt-get purge --auto-remove", False),
        ("rm -rf gcc", False),
        ("apt-get purge -y --auto-remove gcc", True),
        ("apt-get remove $BUILD", True),
        ("apk --purge del .build", True),
    ],
)
def test_removed_packages(run: str, expected: bool) -> None:
    assert removes(stage(f"FROM a\nRUN {run}").steps[-1]) is expected


@pytest.mark.parametrize("package", sorted(COMPILERS))
def test_compilers_are_found(package: str) -> None:
    steps = stage(f"FROM a\nRUN apt-get install {package} libpq5\nCMD gcc").steps
    assert [(step.instruction.line, names) for step, names in compilers(steps)] == [(2, [package])]


@pytest.mark.parametrize(
    ("program", "command", "expected"),
    [
        ("curl", "apt-get update", False),
        ("curl", "apt-get install -y gcc libpq-dev", False),
        ("curl", "apt-get install -y wget", False),
        ("wget", "apt-get install -y curl", False),
        ("adduser", "apt-get install -y curl wget", False),
        ("curl", "apt-get remove git", False),
        ("curl", "mkdir -p /app", False),
        ("curl", "python -m venv /venv", False),
        ("curl", "python manage.py collectstatic", False),
        ("curl", "pip install curl", False),
        ("curl", "python", False),
        ("curl", "cat setup.py", False),
        ("curl", "apt-get install -y curl", True),
        ("adduser", "apt-get install -y gcc adduser", True),
        ("adduser", "apt-get install -y git", True),  # it installs adduser
        ("curl", "apt-get install -y company-tools", True),  # unknown
        ("curl", "apt-get install -y $PACKAGES", True),
        ("curl", "./setup.sh", True),
        ("curl", "make install", True),
        ("curl", "python setup_system.py", True),
        ("curl", "python3 tools/install.py gcc", True),
        ("curl", "playwright install", True),
        ("curl", "uv run playwright install --with-deps", True),
        ("curl", "python -m playwright install-deps", True),
    ],
)
def test_command_may_install_a_program(program: str, command: str, expected: bool) -> None:
    assert may_bring(program, command.split()) is expected


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("RUN cp curl /bin/", False),
        ("COPY . /app", False),
        ("COPY . .", False),
        ("COPY bin /usr/bin", False),  # from the build context, which contains no curl under another name
        ("COPY --from=a /wheels /wheels", False),
        ("COPY --from=a /usr/local /usr/local", False),
        ("COPY --from=ghcr.io/astral-sh/uv /uv /uvx /bin/", False),
        ("COPY curl /opt/curl", True),
        ("COPY tools/curl tools/x /opt/", True),
        ("COPY --from=a /usr/bin/curl /opt/", True),
        ("COPY --from=a /x /usr/bin", True),
        ("COPY --from=a / /", True),
        ("COPY --from=a /x $X", True),
        ("COPY --from=a /x .", True),
        ("ADD root.tar.gz /", True),
        ("ADD https://example.com/x /usr/bin/", True),
    ],
)
def test_copy_may_add_a_program(instruction: str, expected: bool) -> None:
    assert may_copy("curl", stage(f"FROM python:slim\n{instruction}").steps[-1]) is expected


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("FROM company/base", False),
        ("ARG I\nFROM $I", False),
        ("FROM python", False),
        ("FROM python:slim\nRUN apt-get install -y curl", False),
        ("FROM python:slim AS a\nRUN apt-get install -y curl\nFROM a", False),
        ("FROM python:slim\nRUN true && ./setup && true", False),
        ("FROM python:slim\nCOPY --from=a / /", False),
        ("FROM python:slim", True),
        ("FROM python:slim AS a\nRUN apt-get install -y curl\nFROM python:slim\nCOPY --from=a /app /app", True),
        ("FROM python:slim\nRUN apt-get update && apt-get install -y gcc && rm -rf /var/lib/apt/lists/*", True),
    ],
)
def test_stage_is_known_not_to_contain_a_program(dockerfile: str, expected: bool) -> None:
    assert lacks("curl", stage(dockerfile)) is expected


def test_known_packages_and_programs_are_consistent() -> None:
    assert not PLAIN & {"adduser", "curl", "wget"}
    assert not HARMLESS & {"apk", "apt", "apt-get", "bash", "dnf", "dpkg", "make", "sh"}
