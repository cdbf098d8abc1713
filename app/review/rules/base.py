"""Rules about the image that a stage is built on."""

import re
from collections.abc import Iterator
from itertools import takewhile

from app.review.dockerfile import Dockerfile
from app.review.image import Image
from app.review.rules.rule import Problem, Severity, rule
from app.review.variables import VARIABLE

# Variants of the official Python image that leave the compilers out.
SMALL = frozenset({"slim", "alpine", "windowsservercore", "nanoserver"})


@rule(
    "full-base-image",
    Severity.WARNING,
    bad="""
FROM python:3.12
""",
    good="""
FROM python:3.12-slim
""",
)
def full_base_image(dockerfile: Dockerfile) -> Iterator[Problem]:
    """The published image is built on the full Python image.

    It carries compilers, headers and version control, which the running service never opens and which
    scanners report on. The slim variant has the same Python in a fraction of the size; what must be compiled
    is compiled in another stage.
    """
    image = dockerfile.published.image
    if image is None or image.official != "python" or (image.digest and not image.tag):
        return
    words = image.variant
    if SMALL.isdisjoint(word.rstrip("0123456789.") for word in words):
        version = list(takewhile(lambda word: word[:1].isdigit() or word == "rc", words))
        distribution = [word for word in words[len(version) :] if word != "latest"]
        slim = "-".join([*version, "slim", *distribution])
        start = dockerfile.published.lineage[0].start
        written = start.words[0]
        reference = f"{image.repository}:{slim}"
        if "$" not in written:
            fix = f"FROM {reference}"
        elif ":$" in written and not distribution:
            fix = f"FROM {written}-slim"
        else:
            fix = f"have {written} say {reference}"
        yield Problem(start, "the published image is built on the full Python image", fix)


@rule(
    "hardcoded-version",
    Severity.INFO,
    bad="""
FROM python:3.12-slim
""",
    good="""
ARG PYTHON_VERSION=3.12
FROM python:${PYTHON_VERSION}-slim
""",
)
def hardcoded_version(dockerfile: Dockerfile) -> Iterator[Problem]:
    """The base image's version stands in FROM itself.

    Each stage that repeats it has to be found and edited for an upgrade, and nobody can build with another
    version without an edit. An ARG before the first FROM is one place, and `--build-arg` can set it.
    A reference pinned by digest is left alone: there the version follows from the digest.
    """
    for stage in dockerfile.stages:
        written = stage.start.words[0]
        image = Image.parse(VARIABLE.sub("$", written))
        tag = image.tag or ""
        version = next((word for word in tag.split("-") if re.match(r"v?\d", word)), None)
        if stage.parent or image.digest or "$" in tag or version is None:
            continue
        repository = written.removesuffix(f":{tag}")
        argument = re.sub(r"\W+", "_", repository.split("/")[-1]).strip("_").upper() + "_VERSION"
        reference = f"{repository}:{tag.replace(version, f'${{{argument}}}', 1)}"
        yield Problem(
            stage.start,
            f"the version {version} is written into FROM",
            f"ARG {argument}={version} before the first FROM, then FROM {reference}",
        )
