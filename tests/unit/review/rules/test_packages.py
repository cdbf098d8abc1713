"""Rules about installing packages."""

import pytest

from app.review.rules.packages import OTHER_CACHES
from tests.unit.review.rules.table import fixes, lines

SLIM = "FROM python:3.12-slim\n"


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
        ("RUN --mount=type=bind,from=builder,source=/wheels,target=/wheels pip install /wheels/*", []),
        ("RUN pip install --no-deps --no-build-isolation -e .", []),
        ("RUN --mount=type=cache,target=/root/.cache/uv uv sync --no-install-project\nRUN uv sync", []),
        ("RUN poetry run playwright install chromium", []),
        ("RUN echo pip install", []),
        ("RUN pip freeze", []),
        ("RUN npm install", []),
        ("CMD pip install a", []),
        ("FROM python:3.12-nanoserver\nRUN pip install a", []),  # RUN does not support mounts there
        ("RUN pip install a", [2]),
        ("RUN pip install --no-cache-dir a", [2]),
        ("RUN pip3 install a && pip3 install b", [2]),
        ("RUN python3 -m pip install a", [2]),
        ("RUN python${VERSION} -m pip install a", [2]),
        ("RUN uv pip install --system a", [2]),
        ("RUN uv sync", [2]),
        ("RUN --mount=type=bind,source=r.txt,target=r.txt pip install -r r.txt", [2]),
        ("RUN --mount=type=cache,target=/var/cache/apt apt-get install -y gcc && pip install a", [2]),
        ("RUN --mount=type=cache,target=/root/.cache/uv pip install a", [2]),
        ("RUN --mount=type=cache,target=/root/.npm npm ci && pip install a", [2]),
        ("RUN pip install https://example.com/a.tar.gz", [2]),
        ("RUN <<EOF\nset -e\npip install a\nEOF", [2]),
        ("RUN --mount=type=cache,target=/root/.cache/pip pip install a\nRUN pip install .", [3]),
        (
            "RUN --mount=type=cache,target=/root/.cache/uv uv sync --no-install-project\n"
            "RUN uv sync --no-install-project --extra x",
            [3],
        ),
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
def test_fix_mounts_the_cache_of_the_tool(run: str, cache: str) -> None:
    (fix,) = fixes("pip-cache-mount", f"{SLIM}RUN {run}")
    assert fix == f"RUN --mount=type=cache,target={cache} {' '.join(run.split()[:2])} …"


@pytest.mark.parametrize("folder", sorted(OTHER_CACHES))
def test_cache_of_another_program_is_not_used_by_pip(folder: str) -> None:
    run = f"RUN --mount=type=cache,target=/x/{folder} pip install a"
    assert lines("pip-cache-mount", SLIM + run) == [2]


def test_fix_mounts_the_cache_in_the_home_of_the_user() -> None:
    (fix,) = fixes("pip-cache-mount", f"{SLIM}USER app\nRUN pip install a")
    assert "target=<home>/.cache/pip,uid=<number> " in fix


@pytest.mark.parametrize(
    ("dockerfile", "off"),
    [
        ("RUN pip install --no-cache-dir a", "--no-cache-dir"),
        ("ENV PIP_NO_CACHE_DIR=1\nRUN pip install a", "PIP_NO_CACHE_DIR=1"),
        ("ENV UV_NO_CACHE=true\nRUN uv sync", "UV_NO_CACHE=true"),
    ],
)
def test_fix_removes_what_disables_the_cache(dockerfile: str, off: str) -> None:
    (fix,) = fixes("pip-cache-mount", SLIM + dockerfile)
    assert fix.endswith(f", without {off}")


