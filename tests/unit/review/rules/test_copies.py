"""Rules about copies that cannot work."""

import pytest

from tests.unit.review.rules.table import fixes, lines

SLIM = "FROM python:3.12-slim\n"
BUILD = "FROM python:3.12-slim AS build\n"
VENV = "RUN python -m venv /opt/venv\nENV PATH=/opt/venv/bin:$PATH\nRUN pip install -r requirements.txt\n"
UVICORN = 'CMD ["uvicorn", "app:app", "--host", "0.0.0.0"]\n'
MOVED = f"{BUILD}{VENV}{SLIM}ENV PATH=/v/bin:$PATH\nCOPY --from=build /opt/venv /v\n"
PACKAGES = "/usr/local/lib/python3.12/site-packages"


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        (f"{BUILD}{SLIM}COPY --from=build /x /x\nCOPY --from=0 /x /x\nCOPY --from=BUILD /x /x", []),
        (f"{BUILD}{SLIM}COPY --from=busybox /x /x\nCOPY --from=docker.io/bulid /x /x", []),
        (f"FROM a AS nodes\n{SLIM}COPY --from=node /x /x", []),  # an existing image
        (f"FROM a AS test\n{SLIM}COPY --from=release /x /x", []),
        (f"{BUILD}{SLIM}COPY --from=bulid /x /x", [3]),
        ("FROM python:3.12-slim AS build\nFROM bulid", [2]),
        (f"{BUILD}{SLIM}RUN --mount=type=bind,from=biuld,target=/x true", [3]),
        (f"{BUILD}{SLIM}COPY --from=1 /x /x", [3]),
        (f"{BUILD}{SLIM}COPY --from=2 /x /x", [3]),
        (f"{SLIM}COPY --from=build /x /x\n{BUILD}", [2]),
        (f"{BUILD}COPY --from=build /x /x", [2]),
    ],
)
def test_no_such_stage(dockerfile: str, expected: list[int]) -> None:
    assert lines("no-such-stage", dockerfile) == expected


@pytest.mark.parametrize(
    ("above", "expected"),
    [("", "add a stage above this one"), ("FROM b AS c\n", "a number up to 0, or a stage's name")],
)
def test_no_such_stage_names_the_numbers_that_exist(above: str, expected: str) -> None:
    assert fixes("no-such-stage", f"{above}FROM a\nCOPY --from=7 /x /y\n") == [expected]


