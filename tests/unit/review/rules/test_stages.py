"""Rules about the stages."""

import pytest

from app.review.report import review
from tests.unit.review.rules.table import fixes, lines

GCC = "RUN apt-get update && apt-get install -y gcc && rm -rf /var/lib/apt/lists/*\n"
PIP = "RUN pip install -r requirements.txt\n"
CMD = 'CMD ["uvicorn", "app.main:app"]\n'


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        (f"FROM python:slim AS builder\n{GCC}{PIP}FROM python:slim\nCOPY --from=builder /x /x\n{CMD}", []),
        (f"FROM python:slim\n{PIP}", []),  # nothing starts: other images are built on it
        (f"FROM python:slim\nCOPY app app\n{CMD}", []),
        (f"FROM python:slim\nRUN pip install fastapi\n{CMD}", []),
        (f"FROM python:slim\nRUN pip install --no-index --find-links /wheels -r requirements.txt\n{CMD}", []),
        (f"FROM company/base\n{PIP}{CMD}", []),  # unknown
        (
            "FROM python:slim AS a\nFROM python:slim\nRUN apt-get update && apt-get install -y gcc libpq5 && "
            f"pip install -r requirements.txt && apt-get purge -y gcc\n{CMD}",
            [],
        ),
        (
            "FROM python:alpine AS a\nFROM python:alpine\nRUN apk add --virtual .build gcc && pip install a && "
            f"apk del .build\n{CMD}",
            [],
        ),
        (f"FROM python:slim AS base\n{GCC}{PIP}FROM base\n{CMD}", []),  # production-from-development
        # It removes what only the build needs.
        (f"FROM python:slim\nRUN apt-get install -y gcc libpq-dev && {PIP[4:-1]} && apt-get remove -y gcc\n{CMD}", []),
        (f"FROM python:alpine\nRUN apk add -t .build gcc && {PIP[4:-1]} && apk --purge del .build\n{CMD}", []),
        (f"FROM python:slim\nRUN pip install poetry\n{CMD}", []),
        (f"FROM python:slim\n{GCC}RUN pip install poetry\n{CMD}", []),
        (f"FROM python:slim\n{GCC}{CMD}", []),
        (f"FROM node AS page\nFROM python:slim\n{PIP}{CMD}", []),
        (f"FROM python:slim\nRUN pip install -r requirements.txt --no-index --find-links /wheels\n{CMD}", []),
        (f"FROM python:slim\nRUN --mount=from=b,target=/wheels pip install /wheels/*\n{CMD}", []),
        (f"FROM python:slim\nRUN apt-get install -y libgcc-s1 python3-dev\nRUN pip install a\n{CMD}", []),
        (f"FROM python:slim\n{PIP}{CMD}", [(1, "info")]),
        (f"FROM python:slim\nRUN uv sync\n{CMD}", [(1, "info")]),
        (f"FROM python:slim\nRUN apt-get autoremove -y\n{PIP}{CMD}", [(1, "info")]),
        (f"FROM python:slim\nRUN apt-get install -y g++=4:14\nRUN pip install a\n{CMD}", [(2, "warning")]),
        (f"FROM python:slim\n{GCC}{PIP}{CMD}", [(2, "warning")]),
        (f"FROM python:alpine\nRUN apk add build-base\n{PIP}{CMD}", [(2, "warning")]),
        (f"FROM python:slim AS assets\nFROM python:slim\n{GCC}{PIP}{CMD}", [(3, "warning")]),
        (f"FROM python:slim\n{GCC}RUN apt-get purge -y --auto-remove\n{PIP}{CMD}", [(2, "warning")]),
        (f"FROM company/base\n{GCC}{PIP}", [(2, "warning")]),  # it may start by itself
    ],
)
def test_single_stage(dockerfile: str, expected: list[tuple[int, str]]) -> None:
    findings = [item for item in review(dockerfile).findings if item.rule == "single-stage"]
    assert [(item.line, item.severity) for item in findings] == expected


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        (f"FROM python:slim AS base\n{PIP}FROM base\n{CMD}", []),
        (f"FROM python:slim AS dev\nRUN pip install pytest\nFROM python:slim\nCOPY --from=dev /x /x\n{CMD}", []),
        (f"FROM python:slim\nRUN pip install pytest\n{CMD}", []),  # no other stage
        (f"FROM python:slim AS base\n{GCC}FROM base AS dev", []),  # the published stage is for development
        ("FROM python:slim AS base\nRUN apt-get install -y gcc && apt-get purge -y gcc\nFROM base", []),
        ("FROM python:slim AS base\nRUN pip install -r latest.txt\nFROM base", []),
        ("FROM python:slim AS base\nRUN pip install -r /usr/local/requirements.txt\nFROM base", []),
        ("FROM python:slim AS base\nRUN pip install -r /home/dev/app/requirements.txt\nFROM base", []),
        ("FROM python:slim AS base\nRUN pip install pytestish blackbird\nFROM base", []),
        (f"FROM python:slim AS base\n{GCC}FROM base\n{CMD}", [3]),
        (f"FROM python:slim AS base\n{GCC}FROM base AS middle\nFROM middle AS production", [4]),
        ("FROM python:slim AS dev\nRUN pip install 'pytest>=8'\nFROM dev", [3]),
        ("FROM python:slim AS dev\nRUN pip install -r requirements-dev.txt\nFROM dev", [3]),
        ("FROM python:slim AS dev\nRUN pip install -r requirements/test.txt\nFROM dev", [3]),
        ("FROM python:slim AS dev\nRUN pip install -r requirements/local.txt\nFROM dev", [3]),
        ("FROM python:slim AS dev\nRUN pip install -r dev/requirements.txt\nFROM dev", [3]),
        ("FROM python:slim AS dev\nRUN uv pip install 'Black[d]'\nFROM dev", [3]),
        ("FROM company/base AS dev\nRUN pip install ruff\nFROM dev", [3]),
    ],
)
def test_production_from_development(dockerfile: str, expected: list[int]) -> None:
    assert lines("production-from-development", dockerfile) == expected


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        (f"FROM a AS dev\nFROM b AS production\n{CMD}", []),
        ("FROM a AS dev", []),  # a Dockerfile for development
        ("FROM a AS builder\nFROM b AS dev", []),
        (f"FROM a AS production\n{CMD}FROM b", []),
        (f"FROM a AS production\nFROM b AS devices\n{CMD}", []),
        ('FROM a AS production\nFROM b AS last\nCMD ["python", "-m", "app"]', []),
        ("FROM a AS production\nFROM production AS dev", [2]),
        ('FROM a AS production\nFROM b AS last\nCMD ["uv", "run", "pytest"]', [2]),
        ("FROM a AS production\nFROM b AS ci\nCMD []", [2]),
        ("FROM a AS production\nFROM b AS test-unit", [2]),
        (f"FROM a AS server\n{CMD}FROM server AS development", [3]),
        ('FROM a AS production\nFROM b AS last\nCMD ["pytest"]', [2]),
        ('FROM a AS runtime\nFROM b\nCMD ["python", "-m", "pytest"]', [2]),
    ],
)
def test_development_published(dockerfile: str, expected: list[int]) -> None:
    assert lines("development-published", dockerfile) == expected


