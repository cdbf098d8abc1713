"""The reviewer's parser and BuildKit: both accept the same Dockerfiles and find the same stages.

`docker buildx build --call=targets` parses a Dockerfile and prints its stages, without pulling or building.
"""

import json
import os
import subprocess

import pytest

from app.review.dockerfile import Dockerfile
from app.review.syntax import DockerfileError

DOCKER = os.environ.get("DOCKER", "docker")


def targets(text: str) -> subprocess.CompletedProcess[str]:
    """Return the engine's result for a Dockerfile: its stages as JSON, or the error."""
    command = [DOCKER, "buildx", "build", "--call=targets,format=json", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


@pytest.fixture(autouse=True, scope="module")
def _engine() -> None:
    """Fail if no engine answers. Otherwise every Dockerfile would seem to be rejected."""
    answer = targets("FROM scratch")
    assert answer.returncode == 0, f"no engine answers {DOCKER} buildx build: {answer.stderr}"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("FROM scratch\n", id="one stage"),
        pytest.param("\ufefffrom scratch aS One\r\nFROM one As two\r\nFrom TWO\r\n", id="BOM, CRLF, cases"),
        pytest.param(
            "# c\n\n\tFROM \\\n# c\n\n  scratch \\\n\tAS a\n", id="comments and blank lines among continued ones"
        ),
        pytest.param("# escape=`\nFROM scratch `\n AS a\nRUN a\\\nRUN b", id="escape directive"),
        pytest.param("# comment\n# escape=`\nFROM scratch \\\n AS a", id="escape directive too late"),
        pytest.param("FROM scratch AS a\nRUN <<E\nFROM x AS b\nE\nFROM a AS c", id="FROM in a heredoc"),
        pytest.param(
            "FROM scratch\nRUN <<A <<-'B'\nFROM a\nA\n\tFROM b\n\tB\nFROM scratch AS c", id="several heredocs"
        ),
        pytest.param('FROM scratch\nCOPY <<"E F" <<G /x/\nFROM a\nE F\nFROM b\nG\n', id="heredocs with quotes"),
        pytest.param("FROM scratch\nONBUILD COPY <<E /x\nFROM a\nE\nFROM scratch AS b", id="heredoc in ONBUILD"),
        pytest.param(
            "FROM scratch\nRUN cat << E\nFROM a\nE\nCMD cat <<E\nFROM scratch AS b", id="heredoc after a space"
        ),
        pytest.param("FROM scratch\nRUN echo $((1<<2)) <<< a\nFROM scratch AS b", id="no heredocs"),
        pytest.param(
            "FROM scratch AS a\nCOPY --link --from=0 --exclude=x --exclude=y a b\nFROM a", id="flags after flags"
        ),
        pytest.param(
            "FROM scratch\nRUN\nRUN [NaN]\nCMD []\nCMD ['a']\nENTRYPOINT\nRUN [ -f x ]", id="JSON form or not"
        ),
        pytest.param(
            "FROM scratch\nHEALTHCHECK none\nHEALTHCHECK --retries=1 cmd a\nSTOPSIGNAL --a 9", id="HEALTHCHECK"
        ),
        pytest.param(
            "FROM scratch\nENV A b c\nENV A=b\\ c D='e f'\nWORKDIR a b\nLABEL a=\"b\\\n c\"", id="old and new forms"
        ),
        pytest.param(
            "ARG A\nFROM --platform=linux/amd64 scratch AS a.b-c_1\nARG A=1 B\n", id="ARG before and after FROM"
        ),
        pytest.param("FROM scratch\nRUN " + "a" * 65_531, id="the longest line"),
    ],
)
def test_reviewer_and_builder_see_the_same_stages(text: str) -> None:
    answer = targets(text)
    assert answer.returncode == 0, answer.stderr
    theirs = [
        (stage.get("name"), stage["base"], stage["location"]["ranges"][0]["start"]["line"], stage.get("default", False))
        for stage in json.loads(answer.stdout)["targets"]
    ]
    dockerfile = Dockerfile.parse(text)
    ours = [
        (stage.name, stage.start.words[0], stage.start.line, stage is dockerfile.published)
        for stage in dockerfile.stages
    ]
    assert ours == theirs


@pytest.mark.parametrize(
    "instruction",
    [
        "FOO a",
        "COPY a",
        "COPY []",
        "COPY --form=a b c",
        "COPY --from a b",
        "COPY --keep-git-dir a b",
        "ADD --from=a b c",
        "RUN --MOUNT=type=cache,target=/a b",
        "RUN --mount a",
        "CMD --a",
        "CMD ---a",
        "CMD [1]",
        "RUN <<E",
        "ENV a",
        "ENV a=b c",
        "LABEL a",
        "VOLUME []",
        "SHELL bash",
        "SHELL []",
        "SHELL [NaN]",
        "ONBUILD",
        "ONBUILD ONBUILD RUN a",
        "ONBUILD from a",
        "ONBUILD MAINTAINER a",
        "HEALTHCHECK",
        "HEALTHCHECK a",
        "HEALTHCHECK NONE a",
        "HEALTHCHECK CMD",
        "HEALTHCHECK CMD [ ]",
        "HEALTHCHECK --interval=1s",
        "FROM a b",
        "FROM a AS",
        "FROM a AS 1",
        "FROM --a=b c",
        "FROM --platform a",
        pytest.param("RUN " + "a" * 65_532, id="a line that is too long"),
    ],
)
def test_reviewer_and_builder_reject(instruction: str) -> None:
    text = f"FROM scratch\n{instruction}\n"
    assert targets(text).returncode != 0
    with pytest.raises(DockerfileError):
        Dockerfile.parse(text)


@pytest.mark.parametrize("text", ["", "# comment\n", "RUN a\nFROM scratch\n", "# escape=x\nFROM scratch\n"])
def test_reviewer_and_builder_reject_a_file_without_stages(text: str) -> None:
    assert targets(text).returncode != 0
    with pytest.raises(DockerfileError):
        Dockerfile.parse(text)
