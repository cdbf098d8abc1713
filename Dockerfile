# The image of Python, named once, where Dependabot and Renovate find it; --build-arg PYTHON_IMAGE=... takes another.
ARG PYTHON_IMAGE=python
# review-ignore: unpinned-base `make lock` writes the digest behind the tag, `make lock PIN=false` takes it off
FROM python:3.12-slim AS python

# base: what building and developing share.
FROM ${PYTHON_IMAGE} AS base
ENV PYTHONDONTWRITEBYTECODE=1
ENV PYTHONUNBUFFERED=1
# One prefix for packages and bytecode, which any user can read: /root, where pip --user would go, is closed.
ENV PYTHONUSERBASE=/opt/python PYTHONPYCACHEPREFIX=/opt/python/pycache PATH=/opt/python/bin:$PATH
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
# requirements.in says why.
ENV UVICORN_HTTP=zttp
WORKDIR /app

# builder: bytecode for the standard library, and the packages that the service runs on.
FROM base AS builder
# The image of Python comes without bytecode, and each start would compile all that it imports again. Unchecked, so that
# it stays valid whatever time its source file is given. Left out is what no service imports.
RUN python -m compileall -q --invalidation-mode unchecked-hash \
    -x '/(ensurepip|idlelib|lib2to3|pydoc_data|site-packages|tkinter|turtledemo)/' \
    "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
# All files get one time: their layer is the same bytes until a package changes, and nobody who has it pushes or
# pulls it again.
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=requirements.txt,target=requirements.txt \
    pip install --user --require-hashes --no-compile -r requirements.txt && \
    python -m compileall -q --invalidation-mode unchecked-hash /opt/python/lib && \
    find /opt -exec touch --no-dereference --date=@0 {} +

# dev: the tools, the source and the gate: no image unless every check passes.
FROM base AS dev
COPY --from=builder /opt /opt
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=requirements-dev.txt,target=requirements-dev.txt \
    pip install --user --require-hashes -r requirements-dev.txt
ENV MYPY_CACHE_DIR=/tmp/cache/mypy RUFF_CACHE_DIR=/tmp/cache/ruff PYTEST_ADDOPTS="-o cache_dir=/tmp/cache/pytest"
ENV UVICORN_LOG_CONFIG=app/logging.json
COPY . .
# --build-arg CHECK=false for an image of work in progress.
ARG CHECK=true
RUN --mount=type=cache,target=/tmp/cache,sharing=locked \
    [ "$CHECK" = false ] || scripts/check
EXPOSE 8000
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8000", "--reload", "--reload-dir", "app"]

# production: a fresh image of Python, the builder's packages, the app, and a user who can change neither.
FROM ${PYTHON_IMAGE} AS production
# First: an engine knows what it has unpacked by a layer and all those below it, and useradd's is new with each build.
# All of /opt: a folder made here would have the time of the build.
COPY --from=builder /opt /opt
# Without today's date in /etc/shadow, which would make every build another image; and without the programs that
# make root of whoever runs them, which no service does.
RUN SOURCE_DATE_EPOCH=0 useradd --no-log-init --no-create-home --uid 10001 appuser && \
    find / -xdev -type f -perm /6000 -delete
# Again, since nothing of base is here.
ENV PYTHONDONTWRITEBYTECODE=1
ENV PYTHONUNBUFFERED=1
ENV PYTHONUSERBASE=/opt/python PYTHONPYCACHEPREFIX=/opt/python/pycache PATH=/opt/python/bin:$PATH
ENV UVICORN_HTTP=zttp
WORKDIR /app
# Keep-alive outlasts the 60 s of a load balancer, or it would meet connections that close under its requests.
# Stopping ends within the 10 s that docker stop waits, whatever a client holds open.
ENV APP_LOG_FORMAT=json \
    UVICORN_LOG_CONFIG=app/logging.json \
    UVICORN_SERVER_HEADER=false \
    UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN=5 \
    UVICORN_TIMEOUT_KEEP_ALIVE=75
# A checkout made under umask 077 would be readable by root alone. Nothing runs after it, so that a change is a copy:
# compiling the app here would save each start less than it costs each build.
COPY --chmod=755 app app
LABEL org.opencontainers.image.licenses=MIT
# By number, because Kubernetes' runAsNonRoot cannot tell who a name is.
USER 10001
EXPOSE 8000
# Process 1 has Python's handler for SIGINT almost from its first moment, for SIGTERM only once uvicorn runs.
STOPSIGNAL SIGINT
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["python", "-m", "app.probe"]
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8000"]