# The published stage also contains the packages of the builder.
PUBLISHED = f"FROM python:slim\nCOPY --from=builder /usr/local /usr/local\n{CMD}"


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("FROM python:slim AS dev\nRUN pip install pytest\nRUN pytest\nFROM python:slim", []),
        ("FROM python:slim AS dev\nRUN pip install pytest && pytest\nFROM python:slim", []),
        ("FROM python:slim AS dev\nRUN pip install 'pytest[all]==8'\nRUN python -m pytest\nFROM python:slim", []),
        ("FROM python:slim AS dev\nRUN pip install pytest-cov\nRUN pytest\nFROM python:slim", []),
        ("FROM python:slim AS dev\nRUN pip install -r requirements-dev.txt\nRUN ruff check .\nFROM python:slim", []),
        ("FROM python:slim AS dev\nRUN pip install -r all.txt\nRUN pytest\nFROM python:slim", []),  # unknown
        ("FROM python:slim AS dev\nRUN pip install -e .[dev]\nRUN pytest\nFROM python:slim", []),
        ("FROM python:slim AS dev\nRUN uv sync\nRUN pytest\nFROM python:slim", []),  # with its dev group
        ("FROM python:slim AS dev\nRUN uv run pytest\nFROM python:slim", []),
        ("FROM python:slim AS dev\nRUN uvx ruff && ruff\nFROM python:slim", []),
        ("FROM python:slim AS dev\nRUN ./install-tools\nRUN pytest\nFROM python:slim", []),  # unknown
        ("FROM python:slim AS dev\nRUN apt-get install -y python3-pytest\nRUN pytest\nFROM python:slim", []),
        ("FROM company/base AS dev\nRUN pytest\nFROM python:slim", []),  # unknown
        ("FROM python:slim AS dev\nRUN python setup.py develop\nRUN pytest\nFROM python:slim", []),  # unknown
        ("FROM python:slim AS dev\nRUN python tools/install.py && pytest\nFROM python:slim", []),  # unknown
        ("FROM python:slim AS dev\nRUN uv tool install ruff\nRUN ruff\nFROM python:slim", []),
        ("FROM python:slim AS dev\nRUN --mount=from=b,target=/x pip install /x/*\nRUN pytest\nFROM python:slim", []),
        ("FROM python:slim AS a\nRUN x\nFROM python:slim AS dev\nCOPY --from=a /build /build\nRUN pytest\nFROM a", []),
        ("FROM python:slim AS dev\nRUN conda install pytest\nRUN pytest\nFROM python:slim", []),  # unknown
        ("FROM python:slim AS dev\nCOPY --from=company/tools /x /x\nRUN pytest\nFROM python:slim", []),  # unknown
        ("FROM python:slim AS a\nRUN pip install pytest\nFROM a\nRUN pytest", []),
        (
            "FROM python:slim AS a\nRUN pip install pytest\nFROM python:slim AS dev\nCOPY --from=a /usr/local /usr/"
            "\nRUN pytest\nFROM python:slim",
            [],
        ),
        # The published stage itself: its requirements may name the tool.
        (f"FROM python:slim\n{PIP}RUN pytest\n{CMD}", []),
        # The requirements are only for the tests.
        (f"FROM python:slim AS dev\n{PIP}RUN pytest\nFROM python:slim\n{CMD}", []),
        (f"FROM python:slim AS builder\n{PIP}FROM builder AS dev\nRUN echo pytest\n{PUBLISHED}", []),
        (f"FROM python:slim AS builder\n{PIP}FROM builder AS dev\nRUN pytest\nFROM python:slim\n{CMD}", []),
        (
            f"FROM python:slim AS builder\n{PIP}FROM builder AS dev\nRUN pytest\n"
            f"FROM python:slim\nCOPY --from=builder /usr/localx /usr/local\n{CMD}",
            [],
        ),
        (
            f"FROM python:slim AS other\nFROM python:slim AS builder\n{PIP}FROM builder AS dev\nRUN pytest\n"
            f"FROM python:slim\nCOPY --from=other /usr/local /usr/local\n{CMD}",
            [],
        ),
        (
            "FROM python:slim AS builder\nRUN pip install --root /x -r requirements.txt\n"
            f"FROM builder AS dev\nRUN pytest\nFROM builder\n{CMD}",
            [],
        ),
        (
            "FROM python:slim AS builder\nENV VIRTUAL_ENV=/venv\nRUN poetry install\n"
            f"FROM builder AS dev\nRUN pytest\nFROM builder\n{CMD}",
            [],
        ),
        (f"FROM python:slim AS builder\nRUN pip install .[test]\nFROM builder AS dev\nRUN pytest\n{PUBLISHED}", []),
        (f"FROM python:slim AS builder\nRUN pip install -r all.txt\nFROM builder AS dev\nRUN pytest\n{PUBLISHED}", []),
        (f"FROM python:slim AS builder\nRUN pdm sync\nFROM builder AS dev\nRUN pytest\nFROM builder\n{CMD}", []),
        (f"FROM python:slim AS builder\nRUN uv sync\nFROM builder AS dev\nRUN pytest\nFROM builder\n{CMD}", []),
        ("FROM python:slim AS dev\nRUN --mount=from=b,target=/x true\nRUN pytest\nFROM python:slim", []),
        ("FROM python:slim AS dev\nRUN echo -m pytest && python -c pytest && python -m\nFROM python:slim", []),
        ("FROM python:alpine AS dev\nRUN apk add py3-pytest\nRUN pytest\nFROM python:alpine", []),
        ("FROM python:slim AS dev\nRUN apt-get install -y black\nRUN black .\nFROM python:slim", []),
        (f"FROM python:slim AS builder\n{PIP}FROM builder AS dev\nRUN pytest\n{PUBLISHED}", [4]),
        (f"FROM python:slim AS builder\n{PIP}FROM builder AS dev\nRUN pytest\n{PUBLISHED.replace('/local', '')}", [4]),
        (
            f"FROM python:slim AS builder\n{PIP}FROM builder AS dev\nRUN pytest\n"
            f"FROM python:slim\nCOPY --from=builder /usr/local/lib/python3.12 /usr/local/lib/python3.12\n{CMD}",
            [4],
        ),
        (f"FROM python:slim AS builder\nRUN pip install .\nFROM builder AS dev\nRUN pytest\nFROM builder\n{CMD}", [4]),
        (f"FROM python:slim AS builder\nRUN uv {PIP[4:]}FROM builder AS dev\nRUN pytest\nFROM builder\n{CMD}", [4]),
        (
            f"FROM python:slim AS builder\nRUN uv sync --no-dev\nFROM builder AS dev\nRUN pytest\nFROM builder\n{CMD}",
            [4],
        ),
        ("FROM python:slim AS dev\nRUN apt-get update && apt-get install -y git\nRUN pytest\nFROM python:slim", [3]),
        ("FROM python:slim AS dev\nRUN uv venv && mkdir tool\nRUN pytest\nFROM python:slim", [3]),
        (
            "FROM python:slim AS a\nRUN pip install -t /x -r requirements.txt\n"
            "FROM python:slim AS dev\nCOPY --from=a /y /y\nRUN pytest\nFROM python:slim",
            [5],
        ),
        (
            f"FROM python:slim AS builder\n{PIP}FROM builder AS dev\nRUN ruff check && mypy\nRUN pytest\n{PUBLISHED}",
            [4, 5],
        ),
        (f"FROM python:slim AS builder\n{PIP}FROM builder AS dev\nRUN pytest\nFROM builder\n{CMD}", [4]),
        (
            f"FROM python:slim AS builder\n{PIP}FROM python:slim AS dev\nCOPY --from=builder /usr/local /usr/local\n"
            f"RUN python -m mypy app\n{PUBLISHED}",
            [5],
        ),
        (f"FROM python:slim AS dev\nCOPY . .\nRUN pytest\nFROM python:slim\n{CMD}", [3]),
        ("FROM python:slim\nRUN pytest", [2]),
        ("FROM python:slim\nRUN pip install fastapi && pytest", []),
        ("FROM python:slim\nCOPY --from=ghcr.io/astral-sh/uv /uv /bin/\nRUN pytest", [3]),
        (
            "FROM python:slim AS a\nRUN pip install -t /x pytest\nFROM python:slim\nCOPY --from=a /y /y\nRUN pytest",
            [],
        ),
    ],
)
def test_missing_tools(dockerfile: str, expected: list[int]) -> None:
    assert lines("missing-tools", dockerfile) == expected


