"""Rules about what is copied from the build context."""

import pytest

from app.review.report import review
from tests.unit.review.rules.table import fixes, lines

SLIM = "FROM python:3.12-slim\n"


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("RUN pip install -r requirements.txt\nCOPY . .", []),
        ("COPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .", []),
        ("COPY requirements/ requirements/\nRUN pip install -r requirements/base.txt\nCOPY . .", []),
        ("COPY app/requirements.txt .\nRUN pip install -r requirements.txt", []),
        ("COPY --from=builder . .\nRUN pip install a", []),
        ("COPY <<EOF app\nx\nEOF\nRUN pip install a", []),
        ("ADD https://example.com/app /app\nRUN pip install a", []),
        ("COPY . .", []),
        ("RUN cp -r . /x\nRUN pip install a", []),
        ("COPY . .\nRUN pytest", []),
        ("COPY . .\nFROM a\nRUN pip install a", []),
        # A project needs its source, and its dependencies are already installed.
        ("COPY pyproject.toml .\nRUN pip install -r requirements.txt\nCOPY . .\nRUN pip install .", []),
        ("COPY . .\nRUN pip install --no-deps .", []),
        ("COPY . .\nRUN pip install --no-index --find-links=/wheels -r requirements.txt", []),
        ("COPY . .\nRUN pip install dist/*.whl", []),
        ("COPY setup.py setup.cfg ./\nRUN pip install -e .\nCOPY src src", []),
        ("COPY src src\nRUN poetry run playwright install chromium", []),
        ("RUN uv sync --locked --no-install-project\nCOPY . .\nRUN uv sync --locked", []),
        ("COPY --from=company/deps /venv /venv\nCOPY . .\nRUN pip install .", []),
        ("RUN pip install a\nCOPY . .\nRUN pip install --root-user-action ignore .", []),
        ("RUN pip install a\nCOPY . .\nRUN pip wheel --no-deps --wheel-dir wheels .", []),
        ("COPY gunicorn.conf.py .\nRUN pip install a", []),
        ("COPY . .\nRUN pip install -r requirements.txt", [2]),
        ("COPY ./ /app/\nRUN pip install -r requirements.txt", [2]),
        ("COPY * ./\nRUN pip install -r requirements.txt", [2]),
        ("ADD . .\nRUN pip3 install -r requirements.txt", [2]),
        ('COPY [".", "."]\nRUN ["python", "-m", "pip", "install", "a"]', [2]),
        ("COPY --chown=1:1 . .\nRUN uv pip install -r requirements.txt", [2]),
        ("COPY app app\nRUN pip install -r requirements.txt", [2]),
        ("COPY src/ ./src\nRUN pip install -r requirements.txt", [2]),
        ("COPY main.py .\nRUN pip install -r requirements.txt", [2]),
        ("COPY app app\nCOPY . .\nRUN pip install a", [2, 3]),
        ("COPY . .\nRUN pip install .", [2]),
        ("COPY . .\nRUN pip install --no-deps -r requirements.txt", [2]),
        ("COPY --from=ghcr.io/astral-sh/uv:1 /uv /uvx /bin/\nCOPY . .\nRUN uv sync --locked", [3]),
        ("FROM x/uv AS uv\nFROM python:slim\nCOPY --from=uv /uv /bin/\nCOPY . .\nRUN uv sync --locked", [5]),
        ("RUN pip install -U 'poetry>=2'\nCOPY . .\nRUN poetry install", [3]),
        ("COPY . .\nRUN pip install a\nRUN pip install b", [2]),
        ("RUN pip install a\nCOPY . .\nRUN pip install b", [3]),
        ("RUN pip install a\nCOPY . .\nRUN pip install -r requirements-dev.txt", [3]),
    ],
)
def test_source_before_install(dockerfile: str, expected: list[int]) -> None:
    assert lines("source-before-install", SLIM + dockerfile) == expected


def test_source_copied_in_an_inherited_stage_is_found() -> None:
    dockerfile = "FROM python:slim AS a\nCOPY . .\nFROM a AS b\nRUN pip install x\nFROM a\nRUN pip install y\n"
    assert lines("source-before-install", dockerfile) == [2]


def test_base_stage_may_have_installed_the_dependencies() -> None:
    dockerfile = "FROM python:slim AS a\nRUN pip install a\nFROM a\nCOPY . .\nRUN pip install ."
    assert lines("source-before-install", dockerfile) == []
    assert lines("source-before-install", dockerfile.replace("FROM a\n", "FROM python:slim\n")) == [4]