@pytest.mark.parametrize(
    ("instruction", "dockerignore", "found"),
    [
        ("COPY a.txt .", None, False),
        ("COPY a.txt .", "", False),
        ("COPY a.txt .", "b.txt", False),
        ("COPY a.txt .", "*\n!a.txt", False),
        ("COPY app .", "*\n!app/main.py", False),
        ("COPY app .", "*\n!**/*.py", False),
        ("COPY *.txt .", "a.txt", False),
        ("COPY . .", "*", False),
        ("COPY --from=x a.txt .", "*", False),
        ("COPY a.txt .", "*.txt", True),
        ("ADD app app", "*", True),
        ("COPY ./sub/a.txt .", "sub", True),
        ("COPY a.txt .", "!a.txt\n*", True),
        ("RUN --mount=type=bind,source=a.txt,target=/a true", "a.*", True),
        (f"COPY {'a' * 101} .", "*", False),  # nobody writes such a path
        (f"COPY {'a ' * 60}b/", "a", True),
        (f"COPY {' '.join(map(str, range(60)))} a b/", "a", False),  # nor so many
    ],
)
def test_not_in_context(instruction: str, dockerignore: str | None, found: bool) -> None:
    assert lines("not-in-context", SLIM + instruction, dockerignore) == ([2] if found else [])


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        (f"ARG A=1\n{SLIM}ARG A\nWORKDIR /$A", []),
        (f"ARG A=1\n{SLIM}WORKDIR /${{A:-b}}", []),
        (f"ARG A=1\n{SLIM}ENV A=2\nRUN echo $A", []),
        (f"ARG A=1\n{SLIM}RUN A=2 && echo $A", []),
        (f"ARG A=1\n{SLIM}RUN for A in 1 2; do echo $A; done", []),
        (f"ARG A=1\n{SLIM}RUN echo '$A'", []),
        (f"ARG A=1\n{SLIM}CMD echo $A", []),  # it may be set at run time
        (f"ARG PYTHON_VERSION=3.12\n{SLIM}RUN echo $PYTHON_VERSION", []),  # the image sets it
        ("ARG A=1\nFROM company/base\nWORKDIR /$A", []),  # the image may set it
        (f"{SLIM}RUN echo $ANY", []),
        (f"{SLIM}ARG TARGETARCH\nRUN echo $TARGETARCH", []),
        ("ARG V=1\nFROM python:$V", []),
        (f"ARG A=1\n{SLIM}WORKDIR /$A\nCOPY x ${{A}}/y", [3, 4]),
        (f"ARG A=1\n{SLIM}RUN echo $A", [3]),
        (f"{SLIM}RUN echo $TARGETARCH", [2]),
        (f"ARG version=1\n{SLIM}RUN pip install app==$version", [3]),
        (f"ARG OWNER=1\n{SLIM}COPY --chown=$OWNER x /x", [3]),
        (f"FROM python:3.12-slim AS a\nARG A=1\n{SLIM}RUN echo $A", [4]),
        (f"{SLIM}RUN echo $A\nARG A=1", [2]),
    ],
)
def test_undefined_variable(dockerfile: str, expected: list[int]) -> None:
    assert lines("undefined-variable", dockerfile) == expected


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        (f"{BUILD}{VENV}{SLIM}ENV PATH=/opt/venv/bin:$PATH\nCOPY --from=build /opt/venv /opt/venv\n{UVICORN}", []),
        (f"{BUILD}{VENV}{SLIM}ENV PATH=/opt/venv/bin:$PATH\nCOPY --from=build /opt/ /opt/\n{UVICORN}", []),
        # The Python of the environment finds its packages at any path.
        (f'{BUILD}{VENV}{SLIM}COPY --from=build /opt/venv /v\nCMD ["/v/bin/python", "-m", "app"]', []),
        (f'{BUILD}{VENV}{SLIM}COPY --from=build /opt/venv /v\nCMD ["uvicorn", "app:app"]', []),  # from elsewhere
        (f"{MOVED}RUN sed -i s:/opt/venv:/v: /v/bin/*\n{UVICORN}", []),
        (f"{MOVED}{UVICORN}", [7]),
        (f'{BUILD}{VENV}{SLIM}COPY --from=build /opt /srv\nCMD ["/srv/venv/bin/uvicorn", "app:app"]', [6]),
        (
            f"{BUILD}ENV POETRY_VIRTUALENVS_IN_PROJECT=1\nWORKDIR /b\nRUN poetry install --only main\n"
            f"{SLIM}ENV PATH=/a/.venv/bin:$PATH\nCOPY --from=build /b/.venv /a/.venv\n{UVICORN}",
            [7],
        ),
    ],
)
def test_virtual_environment_works_only_at_its_path(dockerfile: str, expected: list[int]) -> None:
    assert lines("copy-between-stages", dockerfile) == expected


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        (f"FROM python:3.12 AS build\n{VENV}{SLIM}COPY --from=build /opt/venv /opt/venv", []),
        (f"FROM python:3 AS build\n{VENV}{SLIM}COPY --from=build /opt/venv /opt/venv", []),
        (f"FROM python:3.13 AS build\nRUN make\n{SLIM}COPY --from=build /wheels /wheels", []),
        (f"FROM python:3.13 AS build\n{VENV}{SLIM}COPY --from=build /opt/venv /opt/venv", [6]),
        (f"{BUILD}{SLIM}COPY --from=build /x /usr/local/lib/python3.11/site-packages/", [3]),
        (f"FROM python:3.12-alpine AS build\n{VENV}{SLIM}COPY --from=build /opt/venv /opt/venv", [6]),
        (f"{BUILD}{VENV}FROM python:3.12-alpine\nCOPY --from=build /opt/venv /opt/venv", [6]),
        (f"{BUILD}RUN make\nFROM python:3.12-alpine\nCOPY --from=build /site /site", []),
        (f"FROM python:3.12-alpine AS build\nRUN pip wheel -w /wheels a\n{SLIM}COPY --from=build /wheels /wheels", [4]),
    ],
)
def test_packages_need_their_python_and_c_library(dockerfile: str, expected: list[int]) -> None:
    assert lines("copy-between-stages", dockerfile) == expected


