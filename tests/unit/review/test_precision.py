"""Dockerfiles in the styles of well-known projects, which work: the reviewer must not report them as broken."""

import pytest

from app.review.report import review

# Rules that report that something does not work.
BROKEN = {
    *("copy-between-stages", "no-such-stage", "not-in-context", "undefined-variable"),
    *("exec-form-variable", "not-json", "overridden", "lost-between-runs", "source-in-sh"),
    *("externally-managed", "second-python", "loopback", "development-packages", "no-such-user", "not-permitted"),
    *("secret-in-image", "shell-form-command", "reload-in-production", "cache-mount-defeated"),
}
DOCKERIGNORE = ".git\n.env\n.venv\n**/__pycache__\nnode_modules\n"

STYLES = {
    "a dashboard with a front end": """
FROM node:22-trixie AS web
ARG skip_build
RUN useradd --create-home --home-dir /web builder
USER builder
WORKDIR /web
COPY --chown=builder package.json yarn.lock ./
RUN if [ "x$skip_build" = "x" ]; then yarn --frozen-lockfile; fi
FROM python:3.13-slim-trixie
RUN useradd --create-home --uid 1000 service
RUN apt-get update && apt-get install -y --no-install-recommends curl sudo && rm -rf /var/lib/apt/lists/*
ARG TARGETPLATFORM
RUN <<EOF
  if [ "$TARGETPLATFORM" = "linux/amd64" ]; then
    curl https://packages.example/key.asc > /tmp/key.asc
  fi
EOF
ARG groups="main,all"
RUN --mount=type=cache,target=/root/.cache/pypoetry poetry install --only $groups --no-root
COPY --from=web --chown=service /web/dist /srv/dist
WORKDIR /srv
USER 1000
ENTRYPOINT ["/srv/bin/docker-entrypoint"]
CMD ["server"]
""",
    "a shop": """
FROM python:3.12 AS build
RUN pip install --no-cache-dir poetry
RUN poetry config virtualenvs.create false
COPY poetry.lock pyproject.toml /app/
WORKDIR /app
RUN --mount=type=cache,mode=0755,target=/root/.cache/pypoetry poetry install --only main --no-root
FROM python:3.12-slim
RUN groupadd -r shop && useradd -r -g shop -u 999 shop
RUN mkdir -p /app/media && chown -R shop:shop /app/
COPY --from=build /usr/local/lib/python3.12/site-packages/ /usr/local/lib/python3.12/site-packages/
COPY --from=build /usr/local/bin/ /usr/local/bin/
WORKDIR /app
ARG STATIC_URL
ENV STATIC_URL=${STATIC_URL:-/static/}
RUN SECRET_KEY=dummy STATIC_URL=${STATIC_URL} python3 manage.py collectstatic --no-input
USER 999
CMD ["uvicorn", "--host", "0.0.0.0", "--workers", "4", "shop.asgi:application"]
""",
    "documents, under supervisord": r"""
FROM node:22 AS front
WORKDIR /src
COPY front .
RUN npm ci && ./node_modules/.bin/ng build
FROM python:3.12-slim-bookworm
WORKDIR /usr/src/documents/src/
RUN cd /tmp && git clone https://git.example/qpdf.git && cd qpdf && git checkout --quiet v1 && make install
COPY docker/ ./docker/
RUN cd docker && cp entrypoint.sh /sbin/entrypoint.sh && ./install.sh && cd .. && rm docker -rf
RUN addgroup --gid 1000 documents && useradd --uid 1000 --gid documents documents \
  && gosu documents python3 manage.py collectstatic --clear --no-input
ENTRYPOINT ["/sbin/entrypoint.sh"]
CMD ["/usr/local/bin/supervisord", "-c", "/etc/supervisord.conf"]
""",
    "charts, with a stage for tests last": """
ARG PY_VER=3.12-slim-bookworm
ARG BUILDPLATFORM=${BUILDPLATFORM:-amd64}
FROM --platform=${BUILDPLATFORM} node:22-slim AS node
ARG NPM_BUILD_CMD="build"
ENV BUILD_CMD=${NPM_BUILD_CMD}
RUN --mount=type=bind,target=/nag.sh,src=./docker/nag.sh /nag.sh
RUN npm run ${BUILD_CMD}
FROM python:${PY_VER} AS lean
ENV CHARTS_HOME=/app/home CHARTS_PORT=8088
RUN useradd --user-group -d ${CHARTS_HOME} -m --shell /bin/bash charts
COPY --chown=charts:charts setup.py README.md ./
COPY --chmod=755 ./docker/run-server.sh /usr/bin/
USER charts
EXPOSE ${CHARTS_PORT}
CMD ["/usr/bin/run-server.sh"]
FROM lean AS ci
USER root
RUN playwright install-deps
COPY --chown=charts:charts ./docker/*.sh /app/docker/
CMD ["/app/docker/docker-ci.sh"]
""",
    "a proxy for models": """
ARG BUILD_IMAGE=python:3.12-slim
ARG RUNTIME_IMAGE=python:3.12-slim
FROM $BUILD_IMAGE AS builder
WORKDIR /app
RUN pip install build && python -m build && pip wheel --wheel-dir=/wheels/ -r requirements.txt
FROM $RUNTIME_IMAGE AS runtime
WORKDIR /app
COPY --from=builder /app/dist/*.whl .
COPY --from=builder /wheels/ /wheels/
RUN pip install *.whl /wheels/* --no-index --find-links=/wheels/ && rm -f *.whl && rm -rf /wheels
RUN useradd --uid 1000 proxy-user
USER 1000
EXPOSE 4000/tcp
ENTRYPOINT ["proxy"]
CMD ["--port", "4000"]
""",
    "a chat, with a user from a build argument": """
ARG UID=1000
ARG GID=1000
ARG BUILD_HASH=dev
FROM python:3.12-slim-bookworm
ARG UID
ARG GID
ENV PORT=8080 OPENAI_API_KEY="" WEB_SECRET_KEY="" HOME=/root
RUN if [ $UID -ne 0 ]; then addgroup --gid $GID app; adduser --uid $UID --gid $GID --home $HOME --gecos "" app; fi
RUN mkdir -p $HOME/.cache/store && chown -R $UID:$GID $HOME
COPY --chown=$UID:$GID ./backend /app
HEALTHCHECK CMD curl --silent --fail http://localhost:${PORT:-8080}/health | jq -ne 'input.status == true' || exit 1
USER $UID:$GID
ARG BUILD_HASH
ENV APP_BUILD_VERSION=${BUILD_HASH}
CMD ["bash", "start.sh"]
""",
    "analytics, with bash": """
FROM debian:bookworm-slim AS database
SHELL ["/bin/bash", "-e", "-o", "pipefail", "-c"]
RUN source /etc/os-release && echo "$VERSION_ID" > /version
FROM python:3.12-slim-bookworm AS build
SHELL ["/bin/bash", "-e", "-o", "pipefail", "-c"]
WORKDIR /code
RUN PIP_NO_BINARY=lxml pip install -r requirements.txt --no-cache-dir --target=/python-runtime
FROM python:3.12-slim-bookworm
RUN groupadd -g 1000 web && useradd -r -u 1000 -g web web
USER web
ARG COMMIT_HASH
RUN echo $COMMIT_HASH > /tmp/commit.txt
COPY --from=build --chown=web:web /python-runtime /python-runtime
COPY --from=database /version /version
ENV PATH=/python-runtime/bin:$PATH PYTHONPATH=/python-runtime
USER 1000
CMD ["./bin/docker"]
""",
    "recipes, with variables": """
FROM python:3.12-slim AS base
ENV HOME_DIR="/app" VENV_PATH="/opt/recipes"
ENV PATH="$VENV_PATH/bin:$PATH"
RUN useradd -u 911 -U -d $HOME_DIR -s /bin/bash abc && usermod -G users abc && mkdir $HOME_DIR
FROM base AS backend
RUN export VERSION=$(poetry version --short) && echo "recipes==$VERSION" >> /requirements.txt
FROM scratch AS packages
COPY --from=backend /requirements.txt /
FROM base AS venv
RUN python3 -m venv --upgrade-deps $VENV_PATH
COPY --from=packages * /dist/
RUN . $VENV_PATH/bin/activate && pip install --require-hashes -r /dist/requirements.txt
FROM base AS production
COPY --from=venv $VENV_PATH $VENV_PATH
HEALTHCHECK CMD python -m recipes.healthcheck || exit 1
ENV HOST=0.0.0.0
COPY ./docker/entry.sh $HOME_DIR/run.sh
RUN chmod +x $HOME_DIR/run.sh
ENTRYPOINT ["/app/run.sh"]
""",
    "tickets, with sudo": r"""
FROM python:3.12-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends build-essential nginx sudo supervisor && \
    rm -rf /var/lib/apt/lists/* && useradd -ms /bin/bash -d /tickets -u 15371 tickets
RUN cd /tickets/src && python setup.py install
RUN cd /tickets/src && mkdir -p data && chown -R tickets:tickets /tickets && sudo -u tickets make production
USER 15371
ENTRYPOINT ["tickets"]
CMD ["all"]
""",
    "checks, with wheels": """
FROM python:3.14-slim-trixie AS builder
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
COPY requirements.txt /tmp
RUN pip wheel --wheel-dir /wheels uwsgi "psycopg[c]" -r /tmp/requirements.txt
FROM python:3.14-slim-trixie
RUN useradd --system --uid 999 hc
WORKDIR /opt/checks
RUN --mount=type=bind,target=/wheels,source=/wheels,from=builder pip install --no-cache /wheels/*
RUN DEBUG=False SECRET_KEY=build-key ./manage.py collectstatic --noinput
RUN mkdir /data && chown hc /data
USER 999
HEALTHCHECK --interval=60s --retries=1 CMD ./fetchstatus.py
CMD [ "uwsgi", "/opt/checks/docker/uwsgi.ini"]
""",
    "an inventory under gunicorn": """
FROM python:3.12-slim-bookworm AS base
ARG commit=""
ENV STOCK_HOME=/home/stock STOCK_SECRET_KEY_FILE=/home/stock/key STOCK_ADDR=0.0.0.0
LABEL org.opencontainers.image.revision=${commit}
RUN mkdir -p ${STOCK_HOME}
WORKDIR ${STOCK_HOME}
FROM base AS builder
RUN bash -c "n lts"
RUN cd "${STOCK_HOME}" && invoke frontend-compile
FROM base AS production
CMD ["sh", "-c", "exec gunicorn -c ./gunicorn.conf.py stock.wsgi -b 0.0.0.0:8000 --chdir ${STOCK_HOME}/src"]
""",
    "fitness, on its own base": r"""
FROM fitness/base:latest AS builder
RUN pip3 wheel --no-cache-dir --wheel-dir /wheels --group docker .
FROM fitness/base:latest AS final
ARG DOCKER_DIR=./docker
ENV PATH="/home/fitness/.local/bin:$PATH"
COPY --chown=fitness:fitness . /home/fitness/src
COPY ${DOCKER_DIR}/entrypoint.sh /home/fitness/entrypoint.sh
RUN --mount=type=bind,from=builder,source=/wheels,target=/wheels \
    pip3 install --break-system-packages --no-cache-dir --user /wheels/* && cd src && django-admin compilemessages
CMD ["/home/fitness/entrypoint.sh"]
""",
    "notebooks on Ubuntu": r"""
ARG BASE_IMAGE=ubuntu:22.04
FROM --platform=${BUILDPLATFORM:-linux/amd64} $BASE_IMAGE AS builder
RUN apt-get update -qq && apt-get install -yqq --no-install-recommends python3-pip python3-venv
WORKDIR /src
COPY . .
ARG PIP_CACHE_DIR=/tmp/pip-cache
RUN --mount=type=cache,target=${PIP_CACHE_DIR} python3 -m build --wheel
FROM $BASE_IMAGE AS hub
RUN apt-get update -qq && apt-get install -yqq python3-pip nodejs npm && rm -rf /var/lib/apt/lists/*
RUN --mount=type=cache,from=builder,source=/src/dist,target=/tmp/wheels \
    python3 -m pip install --no-cache-dir /tmp/wheels/*
CMD ["hub"]
""",
    "a server in Go": """
FROM golang:1.25-alpine AS build
ARG TARGETARCH
RUN apk add --no-cache git && git describe --tags > /version
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build go build -o /server
FROM alpine:3.22
RUN adduser -S -H -u 999 -G nogroup chat
COPY --from=build /server /usr/local/bin/server
USER 999
ENTRYPOINT ["server"]
CMD ["--listen", "0.0.0.0:8080"]
""",
    "uv, with the Python that it downloads": """
FROM ghcr.io/astral-sh/uv:bookworm-slim AS builder
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_DEV=1
ENV UV_PYTHON_INSTALL_DIR=/python
RUN uv python install 3.13
WORKDIR /app
RUN --mount=type=cache,target=/root/.cache/uv uv sync --locked
FROM debian:bookworm-slim
RUN groupadd --system --gid 999 nonroot && useradd --system --gid 999 --uid 999 --create-home nonroot
COPY --from=builder --chown=nonroot:nonroot /python /python
COPY --from=builder --chown=nonroot:nonroot /app /app
ENV PATH="/app/.venv/bin:$PATH"
USER 999
CMD ["fastapi", "run", "--host", "0.0.0.0", "/app/src"]
""",
    "distroless": r"""
FROM debian:12-slim AS build
RUN apt-get update && apt-get install --no-install-recommends --yes python3-venv gcc libpython3-dev && \
    python3 -m venv /venv && /venv/bin/pip install --upgrade pip setuptools wheel
FROM build AS build-venv
COPY requirements.txt /requirements.txt
RUN /venv/bin/pip install --disable-pip-version-check -r /requirements.txt
FROM gcr.io/distroless/python3-debian12:nonroot
COPY --from=build-venv /venv /venv
COPY . /app
WORKDIR /app
ENTRYPOINT ["/venv/bin/python3", "main.py"]
""",
    "a task queue": """
FROM python:3.13-slim
ENV PYTHONUNBUFFERED=1 C_FORCE_ROOT=0
RUN adduser --system --uid 1001 --group worker || useradd --uid 1001 worker
WORKDIR /srv
USER 1001
CMD ["celery", "--app", "queue", "worker", "--loglevel", "info"]
""",
    "a site with nginx in front": """
FROM python:3.13-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends nginx && rm -rf /var/lib/apt/lists/*
CMD nginx && exec gunicorn --bind 127.0.0.1:8000 site.wsgi
""",
    "conda": """
FROM continuumio/miniconda3:latest
WORKDIR /srv
COPY environment.yml .
RUN conda env create -f environment.yml && conda clean --all --yes
SHELL ["conda", "run", "-n", "app", "/bin/bash", "-c"]
RUN pip install --no-deps .
ENTRYPOINT ["conda", "run", "--no-capture-output", "-n", "app", "python", "-m", "app"]
""",
    "a command-line tool": """
FROM python:3.13-alpine
RUN apk add --no-cache git
RUN --mount=type=cache,target=/root/.cache/pip pip install ruff
RUN adduser -D -u 1000 tool
USER 1000
WORKDIR /io
ENTRYPOINT ["ruff"]
""",
}


@pytest.mark.parametrize("style", STYLES)
def test_working_dockerfile_is_not_reported_as_broken(style: str) -> None:
    findings = review(STYLES[style], DOCKERIGNORE).findings
    assert [(item.rule, item.line) for item in findings if item.rule in BROKEN] == []
