# Write the dependencies into pyproject.toml, and the versions in requirements.txt into uv.lock:
#   docker build --file lock.Dockerfile --output . .
# Each measurement does this, because uv.lock names the index that it was made with.
ARG UV_IMAGE=ghcr.io/astral-sh/uv:0.13.8
FROM ${UV_IMAGE} AS uv

FROM python:3.12-slim AS lock
COPY --from=uv /uv /bin/
# Trust the certificates of the image, as pip does.
ENV UV_SYSTEM_CERTS=1
WORKDIR /lock
COPY pyproject.toml requirements.in requirements.txt ./
RUN uv add --no-sync --requirements requirements.in --constraints requirements.txt

FROM scratch
COPY --from=lock /lock/pyproject.toml /lock/uv.lock /
