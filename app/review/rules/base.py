"""Rules about the base image."""

import re
from collections.abc import Iterator
from itertools import takewhile

from app.review.dockerfile import Dockerfile
from app.review.edit import Edit, insert_above, replace
from app.review.image import Image
from app.review.rules.rule import Problem, Severity, rule
from app.review.variables import VARIABLE

# Variants of the official Python image without compilers.
SMALL = frozenset({"slim", "alpine", "windowsservercore", "nanoserver"})
# Programs that the full image contains and the slim one does not.
NOT_IN_SLIM = frozenset(
    {"addgroup", "adduser", "autoconf", "bzr", "cc", "curl", "file", "g++", "gcc", "git", "hg", "make", "svn", "wget"}
)
# A version in a tag: `3.12`, `v2`, `python3.12`.
VERSION = re.compile(r"(?P<program>python)?(?P<version>v?\d+(?:[._]\d+)*(?:[a-z]+\d*)?)")


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

    The full image contains compilers, headers and version control tools, which the service never uses and in which
    scanners find vulnerabilities. The slim variant contains the same Python at a fraction of the size. Compile packages
    in another stage.
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
            fix = f"set {written} to {reference}"
        edits: tuple[Edit, ...] = ()
        programs = {command[0] for step in dockerfile.published.history for command in step.all_commands}
        if fix.startswith("FROM ") and not image.digest and NOT_IN_SLIM.isdisjoint(programs):
            edits = replace(start, written, fix.removeprefix("FROM "))
        yield Problem(start, "the published image is built on the full Python image", fix, edits=edits)


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
    """The version of the base image is hardcoded in FROM.

    For an upgrade, you have to edit every stage that repeats it, and you cannot build with another version without an
    edit. Write it once, in an ARG before the first FROM, which `--build-arg` can set. The rule skips references by
    digest, because the digest determines the version. It also skips a stage that other stages select by an ARG, because
    the ARG can select another image.
    """
    for stage in dockerfile.stages:
        if any(other.parent is stage and "$" in other.start.words[0] for other in dockerfile.stages):
            continue
        written = stage.start.words[0]
        image = Image.parse(VARIABLE.sub("$", written))
        tag = image.tag or ""
        named = next(filter(None, map(VERSION.fullmatch, tag.split("-"))), None)
        if image.digest or "$" in tag or named is None:
            continue
        version = named["version"]
        repository = written.removesuffix(f":{tag}")
        program = named["program"] or repository.split("/")[-1]
        argument = re.sub(r"\W+", "_", program).strip("_").upper() + "_VERSION"
        filled = tag.replace(version, f"${{{argument}}}", 1)
        edits = replace(stage.start, tag, filled, left=":")
        known = dockerfile.arguments.get(argument)
        if edits and known != version:
            free = argument not in dockerfile.arguments
            edits = (*insert_above(dockerfile.stages[0].start, f"ARG {argument}={version}"), *edits) if free else ()
        yield Problem(
            stage.start,
            f"the version {version} is hardcoded in FROM",
            f"ARG {argument}={version} before the first FROM, and ${{{argument}}} in place of {version}",
            edits=edits,
            safe=True,
        )


@rule(
    "unpinned-base",
    Severity.INFO,
    bad="""
FROM python:latest
""",
    good="""
FROM python:3.12-slim@sha256:0f1c2a3b4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8
""",
)
def unpinned_base(dockerfile: Dockerfile) -> Iterator[Problem]:
    """The base image can change between two builds of the same commit.

    Without a tag, or with `latest`, a build can get any release, even a new major version: that is a warning. Other
    tags move too, within their version. Only a digest always names the same image. Pin it, and let a tool such as
    Dependabot or Renovate update it, so that each update is a change that you can review and test. If several FROM get
    the image from the same ARG, only the first is reported.
    """
    seen = set()
    for stage in dockerfile.stages:
        written = stage.start.words[0]
        image = Image.parse(stage.base) if stage.base else None
        if image is None or image.digest or stage.parent or image.official == "scratch" or written in seen:
            continue
        if "$" in written:
            seen.add(written)
        if image.tag in {None, "latest"}:
            message, severity = f"{image} is whatever was published last", Severity.WARNING
        else:
            message, severity = f"the tag {image.tag} does not always name the same image", Severity.INFO
        tag = "" if image.tag else "a tag and "
        fix = f"add {tag}the digest, @sha256:…: `docker buildx imagetools inspect {image}` prints it"
        yield Problem(stage.start, message, fix, severity)
