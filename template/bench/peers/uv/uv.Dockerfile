# uv as its own image has it, /uv and /uvx and nothing else, from its package: all that is measured is pulled already.
FROM python:3.12-slim AS package
ARG UV_VERSION
RUN pip install --no-cache-dir uv==${UV_VERSION}

FROM scratch
COPY --from=package /usr/local/bin/uv /usr/local/bin/uvx /