UV = "FROM ghcr.io/astral-sh/uv:bookworm-slim AS build\nWORKDIR /srv\n"
SYNC = "RUN uv sync --no-dev\n"


@pytest.mark.parametrize(
    ("build", "copy", "found"),
    [
        (
            "FROM ghcr.io/astral-sh/uv:python3.12-bookworm AS build\nWORKDIR /srv\n" + SYNC,
            "/srv/.venv /srv/.venv",
            False,
        ),
        (UV + "ENV UV_PYTHON_PREFERENCE=only-system\n" + SYNC, "/srv/.venv /srv/.venv", False),
        (UV + "RUN apt-get install -y python3\n" + SYNC, "/srv/.venv /srv/.venv", False),
        (UV + SYNC, "/root/.local /root/.local\nCOPY --from=build /srv/.venv /srv/.venv", False),
        (UV + SYNC, "/srv/.venv /srv/.venv", True),
        ("FROM debian:bookworm-slim AS build\nWORKDIR /srv\n" + SYNC, "/srv/.venv /srv/.venv", True),
        (f"{BUILD}WORKDIR /srv\nRUN uv python install 3.13\n{SYNC}", "/srv/.venv /srv/.venv", True),
        (UV + "ENV UV_PYTHON_INSTALL_DIR=/python\n" + SYNC, "/srv /srv", True),
    ],
)
def test_python_that_uv_downloads_must_be_copied(build: str, copy: str, found: bool) -> None:
    dockerfile = f"{build}FROM debian:bookworm-slim\nCOPY --from=build {copy}\n"
    assert bool(lines("copy-between-stages", dockerfile)) is found


@pytest.mark.parametrize(
    ("copies", "start", "found"),
    [
        (f"COPY --from=build {PACKAGES} {PACKAGES}\n", 'CMD ["python", "-m", "uvicorn", "app:app"]', False),
        (f"COPY --from=build {PACKAGES} {PACKAGES}\nCOPY --from=build /usr/local/bin /usr/local/bin\n", UVICORN, False),
        (
            f"COPY --from=build {PACKAGES} {PACKAGES}\nCOPY --from=build /usr/local/bin/uvicorn /usr/local/bin/\n",
            UVICORN,
            False,
        ),
        (f"COPY --from=build {PACKAGES} {PACKAGES}\nRUN pip install uvicorn\n", UVICORN, False),
        ("COPY --from=build /usr/local /usr/local\n", UVICORN, False),
        (f"COPY --from=build {PACKAGES} {PACKAGES}\n", UVICORN, True),
        ("COPY --from=build /usr/local/lib /usr/local/lib\n", UVICORN, True),
    ],
)
def test_scripts_must_be_copied_with_their_packages(copies: str, start: str, found: bool) -> None:
    dockerfile = f"{BUILD}RUN pip install -r requirements.txt\n{SLIM}{copies}{start}"
    assert bool(lines("copy-between-stages", dockerfile)) is found


def test_variable_of_another_stage_needs_a_value() -> None:
    dockerfile = f"FROM python:3.12-slim AS a\nARG A=1\n{SLIM}RUN echo $A"
    assert fixes("undefined-variable", dockerfile) == ["ARG A=… in this stage, above"]