@pytest.mark.parametrize(
    ("dockerfile", "fix"),
    [
        ("FROM a AS production\nFROM b AS dev", "move stage production to the end"),
        # It cannot move above the stages that are built on it.
        ("FROM a AS production\nFROM production AS dev", "end with `FROM production`"),
        ("FROM a AS production\nFROM b AS dev\nCOPY --from=production /x /x", "end with `FROM production`"),
        (f"FROM a\n{CMD}FROM b AS dev\nCOPY --from=0 /x /x", "end with `FROM <its name>`"),
    ],
)
def test_fix_puts_the_published_stage_last(dockerfile: str, fix: str) -> None:
    assert fixes("development-published", dockerfile) == [fix]


def messages(rule: str, dockerfile: str) -> list[str]:
    """Return the messages of the rule's findings."""
    return [finding.message for finding in review(dockerfile).findings if finding.rule == rule]


def test_message_names_what_may_install_the_tool() -> None:
    check = "FROM python:slim AS dev\nRUN ruff check && mypy\n"
    assert messages("missing-tools", f"{check}FROM python:slim") == ["this stage runs ruff, but nothing installs it"]
    shipped = f"FROM python:slim AS builder\n{PIP}{check.replace('python:slim', 'builder')}{PUBLISHED}"
    assert messages("missing-tools", shipped) == [
        "this stage runs ruff but does not install it: if requirements.txt does, it is published too"
    ]


