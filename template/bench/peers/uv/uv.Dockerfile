# The same content as uv's own image, /uv and /uvx, but from the Python package, so that nothing must be pulled.
FROM python:3.12-slim AS package
ARG UV_VERSION
RUN pip install --no-cache-dir uv==${UV_VERSION}

FROM scratch
COPY --from=package /usr/local/bin/uv /usr/local/bin/uvx /