@pytest.mark.parametrize(
    ("dockerfile", "mount"),
    [
        ("ENV PIP_CACHE_DIR=/x\nRUN pip install a", "target=/x"),
        ("ENV POETRY_CACHE_DIR=/tmp/poetry_cache\nRUN poetry install", "target=/tmp/poetry_cache"),
        ("ENV PIP_CACHE_DIR=$X\nRUN pip install a", "target=$PIP_CACHE_DIR"),
        ("FROM company/base\nRUN pip install a", "target=<home>/.cache/pip,uid=<number>"),
        ("ENV XDG_CACHE_HOME=/x\nRUN uv sync", "target=/x/uv"),
        ("USER 1000:1000\nENV HOME=/home/app\nRUN pip install a", "target=/home/app/.cache/pip,uid=1000"),
    ],
)
def test_fix_mounts_the_cache_where_variables_say(dockerfile: str, mount: str) -> None:
    (fix,) = fixes("pip-cache-mount", SLIM + dockerfile)
    assert fix.startswith(f"RUN --mount=type=cache,{mount} ")


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
        ("RUN apt-get update && cd /var/lib/dpkg && rm -rf ../apt/lists", []),
        ("RUN apt-get update && rm -rf $LISTS", []),  # unknown
        ("RUN apt-get install -y a", []),  # it downloads no lists
        ("RUN apt-get update && apt-get install -y a && /build/clean.sh", []),  # unknown
        ("RUN apt-get update && apt-get install -y a && bash /build/finish.sh", []),  # unknown
        ("RUN apt-get update && apt-get install -y a && apt-clean-all", []),  # unknown
        ("RUN apt-get update && apt-get install -y a && /build/finish.sh", []),  # unknown
        ("RUN apt-get update && rm -rf /var/lib/*", []),
        ("RUN --mount=type=bind,source=lists,target=/var/lib/apt/lists,rw apt-get update", []),
        (
            "RUN apt-get update && apt-get install -y --no-install-recommends a && rm -rf /var/{lib/apt/lists,cache}/*",
            [],
        ),
        ("RUN apt-get upgrade -y", []),
        ("RUN apt search update", []),
        ("RUN <<EOF\ncat > /refresh <<'SH'\napt-get update\nSH\nEOF", []),
        ("RUN apt-get update && apt-get distclean", []),
        ("CMD apt-get update", []),
        ("RUN apt-mark hold a", []),
        ("RUN echo apt-get install", []),
        ("RUN apt-get update && apt-get install -y a", [2]),
        ("RUN apt update && apt install -y a", [2]),
        ("RUN apt-get update && rm -rf /tmp/a", [2]),
        ("RUN apt-get update && rm -rf /tmp/* /tmp/apt /var/lib/dpkg", [2]),
        ("RUN apt-get update && curl https://x.example/setup | bash - && apt-get install -y nodejs", [2]),
        ("RUN /build/clean.sh && apt-get update", [2]),
        ("RUN apt-get update && ls /var/lib/apt/lists", [2]),
        ("RUN apt-get -qq update", [2]),
        ("RUN apt-get -o Acquire::Retries=3 update", [2]),
        ("RUN apt-get update\nRUN apt-get install -y a\nRUN rm -rf /var/lib/apt/lists/*", [2]),
        ("RUN rm -rf /var/lib/apt/lists/* && apt-get update && apt-get install -y a", [2]),
        ("RUN apt-get update && apt-get install -y a && apt-get clean", [2]),
        ("RUN --mount=type=cache,target=/var/cache/apt apt-get update && apt-get install -y a", [2]),
        ("RUN apt-get update\nFROM python:slim", []),  # the builder is not published
    ],
)
def test_apt_lists(dockerfile: str, expected: list[int]) -> None:
    assert lines("apt-lists", SLIM + dockerfile) == expected


def test_lists_of_an_inherited_stage_are_published() -> None:
    assert lines("apt-lists", "FROM debian AS a\nRUN apt-get update\nFROM a\nCMD x") == [2]


