# Build on another version with --build-arg PYTHON_VERSION=3.13, on a mirror with --build-arg PYTHON_IMAGE=...
ARG PYTHON_VERSION=3.12
ARG PYTHON_IMAGE=python:${PYTHON_VERSION}-slim

# base: the environment for building and developing.
# review-ignore: unpinned-base `make pin` writes the digest below the tag, and `make pin OFF=1` removes it
FROM ${PYTHON_IMAGE} AS base
ENV PYTHONDONTWRITEBYTECODE=1
ENV PYTHONUNBUFFERED=1
# Packages and bytecode go under one prefix that every user can read. Only root can read /root, pip's default.
ENV PYTHONUSERBASE=/opt/python PYTHONPYCACHEPREFIX=/opt/python/pycache PATH=/opt/python/bin:$PATH
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /app

# builder: the packages that the service needs, with their bytecode.
FROM base AS builder
# All files get the same time, so the layer keeps its digest until a package changes. The bytecode is unchecked, so it
# stays valid.
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=requirements.txt,target=requirements.txt \
    pip install --user --require-hashes --no-compile -r requirements.txt && \
    python -m compileall -q --invalidation-mode unchecked-hash /opt/python/lib && \
    find /opt/python -exec touch --no-dereference --date=@0 {} +

# dev: the development tools and the source. It builds only if every check passes.
FROM base AS dev
# The Python base image contains no bytecode: without this, every reload compiles the standard library again.
RUN python -m compileall -q /usr/local/lib/python3.*
COPY --from=builder /opt/python /opt/python
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=requirements-dev.txt,target=requirements-dev.txt \
    pip install --user --require-hashes -r requirements-dev.txt
ENV MYPY_CACHE_DIR=/tmp/cache/mypy RUFF_CACHE_DIR=/tmp/cache/ruff PYTEST_ADDOPTS="-o cache_dir=/tmp/cache/pytest"
ENV UVICORN_LOG_CONFIG=app/logging.json
COPY . .
# Skip the checks with --build-arg CHECK=false.
ARG CHECK=true
RUN --mount=type=cache,target=/tmp/cache \
    [ "$CHECK" = false ] || scripts/check
EXPOSE 8000
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8000", "--reload", "--reload-dir", "app"]

# production: a fresh Python base image, the packages, the app, and a user who can change neither.
FROM ${PYTHON_IMAGE} AS production
# Repeat the environment: this stage inherits nothing from base.
ENV PYTHONDONTWRITEBYTECODE=1
ENV PYTHONUNBUFFERED=1
ENV PYTHONUSERBASE=/opt/python PYTHONPYCACHEPREFIX=/opt/python/pycache PATH=/opt/python/bin:$PATH
# While builder installs the packages: add the user, delete the programs that run as root for any user, and compile the
# standard library without the parts that services do not import. All that this changes gets the same time.
RUN SOURCE_DATE_EPOCH=0 useradd --no-log-init --no-create-home --uid 10001 appuser && \
    find / -xdev -type f -perm /6000 -delete && \
    python -m compileall -q -x '/(idlelib|lib2to3|pydoc_data|site-packages|tkinter)/' /usr/local/lib/python3.* && \
    find /etc /opt /usr -newer /usr/local/bin -writable -exec touch --no-dereference --date=@0 {} +
COPY --from=builder /opt/python /opt/python
WORKDIR /app
# Keep connections open for longer than the 60 s of most load balancers. Stop within the 10 s that docker stop allows.
ENV APP_LOG_FORMAT=json \
    UVICORN_HTTP=app.server:Protocol \
    UVICORN_LOG_CONFIG=app/logging.json \
    UVICORN_SERVER_HEADER=false \
    UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN=5 \
    UVICORN_TIMEOUT_KEEP_ALIVE=75
# Set the mode: with umask 077, only root could read the source. Run nothing after this, so a change adds one small layer.
COPY --chmod=755 app app
LABEL org.opencontainers.image.licenses=MIT
# Use a number: Kubernetes' runAsNonRoot rejects names.
USER 10001
EXPOSE 8000
# Python handles SIGINT from the start, SIGTERM only once uvicorn runs.
STOPSIGNAL SIGINT
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["python", "-m", "app.probe"]
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8000"]
