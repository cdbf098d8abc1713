"""Rules about Python itself: the image's or the system's."""

import re
from collections.abc import Iterator

from app.review.dockerfile import Dockerfile
from app.review.image import Image
from app.review.rules.rule import Problem, Severity, rule
from app.review.stage import Stage, Step
from app.review.system import installed

# Releases whose Python rejects pip's packages: Debian 12, Ubuntu 23.04, Alpine 3.19 and later.
MANAGED = {
    "debian": re.compile(r"12|13|bookworm|forky|latest|sid|stable|testing|trixie|unstable"),
    "ubuntu": re.compile(
        r"23\.(?:04|10)|2[4-9]\.\d\d|devel|latest|lunar|mantic|noble|oracular|plucky|questing|rolling"
    ),
    "alpine": re.compile(r"3|3\.(?:19|2\d)(?:\.\d+)?|edge|latest"),
}
# Images of other languages, whose tags can name the Debian release that they are built on.
ON_DEBIAN = frozenset({"golang", "node", "openjdk", "php", "ruby", "rust"})
SYSTEM_PIP = frozenset({"py3-pip", "python3-full", "python3-pip"})
# Options and variables that make pip install elsewhere, or despite the restriction.
ELSEWHERE = frozenset({"--break-system-packages", "--prefix", "--root", "--target", "-t"})
ELSEWHERE_BY = frozenset(
    {"PIP_BREAK_SYSTEM_PACKAGES", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV", "PIP_TARGET", "VIRTUAL_ENV"}
)
SECOND = re.compile(r"(?:lib)?python3[.\d]*(?:-.+)?|python-is-python3|py3-.+")


@rule(
    "externally-managed",
    Severity.ERROR,
    bad="""
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-pip && \\
    rm -rf /var/lib/apt/lists/*
RUN --mount=type=cache,target=/root/.cache/pip pip3 install flask
""",
    good="""
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-venv && \\
    rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
RUN --mount=type=cache,target=/root/.cache/pip pip install flask
""",
)
def externally_managed(dockerfile: Dockerfile) -> Iterator[Problem]:
    """pip installs into the Python that belongs to the system.

    The build fails with "externally-managed-environment" (PEP 668), because packages of pip and of the system would
    overwrite each other in the same folder. Install into a virtual environment, or build on a Python image.
    """
    with_pip: set[int] = set()  # the stages that contain the pip of the system
    for stage in dockerfile.stages:
        if not stage.image or not _is_managed(stage.image):
            continue
        if stage.parent and stage.parent.index in with_pip:
            with_pip.add(stage.index)
        is_restricted = True
        for step in stage.steps:
            if SYSTEM_PIP & installed(step):
                with_pip.add(stage.index)
            # The step may delete or move the file that restricts pip.
            is_restricted = is_restricted and "EXTERNALLY-MANAGED" not in step.text
            if is_restricted and stage.index in with_pip and _is_refused(stage, step):
                yield Problem(
                    step.instruction,
                    f"pip refuses to install into the Python of {stage.image}: externally-managed-environment",
                    "RUN python3 -m venv /opt/venv, ENV PATH=/opt/venv/bin:$PATH, then pip install; or FROM python",
                )


def _is_managed(image: Image) -> bool:
    if image.official in ON_DEBIAN:
        return not {"bookworm", "trixie"}.isdisjoint(image.variant)
    pattern = MANAGED.get(image.official or "")
    return bool(pattern and (image.tag or not image.digest) and pattern.fullmatch(image.variant[0]))


def _is_refused(stage: Stage, step: Step) -> bool:
    """Return whether a RUN is known to install with the system's own pip."""
    variables = step.state.variables
    if any(name in variables for name in ELSEWHERE_BY):
        return False
    if re.search(r"activate|BREAK_SYSTEM|VIRTUAL_ENV|PATH=", step.text) or any(map(_is_elsewhere, step.tokens)):
        return False
    if "/bin:" in (variables.get("PATH") or "").partition("/usr/")[0]:
        return False
    mine = [item for item in step.installations if item.command == "pip install"]
    names = [option for item in mine for option in (*item.arguments, *(name for name, _ in item.options))]
    return bool(mine) and ELSEWHERE.isdisjoint(names)


def _is_elsewhere(word: str) -> bool:
    """Return whether a word is the path of a pip or Python other than the system's."""
    folder, slash, program = word.rpartition("/")
    return bool(slash) and folder != "/usr/bin" and program.startswith(("pip", "python"))


@rule(
    "second-python",
    Severity.WARNING,
    bad="""
FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends python3-numpy && \\
    rm -rf /var/lib/apt/lists/*
CMD ["python", "-m", "app"]
""",
    good="""
FROM python:3.12-slim
RUN --mount=type=cache,target=/root/.cache/pip pip install numpy
CMD ["python", "-m", "app"]
""",
)
def second_python(dockerfile: Dockerfile) -> Iterator[Problem]:
    """The system's Python is installed in addition to the image's own.

    System packages belong to the Python in /usr/bin. The image's Python, in /usr/local, does not find them, and there
    are two interpreters to download and to patch. Install packages with pip.
    """
    for stage in dockerfile.stages:
        image = stage.image
        is_uv = image is not None and image.is_uv and any(word.startswith("python") for word in image.variant)
        if image is None or image.is_windows or not (image.official == "python" or is_uv):
            continue
        for step in stage.steps:
            if names := sorted(name for name in installed(step) if SECOND.fullmatch(name)):
                yield Problem(
                    step.instruction,
                    f"{', '.join(names)} belong{'s' * (len(names) == 1)} to the system's Python, not to {image}'s",
                    "pip install what the service imports; the image already contains pip, venv and headers",
                )
