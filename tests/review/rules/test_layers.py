"""Rules about layers."""

import pytest

from tests.review.rules.table import fixes, lines

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
        ("COPY . .\nRUN pytest", []),
        ("COPY . .\nFROM a\nRUN pip install a", []),
        # A project needs its source; its dependencies were there before.
        ("COPY pyproject.toml .\nRUN pip install -r requirements.txt\nCOPY . .\nRUN pip install .", []),
        ("COPY . .\nRUN pip install --no-deps .", []),
        ("COPY . .\nRUN pip install --no-index --find-links=/wheels -r requirements.txt", []),
        ("COPY . .\nRUN pip install dist/*.whl", []),
        ("COPY setup.py setup.cfg ./\nRUN pip install -e .\nCOPY src src", []),
        ("COPY src src\nRUN poetry run playwright install chromium", []),
        ("RUN uv sync --locked --no-install-project\nCOPY . .\nRUN uv sync --locked", []),
        ("COPY --from=deps /venv /venv\nCOPY . .\nRUN pip install .", []),
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
        ("RUN pip install -U 'poetry>=2'\nCOPY . .\nRUN poetry install", [3]),
        ("COPY . .\nRUN pip install a\nRUN pip install b", [2]),
        ("RUN pip install a\nCOPY . .\nRUN pip install b", [3]),
        ("RUN pip install a\nCOPY . .\nRUN pip install -r requirements-dev.txt", [3]),
    ],
)
def test_source_before_install(dockerfile: str, expected: list[int]) -> None:
    assert lines("source-before-install", SLIM + dockerfile) == expected


def test_source_before_install_is_found_over_inherited_stages() -> None:
    dockerfile = "FROM python:slim AS a\nCOPY . .\nFROM a AS b\nRUN pip install x\nFROM a\nRUN pip install y\n"
    assert lines("source-before-install", dockerfile) == [2]


def test_an_unknown_base_may_have_the_dependencies() -> None:
    assert lines("source-before-install", "FROM company/base\nCOPY . .\nRUN pip install .") == []
    assert lines("source-before-install", "FROM company/base\nCOPY . .\nRUN pip install -r requirements.txt") == [2]


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("RUN --mount=type=cache,target=/root/.cache/pip pip install a", []),
        ("RUN --mount=type=cache,target=/root/.cache pip3 install a", []),
        ("RUN --mount=target=/root/.cache/pip,type=cache python -m pip install a", []),
        ("RUN --mount=type=cache,dst=/cache PIP_CACHE_DIR=/cache pip install a", []),
        ("RUN --mount=type=bind,source=r.txt,target=r.txt --mount=type=cache,target=/c pip install -r r.txt", []),
        ("RUN --mount=type=cache,target=/root/.cache/uv uv pip install a", []),
        ("RUN --mount=type=cache,target=/root/.cache/pip <<EOF\npip install a\nEOF", []),
        ("RUN pip install --no-index --find-links=/wheels a", []),
        ("RUN --network=none pip install --find-links=/wheels a", []),
        ("COPY --from=builder /wheels /wheels\nRUN pip install --no-cache /wheels/*", []),
        ("RUN pip install --no-deps dist/*.whl", []),
        ("RUN --mount=type=cache,target=/root/.cache/uv uv sync --no-install-project\nRUN uv sync", []),
        ("RUN poetry run playwright install chromium", []),
        ("RUN echo pip install", []),
        ("RUN pip freeze", []),
        ("RUN npm install", []),
        ("CMD pip install a", []),
        ("RUN pip install a", [2]),
        ("RUN pip install --no-cache-dir a", [2]),
        ("RUN pip3 install a && pip3 install b", [2]),
        ("RUN python3 -m pip install a", [2]),
        ("RUN uv pip install --system a", [2]),
        ("RUN uv sync", [2]),
        ("RUN --mount=type=bind,source=r.txt,target=r.txt pip install -r r.txt", [2]),
        ("RUN --mount=type=cache,target=/var/cache/apt apt-get install -y gcc && pip install a", [2]),
        ("RUN --mount=type=cache,target=/root/.cache/uv pip install a", [2]),
        ("RUN --mount=type=cache,target=/root/.npm npm ci && pip install a", [2]),
        ("RUN pip install https://example.com/a.tar.gz", [2]),
        ("RUN <<EOF\nset -e\npip install a\nEOF", [2]),
        ("RUN apt-get update && \\\n    pip install a", [2]),
        ("FROM a AS b\nRUN pip install a", [3]),
    ],
)
def test_pip_cache_mount(dockerfile: str, expected: list[int]) -> None:
    assert lines("pip-cache-mount", SLIM + dockerfile) == expected


