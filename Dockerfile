ARG PYTHON_VERSION=3.12
ARG PYTHON_IMAGE=python:${PYTHON_VERSION}-slim

# base: the environment that building and developing share.
FROM ${PYTHON_IMAGE} AS base
ENV PYTHONDONTWRITEBYTECODE=1
ENV PYTHONUNBUFFERED=1
# Packages and bytecode live under one prefix that any user can read; /root, where --user would
# put them, is closed to all but root.
ENV PYTHONUSERBASE=/opt/python PYTHONPYCACHEPREFIX=/opt/python/pycache
ENV PATH=/opt/python/bin:$PATH
WORKDIR /app

# builder: the packages that the service runs on, and the bytecode of all that start-up imports.
FROM base AS builder
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=requirements.txt,target=requirements.txt \
    pip install --user --require-hashes --no-compile -r requirements.txt && \
    python -m compileall -q --invalidation-mode unchecked-hash /opt/python/lib
# The official image ships its standard library without bytecode: start an empty service once, which
# stops at its first tick, and keep what that compiled.
RUN PYTHONDONTWRITEBYTECODE= UVICORN_HTTP=zttp \
    uvicorn --factory fastapi:FastAPI --limit-max-requests 0

# production
FROM ${PYTHON_IMAGE} AS production
ENV PYTHONDONTWRITEBYTECODE=1
ENV PYTHONUNBUFFERED=1
ENV PYTHONUSERBASE=/opt/python PYTHONPYCACHEPREFIX=/opt/python/pycache
ENV PATH=/opt/python/bin:$PATH
WORKDIR /app
RUN useradd --no-log-init --no-create-home --uid 10001 appuser
COPY --from=builder /opt/python /opt/python
COPY app app
RUN python -m compileall -q --invalidation-mode unchecked-hash app
USER 10001
EXPOSE 8000
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8000"]
