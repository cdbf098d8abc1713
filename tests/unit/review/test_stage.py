"""Stages and their steps."""

import pytest

from app.review.dockerfile import Dockerfile


@pytest.mark.parametrize(
    ("dockerfile", "started"),
    [
        ("FROM a", []),
        ("FROM a\nRUN x", []),
        ("FROM a\nCMD []", []),
        ("FROM a\nENTRYPOINT []", []),
        ("FROM a\nCMD x", ["x"]),
        ("FROM a\nCMD x\nCMD y", ["y"]),
        ("FROM a\nENTRYPOINT x\nCMD y", ["x", "y"]),
        ("FROM a\nCMD y\nENTRYPOINT x", ["x", "y"]),
        ("FROM a\nENTRYPOINT x\nENTRYPOINT z\nCMD y", ["z", "y"]),
        ("FROM a AS b\nCMD x\nFROM b", ["x"]),
        ("FROM a AS b\nCMD x\nFROM b\nCMD y", ["y"]),
        ("FROM a AS b\nENTRYPOINT x\nFROM b\nCMD y", ["x", "y"]),
        ("FROM a AS b\nENTRYPOINT x\nCMD y\nFROM b", ["x", "y"]),
        ("FROM a AS b\nENTRYPOINT x\nCMD y\nFROM b\nCMD []", ["x"]),
        ("FROM a AS b\nCMD x\nFROM a", []),
        # An ENTRYPOINT resets an inherited CMD, which was for another program.
        ("FROM a AS b\nCMD y\nFROM b\nENTRYPOINT x", ["x"]),
        ("FROM a AS b\nCMD y\nFROM b\nENTRYPOINT []", []),
        ("FROM a AS b\nCMD y\nFROM b\nENTRYPOINT x\nCMD z", ["x", "z"]),
        ("FROM a AS b\nCMD y\nFROM b\nCMD z\nENTRYPOINT x", ["x", "z"]),
        ("FROM a AS b\nCMD y\nFROM b AS c\nENTRYPOINT x\nFROM c", ["x"]),
    ],
)
def test_container_starts_its_entrypoint_and_command(dockerfile: str, started: list[str]) -> None:
    assert [step.instruction.value for step in Dockerfile.parse(dockerfile).published.start_steps] == started


@pytest.mark.parametrize(
    ("instruction", "sources", "everything"),
    [
        ("RUN cp . x", [], False),
        ("COPY --from=a . .", [], False),
        ("COPY <<EOF /x\na\nEOF", [], False),
        ("ADD https://example.com/x /x", [], False),
        ("ADD git@example.com:a/b.git /x", [], False),
        ("COPY a ./b/ /c ../d x/", ["a", "b", "c", "../d"], False),
        ('COPY ["a b", "x/"]', ["a b"], False),
        ("COPY . /x", ["."], True),
        ("COPY ./ /x", ["."], True),
        ("COPY / /x", ["."], True),
        ("COPY * /x", ["*"], True),
        ("ADD a/.. /x", ["."], True),
    ],
)
def test_copy_from_the_build_context(instruction: str, sources: list[str], everything: bool) -> None:
    step = Dockerfile.parse(f"FROM a\n{instruction}").published.steps[1]
    assert (step.context_sources, step.copies_everything) == (sources, everything)


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("COPY --from=ghcr.io/astral-sh/uv /uv /uvx /bin/", True),
        ("COPY --from=a /opt/poetry /opt/poetry", True),
        ("COPY --from=a /uv /app /bin/", False),
        ("COPY --from=a /build /build", False),
        ("COPY --from=a / /", False),
    ],
)
def test_copy_of_installers_only(instruction: str, expected: bool) -> None:
    assert Dockerfile.parse(f"FROM b\n{instruction}").published.steps[-1].takes_installers is expected


@pytest.mark.parametrize(
    ("instruction", "destination"),
    [
        ("RUN x /y", None),
        ("COPY a $X", None),
        ("COPY a .", "/app"),
        ("COPY a b c/", "/app/c"),
        ("ADD a /x/", "/x"),
    ],
)
def test_destination_of_a_copy(instruction: str, destination: str | None) -> None:
    assert Dockerfile.parse(f"FROM b\nWORKDIR /app\n{instruction}").published.steps[-1].destination == destination


def test_text_of_a_step_includes_heredocs() -> None:
    assert Dockerfile.parse("FROM a\nRUN <<A cat <<B\nx\nA\ny\nB").published.steps[-1].text == "<<A cat <<B\nx\ny"


def test_stage_has_a_lineage_and_a_history() -> None:
    stages = Dockerfile.parse("FROM a:1 AS x\nRUN 1\nFROM b\nRUN 2\nFROM X\nRUN 3").stages
    last = stages[-1]
    assert last.lineage == (stages[0], last)
    assert [step.instruction.line for step in last.history] == [1, 2, 5, 6]
    assert str(last.image) == "a:1"
    assert [stage.label for stage in stages] == ["x", "1", "2"]


def test_image_of_an_unset_argument_is_unknown() -> None:
    assert Dockerfile.parse("ARG I\nFROM $I AS a\nFROM a").published.image is None