CACHE = "RUN --mount=type=cache,target=/root/.cache/pip "


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        (CACHE + "pip install a", []),
        (CACHE + "pip install --no-index --no-cache-dir /wheels/*", []),
        ("ENV PIP_NO_CACHE_DIR=1\nRUN pip install a", []),  # pip-cache-mount
        ("ENV PIP_NO_CACHE_DIR=1\nRUN --mount=type=cache,target=/var/cache/apt pip install a", []),
        ("ENV PIP_NO_CACHE_DIR=1\nRUN --mount=type=cache,target=/root/.cache/pypoetry poetry install", []),
        ("RUN --mount=type=cache,target=/root/.cache pip install a", []),
        ("RUN --mount=type=cache,target=/x pip install --cache-dir /x a", []),
        ("RUN --mount=type=cache,target=/x PIP_CACHE_DIR=/x pip install a", []),
        ("ENV PIP_CACHE_DIR=/x\nRUN --mount=type=cache,target=/x pip install a", []),
        ("ENV XDG_CACHE_HOME=/x\nRUN --mount=type=cache,target=/x pip install a", []),
        ("ENV HOME=/x\nRUN --mount=type=cache,target=/x/.cache/pip pip install a", []),
        ("ENV PIP_CACHE_DIR=$X\nRUN --mount=type=cache,target=/x pip install a", []),  # unknown
        ("USER app\nRUN --mount=type=cache,target=/home/app/.cache/pip,uid=1000 pip install a", []),
        ("USER app\nRUN --mount=type=cache,target=/x,mode=777 pip install --cache-dir=/x a", []),
        ("RUN --mount=type=cache,target=/root/.cache/uv uv sync", []),
        ("RUN --mount=type=cache,target=$CACHE pip install a", []),  # unknown
        ("RUN --mount=type=cache,target=/x <<E\nexport PIP_CACHE_DIR=/x\npip install a\nE", []),
        ("ENV PIP_NO_CACHE_DIR=\n" + CACHE + "pip install a", []),
        ("ENV PIP_NO_CACHE_DIR=$X\n" + CACHE + "pip install a", []),  # unknown
        ("ENV XDG_CACHE_HOME=$X\nRUN --mount=type=cache,target=/x pip install a", []),  # unknown
        ("FROM company/base\n" + CACHE + "pip install a", []),  # unknown
        ("RUN --mount=type=cache,target=/root/.cache/uv,uid=1000 uv sync", []),
        ("RUN --mount=type=cache,target=/root/.cache/pip,uid=$ID pip install a", []),  # unknown
        ("USER app\nENV PIP_CACHE_DIR=/x\nRUN --mount=type=cache,target=/x,uid=1000 pip install a", []),
        ("ENV PIP_NO_CACHE_DIR=1\n" + CACHE + "PIP_NO_CACHE_DIR= pip install a", []),
        ("ENV UV_NO_CACHE=0\nRUN --mount=type=cache,target=/root/.cache/uv uv sync", []),
        (CACHE + "sh -c 'pip install --no-cache-dir -U pip && pip install -r requirements.txt'", []),
        (CACHE + "--mount=type=cache,target=/root/.cache/uv pip install uv && uv sync", []),
        ("WORKDIR /root\nRUN --mount=type=cache,target=.cache/pip pip install a", []),
        ("USER app\n" + CACHE + "sudo pip install a", []),
        ("FROM company/base\nRUN --mount=type=cache,target=/home/app/.cache/pip pip install a", []),  # unknown
        ("USER 1000\nRUN --mount=type=cache,target=/home/app/.cache/pip,mode=0777 pip install a", []),  # unknown
        (CACHE + "pip install --no-cache-dir a", [2]),
        (CACHE + "pip install --no-cache-dir -r requirements.txt && true", [2]),
        ("ENV PIP_NO_CACHE_DIR=1\n" + CACHE + "pip install a", [3]),
        ("ARG PIP_NO_CACHE_DIR=yes\n" + CACHE + "pip install a", [3]),
        ("ENV PIP_NO_CACHE_DIR=off\n" + CACHE + "pip install a", [3]),  # any value means yes
        ("ENV PIP_NO_CACHE_DIR=0\n" + CACHE + "pip install a", [3]),
        ("RUN --mount=type=cache,target=/root/.cache/uv uv pip install --no-cache a", [2]),
        ("ENV UV_NO_CACHE=1\nRUN --mount=type=cache,target=/root/.cache/uv uv sync", [3]),
        ("RUN --mount=type=cache,target=/root/pip pip install a", [2]),
        ("ENV PIP_CACHE_DIR=/y\nRUN --mount=type=cache,target=/x/pip pip install a", [3]),
        ("USER app\n" + CACHE + "pip install a", [3]),
        ("USER app\nRUN --mount=type=cache,target=/home/app/.cache/pip pip install a", [3]),
        ("USER app\nRUN --mount=type=cache,target=/home/app/.cache/pip,gid=1000 pip install a", [3]),
        ("USER app\nRUN --mount=type=cache,target=/root/.cache/pip,uid=1000 pip install a", [3]),
        ("USER app\nRUN --mount=type=cache,target=/home/app/.cache/uv uv sync", [3]),
        ("RUN --mount=type=cache,target=/root/.cache/pip,uid=1000 pip install a", [2]),
        (
            CACHE + "--mount=type=cache,target=/root/.cache/uv pip install --no-cache-dir uv && uv sync --no-cache",
            [2],
        ),
        ("RUN --mount=type=cache,target=~/.cache/pip pip install a", [2]),
        ("WORKDIR /app\nRUN --mount=type=cache,target=.cache/pip pip install a", [3]),
        (CACHE + "sh -c 'pip install -U pip && pip install --no-cache-dir -r requirements.txt'", [2]),
        (CACHE + "--mount=type=cache,target=/root/.cache/uv pip install uv && uv sync --no-cache", [2]),
        ("RUN --mount=type=cache,target=/root/.cache/pip <<E\npip install --no-cache-dir a\nE", [2]),
        ("USER app\nENV PIP_CACHE_DIR=/x\nRUN --mount=type=cache,target=/x pip install a", [4]),
    ],
)
def test_cache_mount_defeated(dockerfile: str, expected: list[int]) -> None:
    assert lines("cache-mount-defeated", SLIM + dockerfile) == expected