def test_another_stage_may_have_installed_the_dependencies() -> None:
    project = "FROM python:slim\nCOPY --from=other /x /x\nCOPY . .\nRUN pip install .\n"
    assert lines("source-before-install", f"FROM python:slim AS other\nRUN pip install a\n{project}") == []
    assert lines("source-before-install", f"FROM node AS other\nRUN npm ci\n{project}") == [5]
    assert lines("source-before-install", f"FROM node AS Other\nRUN npm ci\n{project}".replace("=other", "=0")) == [5]


def test_fix_installs_dependencies_without_the_project() -> None:
    (fix,) = fixes("source-before-install", f"{SLIM}COPY . .\nRUN uv sync")
    assert "without the project" in fix
    (fix,) = fixes("source-before-install", f"{SLIM}ADD . .\nRUN pip install a")
    assert fix == "move this ADD below the installation, which needs only the requirements"


def test_unknown_base_may_contain_the_dependencies() -> None:
    assert lines("source-before-install", "FROM company/base\nCOPY . .\nRUN pip install .") == []
    assert lines("source-before-install", "FROM company/base\nCOPY . .\nRUN pip install -r requirements.txt") == [2]


@pytest.mark.parametrize(
    ("dockerfile", "dockerignore", "expected"),
    [
        ("COPY . .", None, []),
        ("COPY app app", "", []),
        ("COPY requirements.txt .", "", []),
        ("COPY --from=builder . .", "", []),
        ("RUN true", "", []),
        ("COPY . .", ".git\n__pycache__\n.venv\nnode_modules", []),
        ("COPY . .", "**/.git\n**/__pycache__\n**/.venv", []),
        ("COPY . .", ".git\n**/*.pyc\nvenv", []),
        ("COPY . .", "*\n!app", []),
        ("COPY . .", ".git/**\n.venv/*\n**/__pycache__/**", []),
        ("COPY --exclude=.git --exclude=.venv --exclude=**/__pycache__ . .", "", []),
        ("COPY --exclude=.git . .", ".venv\n__pycache__", []),
        ("COPY . .", "", [2]),
        ("COPY . .", "# nothing\n", [2]),
        ("COPY . .", ".git", [2]),
        ("COPY . .", ".git\n.venv\n__pycache__\n!.git", [2]),
        ("COPY . .", "*\n!app\n!.git", [2]),
        ("ADD ./ /app", "", [2]),
        ("COPY --chown=a . /app\nCOPY . .", "", [2, 3]),
        ("COPY --exclude=.git . .", "", [2]),
        ("COPY --chown=* . .", "", [2]),
        ("COPY ** .", "", [2]),
        ("FROM a\nCOPY . .", "", [3]),
    ],
)
def test_dockerignore(dockerfile: str, dockerignore: str | None, expected: list[int]) -> None:
    assert lines("dockerignore", SLIM + dockerfile, dockerignore) == expected