@pytest.mark.parametrize(
    ("run", "cache"),
    [
        ("pip install a", "/root/.cache/pip"),
        ("uv sync", "/root/.cache/uv"),
        ("poetry install", "/root/.cache/pypoetry"),
    ],
)
def test_the_cache_mount_is_the_tools_own(run: str, cache: str) -> None:
    (fix,) = fixes("pip-cache-mount", f"{SLIM}RUN {run}")
    assert fix.startswith(f"RUN --mount=type=cache,target={cache} ")


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("RUN apt-get update && apt-get install -y a && rm -rf /var/lib/apt/lists/*", []),
        ("RUN apt-get update && apt-get install -y a && rm -r /var/lib/apt/lists", []),
        ("RUN apt-get update && apt-get install -y a; rm -rf /tmp/* /var/lib/apt/lists/* /var/tmp/*", []),
        ("RUN apt-get update && rm -rf /var/lib/{apt,dpkg,cache,log}/", []),
        ("RUN apt-get update && find /var/lib/apt/lists -type f -delete", []),
        ("RUN apt-get update && apt-get install -y a && apt-get dist-clean", []),
        ("RUN <<EOF\napt-get update\napt-get install -y a\nrm -rf /var/lib/apt/lists/*\nEOF", []),
        ("RUN --mount=type=cache,target=/var/lib/apt,sharing=locked apt-get update && apt-get install -y a", []),
        ("RUN --mount=type=tmpfs,target=/var/lib/apt/lists apt-get update && apt-get install -y a", []),
        ("RUN --mount=type=cache,target=/var/lib apt-get update && apt-get install -y a", []),
        ("RUN apt-get update && apt-get install -y a && cd /var/lib/apt/lists && rm -rf *", []),
        ("RUN apt-get update && rm -rf $LISTS", []),  # not known
        ("RUN apt-get install -y /tmp/a.deb", []),
        ("RUN apt-get upgrade -y", []),
        ("RUN apt search update", []),
        ("RUN <<EOF\ncat > /refresh <<'SH'\napt-get update\nSH\nEOF", []),
        ("RUN apt-mark hold a", []),
        ("RUN echo apt-get install", []),
        ("RUN apt-get update && apt-get install -y a", [2]),
        ("RUN apt update && apt install -y a", [2]),
        ("RUN apt-get -qq update", [2]),
        ("RUN apt-get update\nRUN apt-get install -y a\nRUN rm -rf /var/lib/apt/lists/*", [2]),
        ("RUN apt-get install -y a", [2]),
        ("RUN rm -rf /var/lib/apt/lists/* && apt-get update && apt-get install -y a", [2]),
        ("RUN apt-get update && apt-get install -y a && apt-get clean", [2]),
        ("RUN --mount=type=cache,target=/var/cache/apt apt-get update && apt-get install -y a", [2]),
        ("RUN apt-get update && apt-get install -y a && rm -rf /var/lib/apt2", [2]),
        ("RUN apt-get update\nFROM python:slim", []),  # what builds is not published
    ],
)
def test_apt_lists(dockerfile: str, expected: list[int]) -> None:
    assert lines("apt-lists", SLIM + dockerfile) == expected


def test_apt_lists_of_an_inherited_stage_are_published() -> None:
    assert lines("apt-lists", "FROM debian AS a\nRUN apt-get update\nFROM a\nCMD x") == [2]


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
        ("COPY ** .", "", [2]),
        ("FROM a\nCOPY . .", "", [3]),
    ],
)
def test_dockerignore(dockerfile: str, dockerignore: str | None, expected: list[int]) -> None:
    assert lines("dockerignore", SLIM + dockerfile, dockerignore) == expected
