"""The rows of the benchmark: each compares the Dockerfile with a copy in which edits undo one technique."""

import random
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from template.bench.subject import PROJECT, Edit

DOCKERFILE = "Dockerfile"
INSTALL = """RUN --mount=type=cache,target=/root/.cache/pip \\
    --mount=type=bind,source=requirements.txt,target=requirements.txt \\
    pip install --user --require-hashes --no-compile -r requirements.txt"""
STANDARD_LIBRARY = """    python -m compileall -q -x '/(idlelib|lib2to3|pydoc_data|site-packages|tkinter)/' \
/usr/local/lib/python3.* && \\
"""
STANDARD_LIBRARY_OF_DEV = "RUN python -m compileall -q /usr/local/lib/python3.*\n"
PACKAGES_BYTECODE = """    python -m compileall -q --invalidation-mode unchecked-hash /opt/python/lib && \\
"""
TOUCH = " && \\\n    find /opt/python -exec touch --no-dereference --date=@0 {} +\n"
TOUCH_THE_SYSTEM = """ && \\
    find /etc /opt /usr -newer /usr/local/bin -writable -exec touch --no-dereference --date=@0 {} +
"""
ADD_THE_USER = "RUN SOURCE_DATE_EPOCH=0 useradd"
APP = "COPY --chmod=755 app app\n"
# The Python base image in the Dockerfile, which may be pinned, and the full image of the same version.
PYTHON = "".join(re.findall(r"^ARG PYTHON_(?:VERSION|IMAGE)=.*\n", (PROJECT / DOCKERFILE).read_text(), re.MULTILINE))
SLIM = subprocess.run([PROJECT / "scripts/pin", "--show"], capture_output=True, text=True, check=True).stdout.strip()
FULL = SLIM.partition("@")[0].removesuffix("-slim")
START = 'CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8000"]'
APT = "RUN apt-get update && apt-get install -y --no-install-recommends tini"


@dataclass(frozen=True)
class Variant:
    """A row: a technique, and the edits that undo it."""

    name: str
    title: str
    undone: str
    """What replaces it."""
    measures: Sequence[str]
    """The names of the measures, the most important one first."""
    edits: Sequence[Edit]
    reference: Sequence[Edit] = ()
    """Edits to the side with the technique. Without any, it is the project itself."""
    technique: str = ""
    """The card's name for the technique, if the card has it."""
    anti_pattern: str = ""
    """The card's name for the anti-pattern, if the card has it."""
    claim: str = ""
    """What the card promises."""
    options: Sequence[str] = ()
    buildkit: bool = True
    compose: bool = True
    litter: bool = False
    """Whether to fill the folder like a working copy: with a git history, packages and modules."""
    note: str = ""


