"""A Dockerfile as its stages."""

import pytest

from app.review.dockerfile import MOST_STAGES, MOST_VARIABLES, Dockerfile
from app.review.image import Image
from app.review.syntax import DockerfileError


def test_stages_have_names_numbers_and_parents() -> None:
    dockerfile = Dockerfile.parse("FROM a AS One\nFROM one\nFROM b as two\n")
    one, unnamed, two = dockerfile.stages
    assert [stage.label for stage in dockerfile.stages] == ["one", "1", "two"]
    assert (one.parent, unnamed.parent, two.parent) == (None, one, None)
    assert unnamed.lineage == (one, unnamed)
    assert unnamed.image == Image.parse("a")
    assert dockerfile.published is two


def test_history_is_inherited() -> None:
    dockerfile = Dockerfile.parse("FROM a AS x\nUSER b\nFROM x\nUSER c\n")
    assert [step.instruction.line for step in dockerfile.published.history] == [1, 2, 3, 4]


def test_repeated_name_means_the_last_stage_before() -> None:
    first, second, third = Dockerfile.parse("FROM a AS x\nFROM x AS x\nFROM x\n").stages
    assert (second.parent, third.parent) == (first, second)


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("ARG V=3.12\nFROM python:$V", "python:3.12"),
        ("ARG V=3.12\nARG I=python:${V}-slim\nFROM ${I}", "python:3.12-slim"),
        ("FROM python:${V:-3.12}", "python:3.12"),
        ("ARG V\nFROM python:${V:-3.12}", "python:3.12"),
        ("ARG V\nFROM python:$V", None),
        ("FROM python:$V", None),
        ("FROM --platform=$BUILDPLATFORM python", "python"),
        ("FROM a\nARG V=1\nFROM python:$V", None),
        ('FROM "python:3.12"', "python:3.12"),
    ],
)
def test_variables_in_a_base_are_expanded(text: str, base: str | None) -> None:
    assert Dockerfile.parse(text).published.base == base


def test_variable_can_name_a_stage() -> None:
    dockerfile = Dockerfile.parse("ARG S=x\nFROM a AS x\nFROM $S\n")
    assert dockerfile.published.parent is dockerfile.stages[0]


def test_unknown_base_has_no_image() -> None:
    assert Dockerfile.parse("ARG I\nFROM $I AS a\nFROM a").published.image is None


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "no FROM"),
        ("ARG a\nARG b\n", 2, "no FROM"),
        ("RUN a\nFROM b\n", 1, "RUN before the first FROM"),
        ("RUN a\n", 1, "RUN before the first FROM"),
        ("FROM a AS\n", 1, "FROM needs an image, or"),
        ("FROM a b\n", 1, "FROM needs an image, or"),
        ("FROM a AS b c\n", 1, "FROM needs an image, or"),
        ("FROM a\nFROM a AS 1b\n", 2, "a stage name"),
        ("FROM a\nFROM a AS \N{LATIN SMALL LETTER LONG S}\n", 2, "a stage name"),
        ("FROM a\n" * (MOST_STAGES + 1), MOST_STAGES + 1, "more than 100 stages"),
        ("FROM a\nENV" + "".join(f" A{i}=1" for i in range(MOST_VARIABLES + 1)), 2, "more than 1000 variables"),
    ],
)
def test_text_without_stages_is_rejected_with_the_line(text: str, line: int, message: str) -> None:
    with pytest.raises(DockerfileError, match=message) as error:
        Dockerfile.parse(text)
    assert error.value.line == line


def test_doubling_values_do_not_fill_the_memory() -> None:
    text = "ARG A=xxxxxxxxxx\n" + "ARG A=$A$A\n" * 60 + "FROM $A\n"
    assert Dockerfile.parse(text).published.base is None