@pytest.mark.parametrize(
    ("dockerfile", "dockerignore", "expected"),
    [
        ("COPY app app", None, []),
        ("COPY . .\nFROM python:slim", None, []),  # the builder is not published
        ("COPY --from=builder . .", None, []),
        ("COPY --exclude=tests . .", None, []),
        ("COPY . .", "*\n!app", []),  # it excludes everything else
        ("COPY . .", ".git\ntests\nDockerfile", []),
        ("COPY . .", None, [2]),
        ("COPY . .", ".git", [2]),
        ("ADD . /app", None, [2]),
        ("COPY ./ /app/", "", [2]),
        ("FROM python:slim AS a\nCOPY . .\nFROM a", None, [3]),
    ],
)
def test_source_with_everything(dockerfile: str, dockerignore: str | None, expected: list[int]) -> None:
    assert lines("source-with-everything", SLIM + dockerfile, dockerignore) == expected


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("RUN --mount=type=bind,source=r.txt,target=r.txt pip install -r r.txt", []),
        ("COPY requirements.txt .", []),  # nothing is installed from it
        ("COPY requirements.txt app.py .\nRUN pip install -r requirements.txt", []),
        ("COPY requirements.txt .\nRUN pip install -r requirements.txt\nRUN cat requirements.txt", []),
        ("COPY requirements.txt .\nRUN sed -i s/a/b/ requirements.txt && pip install -r other.txt", []),
        ("COPY requirements.txt .\nRUN pip install -r requirements.txt\nCMD audit requirements.txt", []),
        ("COPY requirements.txt .\nRUN pip install -r requirements.txt\nRUN pip install -r requirements.txt", []),
        ("COPY pyproject.toml uv.lock ./\nRUN uv sync --no-install-project\nCMD uv run app", []),
        ("COPY pyproject.toml .\nRUN pip install .", []),  # the project must exist
        ("COPY poetry.lock .\nRUN poetry add x && poetry install --no-root", []),
        ("COPY poetry.lock* pyproject.toml ./\nRUN poetry install --no-root", []),  # a mount does not support patterns
        ("COPY requirements.txt .\nRUN <<E\nsort requirements.txt\nE\nRUN pip install -r requirements.txt", []),
        ("COPY requirements.txt .\nRUN pip install -r other.txt", []),
        ("COPY requirements.txt .\nRUN pip install -r requirements.txt && rm requirements.txt", []),  # rm would fail
        ("COPY requirements.txt .\nRUN sed -i s/a/b/ requirements.txt && pip install -r requirements.txt", []),
        ("COPY requirements.txt .\nRUN pip install x.whl\nRUN pip install -r requirements.txt", [2]),
        # It is unknown what the project's own files read.
        ("COPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY setup.py .\nRUN pip install .", []),
        ("COPY a.txt requirements.txt ./\nRUN pip install -r requirements.txt", []),
        # A stage that is built on it reads the file again.
        (
            "FROM a AS b\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n"
            "FROM b\nRUN cat requirements.txt",
            [],
        ),
        (
            "FROM a AS b\nCOPY requirements.txt requirements-dev.txt ./\nRUN pip install -r requirements.txt\n"
            "FROM b AS c\nFROM c\nRUN pip install -r requirements-dev.txt",
            [],
        ),
        (
            "FROM a AS b\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n"
            "FROM a\nCOPY --from=b requirements.txt .",
            [],
        ),
        (
            "FROM a AS b\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nFROM b\nRUN x\nFROM a\nRUN y",
            [3],
        ),
        (
            "FROM a AS b\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n"
            "FROM a\nRUN cat requirements.txt",
            [3],
        ),
        (
            "FROM a AS b\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\n"
            "FROM b\nRUN cat requirements.txt",
            [3],
        ),
        ("COPY pyproject.toml .\nRUN uv export > r.txt && uv pip install -r r.txt", []),
        ("COPY --from=a requirements.txt .\nRUN pip install -r requirements.txt", []),
        ("ONBUILD COPY requirements.txt .", []),
        ("FROM python:3.12-nanoserver\nCOPY requirements.txt .\nRUN pip install -r requirements.txt", []),
        ("COPY requirements.txt .\nRUN pip install -r requirements.txt", [2]),
        ("COPY ./requirements.txt /tmp/\nRUN pip install -r /tmp/requirements.txt\nCOPY . .", [2]),
        ("COPY requirements-prod.txt /tmp/r.txt\nRUN pip install -r /tmp/r.txt", [2]),
        ("COPY requirements/ requirements/\nRUN pip install -r requirements/prod.txt", [2]),
        ("COPY requirements/base.txt requirements/\nRUN pip install -r requirements/base.txt", [2]),
        ("COPY pyproject.toml poetry.lock ./\nRUN poetry install --no-root\nCOPY . .\nCMD poetry run x", [2]),
        ("COPY Pipfile Pipfile.lock ./\nRUN pipenv install --system --deploy", []),
        ("COPY requirements.txt .\nRUN uv pip install -r requirements.txt", [2]),
        ("COPY requirements.txt .\nRUN pip install -r requirements.txt\nLABEL file=requirements.txt", [2]),
        (
            "COPY requirements.txt .\nRUN <<E\nset -e\npip install --upgrade pip\npip install -r requirements.txt\nE",
            [2],
        ),
    ],
)
def test_requirements_bind_mount(dockerfile: str, expected: list[int]) -> None:
    assert lines("requirements-bind-mount", SLIM + dockerfile) == expected


