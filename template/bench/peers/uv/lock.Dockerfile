# Writes pyproject.toml with the dependencies, and uv.lock with the versions that requirements.txt has:
#   docker build --file lock.Dockerfile --output . .
# At the time of the measurement, since a uv.lock names the index that it was made with.
ARG UV_IMAGE=ghcr.io/astral-sh/uv:0.13.8
FROM ${UV_IMAGE} AS uv

FROM python:3.12-slim AS lock
COPY --from=uv /uv /bin/
# As pip does: trust the certificates that the image trusts.
ENV UV_SYSTEM_CERTS=1
WORKDIR /lock
COPY pyproject.toml requirements.in requirements.txt ./
RUN uv add --no-sync --requirements requirements.in --constraints requirements.txt

FROM scratch
COPY --from=lock /lock/pyproject.toml /lock/uv.lock /