VARIANTS = (
    Variant(
        "cache-mount",
        "a cache mount for pip",
        "no cache mount",
        ["dependency", "downloads", "cold"],
        [Edit(DOCKERFILE, INSTALL, INSTALL.replace("--mount=type=cache,target=/root/.cache/pip \\\n    ", ""))],
        technique="Cache mounts",
        anti_pattern="`pip install` without cache mount",
        claim="reuses downloaded packages",
    ),
    Variant(
        "bind-mount",
        "a bind mount for the requirements",
        "`COPY requirements.txt .` before the installation",
        ["cold", "dependency", "layers", "added"],
        [
            Edit(
                DOCKERFILE,
                INSTALL,
                "COPY requirements.txt .\n"
                + INSTALL.replace("    --mount=type=bind,source=requirements.txt,target=requirements.txt \\\n", ""),
            )
        ],
        technique="Bind mounts",
        claim="no COPY layer for requirements",
        note="The saved layer is in `builder`, which is not published. So the image is the same.",
    ),
    Variant(
        "layer-order",
        "packages installed before the source is copied",
        "`COPY . .` before the installation",
        ["rebuilt", "pushed"],
        [Edit(DOCKERFILE, INSTALL, f"COPY . .\n{INSTALL}")],
        technique="Layer ordering",
        anti_pattern="`COPY . .` before `pip install`",
        claim="code changes don't reinstall dependencies",
    ),
    Variant(
        "full-image",
        "the slim Python base image",
        "the full image",
        ["whole", "unpacked", "start"],
        [Edit(DOCKERFILE, PYTHON, f"ARG PYTHON_IMAGE={FULL}\n")],
        technique="Slim base",
        anti_pattern="`FROM python:3.12` (full image)",
        claim="about 150 MB instead of 1 GB",
    ),
    Variant(
        "buildkit",
        "BuildKit",
        "the legacy builder (`DOCKER_BUILDKIT=0`), which has no mounts",
        ["cold", "unchanged", "rebuilt"],
        [
            Edit(
                DOCKERFILE,
                INSTALL,
                "COPY requirements.txt .\nRUN pip install --user --require-hashes --no-compile -r requirements.txt",
            ),
            Edit(
                DOCKERFILE,
                """RUN --mount=type=cache,target=/root/.cache/pip \\
    --mount=type=bind,source=requirements-dev.txt,target=requirements-dev.txt \\
""",
                "COPY requirements-dev.txt .\nRUN ",
            ),
            Edit(DOCKERFILE, "RUN --mount=type=cache,target=/tmp/cache \\\n    ", "RUN "),
            Edit(DOCKERFILE, APP, "COPY app app\n"),
        ],
        technique="BuildKit",
        claim="parallel stages, skips unused ones",
        note="The legacy builder, which Docker still contains, also builds `dev`, here without its checks.",
        options=["--build-arg=CHECK=false"],
        buildkit=False,
    ),
    Variant(
        "dockerignore",
        "`.dockerignore`, in a folder with a git history, packages and modules",
        "no `.dockerignore`",
        ["context of dev", "context"],
        [Edit(".dockerignore")],
        technique=".dockerignore",
        anti_pattern="No `.dockerignore`",
        claim="smaller build context",
        note="BuildKit sends only the files that a stage copies. For `production`, that is `app`, so the file makes no "
        "difference. `dev` has `COPY . .`, as the card's `production` has, so the whole folder is sent.",
        litter=True,
    ),
    Variant(
        "pinned-base",
        "the base image pinned by digest",
        "only its tag, which moves to another image",
        ["layers moved"],
        [Edit(DOCKERFILE, PYTHON, "ARG PYTHON_IMAGE={moving}\n")],
        reference=[Edit(DOCKERFILE, PYTHON, "ARG PYTHON_IMAGE={moving}@{digest}\n")],
        technique="Version pinning",
        claim="reproducible builds",
    ),
    Variant(
        "pinned-packages",
        "packages locked with hashes",
        "`pip install -r requirements.in`, without versions",
        ["unpinned", "cold"],
        [
            Edit(
                DOCKERFILE,
                INSTALL,
                INSTALL.replace("requirements.txt", "requirements.in").replace("--require-hashes ", ""),
            ),
        ],
    ),
    Variant(
        "root",
        "a non-root user",
        "root",
        ["writable"],
        [Edit(DOCKERFILE, "USER 10001\n")],
        anti_pattern="Running as root",
    ),
    Variant(
        "apt-lists",
        "a system package, with apt's lists removed in the same layer",
        "apt's lists kept",
        ["added"],
        [Edit(DOCKERFILE, ADD_THE_USER, f"{APT}\n{ADD_THE_USER}")],
        reference=[Edit(DOCKERFILE, ADD_THE_USER, f"{APT} && rm -rf /var/lib/apt/lists/*\n{ADD_THE_USER}")],
        anti_pattern="`apt-get install` without cleanup",
    ),
    Variant(
        "hardcoded-version",
        "the Python version in one place",
        "the version in two `FROM` lines",
        ["places"],
        [
            Edit(DOCKERFILE, "FROM ${PYTHON_IMAGE} AS base", f"FROM {SLIM} AS base"),
            Edit(DOCKERFILE, "FROM ${PYTHON_IMAGE} AS production", f"FROM {SLIM} AS production"),
            Edit(DOCKERFILE, PYTHON),
        ],
        anti_pattern="Hardcoded versions in Dockerfile",
    ),
    Variant(
        "single-stage",
        "a separate production stage",
        "the `dev` stage published, with tools, tests and source",
        ["added", "pushed", "start"],
        [Edit(DOCKERFILE, "FROM ${PYTHON_IMAGE} AS production", "FROM dev AS production")],
        options=["--build-arg=CHECK=false"],
    ),
    Variant(
        "bytecode",
        "bytecode of the packages and the standard library in the image",
        "no bytecode, so each start compiles what it imports",
        ["start", "added", "cold"],
        [
            Edit(DOCKERFILE, STANDARD_LIBRARY),
            Edit(DOCKERFILE, STANDARD_LIBRARY_OF_DEV),
            Edit(DOCKERFILE, PACKAGES_BYTECODE),
        ],
    ),
    Variant(
        "stdlib-bytecode",
        "bytecode of the standard library in the image",
        "bytecode of the packages only",
        ["start", "edited", "added", "cold"],
        [Edit(DOCKERFILE, STANDARD_LIBRARY), Edit(DOCKERFILE, STANDARD_LIBRARY_OF_DEV)],
    ),
    Variant(
        "app-bytecode",
        "nothing run after the app is copied",
        "the app compiled after it is copied",
        ["rebuilt", "start"],
        [
            Edit(
                DOCKERFILE,
                APP,
                f"{APP}RUN --network=none python -m compileall -q --invalidation-mode unchecked-hash app\n",
            )
        ],
        note="Without compiling, builds are simpler, but each start compiles the app. For a large app, "
        "[compiling may be faster](../debugging.md#compile-a-large-app).",
    ),
    Variant(
        "uvloop",
        "no uvloop",
        "uvloop, which uvicorn uses if it is installed",
        ["rate", "slowest", "added", "start"],
        [
            Edit(
                DOCKERFILE, f"{INSTALL} && \\\n", f"{INSTALL} && \\\n    pip install --user --no-compile uvloop && \\\n"
            )
        ],
    ),
    Variant(
        "http-parser",
        "h11 as the HTTP parser",
        "httptools, which uvicorn uses if it is installed",
        ["rate", "slowest", "added"],
        [
            Edit(
                DOCKERFILE,
                f"{INSTALL} && \\\n",
                f"{INSTALL} && \\\n    pip install --user --no-compile httptools && \\\n",
            ),
            Edit(DOCKERFILE, "UVICORN_HTTP=app.server:Protocol", "UVICORN_HTTP=httptools"),
        ],
        note="httptools is faster, but [clients can make it exceed the memory limit](../image.md#the-http-parser).",
    ),
    Variant(
        "access-log",
        "the app's access log, with one JSON object per request",
        "uvicorn's access log",
        ["rate", "slowest"],
        [Edit(DOCKERFILE, "    UVICORN_LOG_CONFIG=app/logging.json \\\n")],
    ),
    Variant(
        "exec-form",
        "`CMD` in the JSON form",
        "`CMD` in the shell form",
        ["stop"],
        [Edit(DOCKERFILE, f"{START}\n", "CMD uvicorn app.main:app --host 0.0.0.0 --port 8000\n")],
    ),
    Variant(
        "stop-signal",
        "`STOPSIGNAL SIGINT`",
        "SIGTERM, the default",
        ["stop while starting", "stop"],
        [Edit(DOCKERFILE, "STOPSIGNAL SIGINT\n")],
    ),
    Variant(
        "one-time",
        "one timestamp for packages and bytecode",
        "the timestamps of the build",
        ["pushed elsewhere"],
        [Edit(DOCKERFILE, TOUCH, "\n"), Edit(DOCKERFILE, TOUCH_THE_SYSTEM, "\n")],
    ),
    Variant(
        "hot-reload",
        "the source mounted, and the app reloaded on a change",
        "the image built and started again",
        ["edited"],
        [],
        compose=False,
        note="uvicorn checks every 0.1 s whether to stop, then waits 0.1 s for its connections. Most of the rest is "
        "importing uvicorn and FastAPI again, which an app with one route needs as well.",
    ),
)


def litter(folder: Path) -> None:
    """Fill the folder like a working copy, with typical names, numbers and sizes of files."""
    noise = random.Random(0)  # noqa: S311 -- to fill files
    for name, files, size in (
        (".git/objects", 2000, 12_000),
        (".venv/lib", 4000, 20_000),
        ("node_modules", 8000, 6_000),
    ):
        for number in range(files):
            file = folder / name / f"{number % 100:02}" / f"{number}.js"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(noise.randbytes(size))