@pytest.mark.parametrize(
    ("copy", "file", "mounts"),
    [
        ("requirements.txt .", "requirements.txt", ["source=requirements.txt,target=requirements.txt"]),
        ("./requirements.txt ./", "requirements.txt", ["source=requirements.txt,target=requirements.txt"]),
        ("requirements.txt /x/", "/x/requirements.txt", ["source=requirements.txt,target=/x/requirements.txt"]),
        ("requirements.txt /x", "/x/requirements.txt", ["source=requirements.txt,target=/x/requirements.txt"]),
        ("requirements.txt /x/r.txt", "/x/r.txt", ["source=requirements.txt,target=/x/r.txt"]),
        (
            "a/requirements.txt /x/requirements.txt",
            "/x/requirements.txt",
            ["source=a/requirements.txt,target=/x/requirements.txt"],
        ),
        ("requirements requirements", "requirements/a.txt", ["source=requirements,target=requirements"]),
        (
            "requirements.txt constraints.txt ./",
            "requirements.txt",
            ["source=requirements.txt,target=requirements.txt", "source=constraints.txt,target=constraints.txt"],
        ),
    ],
)
def test_fix_mounts_the_file_where_it_was_copied(copy: str, file: str, mounts: list[str]) -> None:
    (fix,) = fixes("requirements-bind-mount", f"{SLIM}COPY {copy}\nRUN pip install -r {file}")
    flags = " ".join(f"--mount=type=bind,{mount}" for mount in mounts)
    assert fix == f"RUN {flags} in line 3, without this COPY"


@pytest.mark.parametrize(
    ("dockerignore", "published"),
    [
        (None, "tests, Dockerfile, .git"),
        ("", "tests, Dockerfile, .git"),
        (".git\ntests", "Dockerfile"),
    ],
)
def test_message_names_what_is_published_unnecessarily(dockerignore: str | None, published: str) -> None:
    findings = review(f"{SLIM}COPY . .", dockerignore).findings
    (message,) = (finding.message for finding in findings if finding.rule == "source-with-everything")
    assert message == f"everything in the folder is published, including {published}"


@pytest.mark.parametrize(
    ("dockerignore", "message"),
    [
        ("", "no .dockerignore excludes .git, .venv, __pycache__"),
        (".venv", ".dockerignore does not exclude .git, __pycache__"),
    ],
)
def test_message_names_what_should_be_excluded(dockerignore: str, message: str) -> None:
    findings = review(f"{SLIM}COPY . .", dockerignore).findings
    assert [finding.message for finding in findings if finding.rule == "dockerignore"] == [message]


@pytest.mark.parametrize(
    ("dockerfile", "dockerignore", "names"),
    [
        ("FROM node:22\nCOPY . .\nRUN npm ci", "", ".git"),
        ("FROM golang:1.25\nCOPY . .", "node_modules", ".git"),
        ("FROM company/base\nCOPY . .", "", ".git, .venv, __pycache__"),  # unknown
        ("FROM node:22 AS web\nCOPY . .\nFROM python:slim", "", ".git, .venv, __pycache__"),
        ("FROM python:slim\nCOPY . .\nRUN git describe", "", ".venv, __pycache__"),
        ("FROM python:slim AS a\nCOPY . .\nFROM a\nRUN git rev-parse HEAD", "", ".venv, __pycache__"),
        ("FROM python:slim\nCOPY . .\nRUN git clone https://a.example/b", "", ".git, .venv, __pycache__"),
        ("FROM python:slim\nCOPY . .\nRUN git clone a && cd a && git checkout b", "", ".git, .venv, __pycache__"),
        ("FROM python:slim\nRUN git describe\nCOPY . .", "", ".git, .venv, __pycache__"),
    ],
)
def test_what_the_build_needs_may_be_copied(dockerfile: str, dockerignore: str, names: str) -> None:
    (message,) = [item.message for item in review(dockerfile, dockerignore).findings if item.rule == "dockerignore"]
    assert message.endswith(f"exclude{'s' if message.startswith('no') else ''} {names}")


@pytest.mark.parametrize(
    ("dockerfile", "fix"),
    [
        (
            "FROM python:slim\nCOPY . .\nRUN pip install . gunicorn",
            "move this COPY below an installation of the dependencies alone, without the project",
        ),
        (
            "FROM python:slim AS a\nCOPY app app\nFROM a\nRUN pip install -r requirements-dev.txt",
            "install in a stage that branches off above this COPY",
        ),
    ],
)
def test_fix_names_a_place_for_the_copy(dockerfile: str, fix: str) -> None:
    assert fixes("source-before-install", dockerfile) == [fix]
