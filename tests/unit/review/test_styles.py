"""Reviews of Dockerfiles in public styles for Python, written from their documentation."""

import pytest

from app.review.report import review
from app.review.rules import RULES, Severity

# https://docs.astral.sh/uv/guides/integration/docker/: install the dependencies, then the project, in a virtual
# environment, and copy that.
UV = """\
FROM ghcr.io/astral-sh/uv:python3.13-trixie-slim AS builder
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_DEV=1 UV_PYTHON_DOWNLOADS=0
WORKDIR /app
RUN --mount=type=cache,target=/root/.cache/uv \\
    --mount=type=bind,source=uv.lock,target=uv.lock \\
    --mount=type=bind,source=pyproject.toml,target=pyproject.toml \\
    uv sync --locked --no-install-project
COPY . /app
RUN --mount=type=cache,target=/root/.cache/uv \\
    uv sync --locked

FROM python:3.13-slim-trixie
RUN groupadd --system --gid 999 nonroot && \\
    useradd --system --gid 999 --uid 999 --create-home nonroot
COPY --from=builder --chown=nonroot:nonroot /app /app
ENV PATH="/app/.venv/bin:$PATH"
USER nonroot
WORKDIR /app
CMD ["fastapi", "run", "--host", "0.0.0.0", "src/service"]
"""
# https://pythonspeed.com/articles/multi-stage-docker-python/ and https://docs.docker.com/build/cache/optimize/: a
# compiler in the stage that builds the packages, and a copy of their virtual environment.
VIRTUAL_ENVIRONMENT = """\
# syntax=docker/dockerfile:1
ARG PYTHON_VERSION=3.13
FROM python:${PYTHON_VERSION}-slim AS builder
RUN apt-get update && apt-get install -y --no-install-recommends build-essential gcc
RUN python -m venv /opt/venv
ENV PATH="/opt/venv/bin:$PATH"
RUN --mount=type=cache,target=/root/.cache/pip \\
    --mount=type=bind,source=requirements.txt,target=requirements.txt \\
    pip install -r requirements.txt

FROM python:${PYTHON_VERSION}-slim AS runtime
RUN useradd --create-home --uid 1000 app
WORKDIR /home/app
COPY --from=builder /opt/venv /opt/venv
COPY service/ service/
ENV PATH="/opt/venv/bin:$PATH" PYTHONUNBUFFERED=1 PYTHONFAULTHANDLER=1
USER 1000
ENTRYPOINT ["gunicorn", "--bind=0.0.0.0:8000", "service.wsgi"]
"""
# `pip install --prefix`: packages in a folder that is copied to the interpreter's own.
PREFIX = """\
FROM python:3.13-slim AS builder
WORKDIR /build
RUN apt-get update \\
    && apt-get install -y --no-install-recommends build-essential libpq-dev \\
    && rm -rf /var/lib/apt/lists/*
RUN --mount=type=cache,target=/root/.cache/pip \\
    --mount=type=bind,source=requirements.txt,target=requirements.txt \\
    pip install --prefix=/install --no-warn-script-location -r requirements.txt

FROM python:3.13-slim
ENV PYTHONDONTWRITEBYTECODE=1 \\
    PYTHONUNBUFFERED=1
RUN apt-get update \\
    && apt-get install -y --no-install-recommends libpq5 tini \\
    && rm -rf /var/lib/apt/lists/* \\
    && useradd --system --uid 10001 --no-create-home app
COPY --from=builder /install /usr/local
WORKDIR /srv
COPY --chown=root:root service service
USER 10001:10001
EXPOSE 8000
HEALTHCHECK CMD ["python", "-m", "service.probe"]
ENTRYPOINT ["tini", "--"]
CMD ["uvicorn", "service.main:app", "--host", "0.0.0.0"]
"""
# https://fastapi.tiangolo.com/deployment/docker/
FASTAPI = """\
FROM python:3.14
WORKDIR /code
COPY ./requirements.txt /code/requirements.txt
RUN pip install --no-cache-dir --upgrade -r /code/requirements.txt
COPY ./app /code/app
CMD ["fastapi", "run", "app/main.py", "--port", "80"]
"""
# https://docs.docker.com/guides/python/containerize/: what `docker init` writes.
DOCKER_INIT = """\
# syntax=docker/dockerfile:1
ARG PYTHON_VERSION=3.12.7
FROM python:${PYTHON_VERSION}-slim AS base
ENV PYTHONDONTWRITEBYTECODE=1
ENV PYTHONUNBUFFERED=1
WORKDIR /app
ARG UID=10001
RUN adduser \\
    --disabled-password \\
    --gecos "" \\
    --home "/nonexistent" \\
    --shell "/sbin/nologin" \\
    --no-create-home \\
    --uid "${UID}" \\
    appuser
RUN --mount=type=cache,target=/root/.cache/pip \\
    --mount=type=bind,source=requirements.txt,target=requirements.txt \\
    python -m pip install -r requirements.txt
USER appuser
COPY . .
EXPOSE 8000
CMD python3 -m uvicorn app:app --host=0.0.0.0 --port=8000
"""


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        pytest.param(
            UV,
            [
                ("hardcoded-version", 1),  # an upgrade must change two lines
                ("unpinned-base", 1),  # two builds of one commit can differ
                ("hardcoded-version", 12),
                ("unpinned-base", 12),
                ("buffered-output", 12),  # the guide does not set PYTHONUNBUFFERED
                ("named-user", 17),  # runAsNonRoot refuses it; the fix is the number of the line above
            ],
            id="uv",
        ),
        pytest.param(
            VIRTUAL_ENVIRONMENT,
            [("unpinned-base", 3)],  # two builds of one commit can differ
            id="virtual environment",
        ),
        pytest.param(
            PREFIX,
            [
                ("hardcoded-version", 1),  # an upgrade must change two lines
                ("unpinned-base", 1),  # two builds of one commit can differ
                ("hardcoded-version", 10),
                ("unpinned-base", 10),
            ],
            id="prefix",
        ),
    ],
)
def test_good_style_has_only_minor_findings(dockerfile: str, expected: list[tuple[str, int]]) -> None:
    findings = review(dockerfile, "*\n!app\n!service\n!src\n!pyproject.toml\n!requirements.txt\n!uv.lock\n").findings
    assert sorted((finding.rule, finding.line) for finding in findings) == sorted(expected)
    assert {finding.severity for finding in findings} == {Severity.INFO}


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        pytest.param(
            FASTAPI,
            [
                ("buffered-output", 1),  # nothing sets PYTHONUNBUFFERED
                ("full-base-image", 1),  # a warning: a gigabyte, although all packages have wheels
                ("hardcoded-version", 1),  # the version is hardcoded
                ("root-user", 1),  # an error: no USER
                ("single-stage", 1),  # pip installs in the published stage
                ("unpinned-base", 1),  # two builds of one commit can differ
                ("requirements-bind-mount", 3),  # the file stays in the image
                ("pip-cache-mount", 4),  # a warning: one changed requirement downloads all
            ],
            id="FastAPI",
        ),
        pytest.param(
            DOCKER_INIT,
            [
                ("single-stage", 3),  # pip installs in the published stage
                ("unpinned-base", 3),  # two builds of one commit can differ
                ("named-user", 19),  # runAsNonRoot refuses it; the fix is the build argument's number
                ("dockerignore", 20),  # a warning: the .dockerignore of `docker init` is missing
                ("source-with-everything", 20),  # the same
                ("shell-form-command", 22),  # a warning: Debian's sh stays process 1
            ],
            id="docker init",
        ),
    ],
)
def test_public_template_has_the_expected_findings(dockerfile: str, expected: list[tuple[str, int]]) -> None:
    findings = review(dockerfile, "").findings
    assert sorted((finding.rule, finding.line) for finding in findings) == sorted(expected)
    severities = {finding.rule: finding.severity for finding in findings}
    assert severities == {rule: RULES[rule].severity for rule in severities}