def test_message_says_what_the_last_stage_is_for() -> None:
    start = "`docker build` without --target builds"
    assert messages("development-published", f"FROM a\n{CMD}FROM b AS dev") == [
        f"{start} dev, which is for development"
    ]
    assert messages("development-published", f"FROM a\n{CMD}FROM b\nCMD pytest") == [f"{start} 1, which is for tests"]


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("RUN uv sync --no-dev", []),
        ("RUN uv sync --only-group web", []),
        ("ENV UV_NO_DEV=1\nRUN uv sync", []),
        ("RUN UV_NO_DEV=1 uv sync", []),
        ("RUN poetry install --only main", []),
        ("RUN poetry install --without dev", []),
        ("RUN pdm sync --prod", []),
        ("RUN pip install -r requirements.txt", []),
        ("RUN pip install -r requirements.txt pytesting", []),
        ("RUN uv sync", [2]),
        ("RUN poetry install --no-root", [2]),
        ("RUN pdm install", [2]),
        ("RUN pipenv install --dev", [2]),
        ("RUN uv sync --no-dev --group test", [2]),
        ("RUN poetry install --with dev", [2]),
        ("RUN pip install -r requirements.txt -r requirements-dev.txt", [2]),
        ("RUN pip install fastapi pytest", [2]),
        ("RUN pip install .[test]", [2]),
    ],
)
def test_development_packages(dockerfile: str, expected: list[int]) -> None:
    assert lines("development-packages", f'FROM python:slim\n{dockerfile}\nCMD ["python", "-m", "app"]') == expected


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("FROM python:slim\nRUN uv sync", []),  # nothing starts: other images are built on it
        ('FROM python:slim\nRUN pip install ruff\nENTRYPOINT ["ruff"]', []),  # it is the service
        ("FROM python:slim AS dev\nRUN uv sync\nCMD a", []),
        ("FROM python:slim AS test\nRUN pip install pytest\nFROM python:slim\nCMD a", []),
        ("FROM python:slim AS a\nWORKDIR /a\nRUN uv sync\nFROM python:slim\nCOPY --from=a /b /b\nCMD a", []),
        ("FROM python:slim AS a\nWORKDIR /a\nRUN uv sync\nFROM python:slim\nCOPY --from=a /a /a\nCMD a", [3]),
        ("FROM python:slim AS a\nRUN pip install pytest\nFROM a\nCMD a", []),  # another rule reports it
        ("FROM python:slim AS a\nRUN uv sync\nFROM a\nCMD a", [2]),
    ],
)
def test_unpublished_stage_may_contain_tools(dockerfile: str, expected: list[int]) -> None:
    assert lines("development-packages", dockerfile) == expected


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("latest", False),
        ("contest", False),
        ("app-unittests", True),
        ("e2e", True),
        ("linter", True),
        ("unit-tests", True),
    ],
)
def test_name_of_a_stage_shows_that_it_is_for_development(name: str, found: bool) -> None:
    dockerfile = f"FROM python:slim AS release\nCMD a\nFROM release AS {name}\nRUN b"
    assert bool(lines("development-published", dockerfile)) is found


def test_only_development_stages_are_not_reported() -> None:
    assert lines("development-published", "FROM python:slim AS dev\nCMD a\nFROM dev AS dev-tools\nRUN b") == []