USER_INSTALL = "FROM python:slim AS builder\nRUN pip install --user a\n"


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        (USER_INSTALL + "FROM python:slim\nCOPY --from=builder /root/.local /root/.local", []),  # root runs the service
        (USER_INSTALL + "FROM python:slim\nCOPY --from=builder /root/.local /home/app/.local\nUSER app", []),
        (USER_INSTALL + "FROM python:slim\nCOPY --from=builder /root/.bashrc /root/\nUSER app", []),
        (
            USER_INSTALL + "FROM python:slim\nCOPY --from=builder /root/.local /root/.local\n"
            "RUN chmod 755 /root\nUSER app",
            [],
        ),
        ("FROM python:slim\nRUN pip install a\nUSER app", []),
        ("FROM python:slim\nENV PYTHONUSERBASE=/opt/python\nRUN pip install --user a\nUSER app", []),
        ("FROM python:slim\nUSER app\nRUN pip install --user a", []),
        ("FROM python:slim\nRUN pip install --user a\nUSER $WHO", []),  # unknown
        # Only the build needs the installer.
        ("FROM python:slim\nRUN pip install --user pipenv && pipenv sync --system\nUSER app", []),
        ("FROM python:slim\nCOPY --from=ghcr.io/astral-sh/uv /uv /uvx /root/.local/bin/\nUSER app", []),
        ("FROM python:slim AS a\nFROM python:slim\nCOPY --from=a /root/.local $WHERE\nUSER app", []),  # unknown
        (
            "FROM python:slim\nRUN pip install --user a\nRUN true && setfacl -m u:app:rx /root/\nUSER app",
            [],
        ),
        ("FROM company/base\nUSER root\nRUN pip install --user a\nUSER app", []),  # unknown
        ("ARG I\nFROM $I\nUSER root\nRUN pip install --user a\nUSER app", []),  # unknown
        ("FROM python:slim\nCOPY .local /root/.local\nUSER app", []),  # unknown
        ("FROM python:slim AS a\nFROM python:slim\nCOPY --from=a /root/.config /root/.config\nUSER app", []),
        (USER_INSTALL + "FROM python:slim\nCOPY --from=builder /root/.local /root/.local\nUSER app", [4]),
        (USER_INSTALL + "FROM python:slim\nUSER 10001\nCOPY --from=builder /root/.local /root/.local", [5]),
        ("FROM python:slim\nRUN pip install --user a\nUSER app", [2]),
        ("FROM python:slim\nRUN pip install --user a && ls /root && chmod 755 /srv\nUSER app", [2]),
        ("FROM python:slim\nWORKDIR /root\nRUN uv sync\nUSER app", [3]),
        ("FROM python:slim AS a\nRUN pip install --user a\nFROM a\nUSER app", [2]),
    ],
)
def test_unreadable_packages(dockerfile: str, expected: list[int]) -> None:
    assert lines("unreadable-packages", dockerfile) == expected


def test_fix_does_not_delete_lists_that_a_later_step_reads() -> None:
    dockerfile = "FROM python:slim\nRUN apt-get update\nRUN apt-get install -y a"
    assert fixes("apt-lists", dockerfile) == [
        "join this RUN with the one in line 3, and end it with rm -rf /var/lib/apt/lists/*"
    ]


@pytest.mark.parametrize(
    "target", ["/build/target", "/opt/cargo/registry", "/root/.ccache", "/root/.cache/ccache", "/root/.m2"]
)
def test_cache_of_another_tool_is_not_reported(target: str) -> None:
    run = f"RUN --mount=type=cache,target={target} pip wheel --no-cache-dir ."
    assert lines("cache-mount-defeated", f"FROM python:slim\n{run}") == []


@pytest.mark.parametrize("target", ["/cache", "/srv/.cache", "/var/pip"])
def test_cache_that_may_be_for_the_tool_is_reported(target: str) -> None:
    run = f"RUN --mount=type=cache,target={target} pip install --no-cache-dir a"
    assert lines("cache-mount-defeated", f"FROM python:slim\n{run}") == [2]
