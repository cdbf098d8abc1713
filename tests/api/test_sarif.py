"""The formats of a review: SARIF matches its schema, all contain the same findings, and the command prints them."""

import json
import os
import re
import subprocess
from pathlib import Path

import jsonschema_rs
import pytest
import requests

from app.review.formats import ADDRESS
from app.routes.page import WEB

# Microsoft's, from the package @microsoft/jest-sarif (MIT), without its white space:
#   python -c 'import json, sys; json.dump(json.load(sys.stdin), sys.stdout, separators=(",", ":"))'
TEXT = Path(__file__).with_name("sarif-2.1.0.json").read_text()
# Its pattern for the language of a run has an extra bracket, which some validators reject.
SCHEMA = jsonschema_rs.validator_for(json.loads(TEXT.replace("{2}]?$", "{2}$")))
CARD = (WEB / "examples" / "card.Dockerfile").read_text()
CLEAN = 'FROM scratch\nCOPY a /\nUSER 10001\nCMD ["/a"]\n'
HOSTILE = """FROM "pythön:3" AS b
FROM b
WORKDIR "/a b\\"ü\N{PILE OF POO}"
ENV PASSWORD='"]}<script>%0A::error::\N{RIGHT-TO-LEFT OVERRIDE}'
RUN adduser "\\\\'é" && pip install "a;b" 'c"d' \N{ZERO WIDTH SPACE}
COPY --from=nginx:ü . "ä ö"
"""
DOCKERFILES = pytest.mark.parametrize("text", [CARD, CLEAN, HOSTILE], ids=["the card", "clean", "hostile names"])


def review(url: str, text: str, accept: str) -> requests.Response:
    """Request the review of a Dockerfile in a format."""
    answer = requests.post(f"{url}/api/reviews", text.encode(), headers={"Accept": accept}, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer


@DOCKERFILES
def test_sarif_matches_its_schema(url: str, text: str) -> None:
    sarif = review(url, text, "application/sarif+json").json()
    assert [str(error) for error in SCHEMA.iter_errors(sarif)] == []


def test_sarif_schema_rejects_invalid_sarif() -> None:
    assert not SCHEMA.is_valid({"version": "2.1.0", "runs": [{"tool": {}, "results": []}]})


@DOCKERFILES
def test_every_format_contains_the_same_findings(url: str, text: str) -> None:
    findings = review(url, text, "application/json").json()["findings"]
    assert bool(findings) == (text != CLEAN)
    expected = [(finding["rule"], finding["line"]) for finding in findings]
    (run,) = review(url, text, "application/sarif+json").json()["runs"]
    assert [
        (result["ruleId"], result["locations"][0]["physicalLocation"]["region"]["startLine"])
        for result in run["results"]
    ] == expected
    assert [run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] for result in run["results"]] == [
        rule for rule, _ in expected
    ]
    lines = review(url, text, "text/plain").text.split("\n")
    matches = [re.fullmatch(r"Dockerfile:(\d+): \w+: .* \[([a-z0-9-]+)\]", line) for line in lines]
    assert [(match[2], int(match[1])) for match in matches if match] == expected


def command(image: str, text: bytes, *options: str) -> subprocess.CompletedProcess[bytes]:
    """Review the text with the command in the image, without network or rights to write."""
    locked = ("--read-only", "--network", "none", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
    arguments = [os.environ.get("DOCKER", "docker"), "run", "--rm", "--interactive", *locked, image]
    return subprocess.run(
        [*arguments, "python", "-m", "app.review", *options, "-"],
        input=text,
        capture_output=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("text", "options", "status"),
    [
        pytest.param(CLEAN, [], 0, id="nothing found"),
        pytest.param(CARD, ["--fail-on", "never"], 0, id="findings that are allowed"),
        pytest.param(CARD, [], 1, id="findings"),
        pytest.param(HOSTILE, [], 1, id="hostile names"),
        pytest.param("FROM a\nRUNN a\n", [], 2, id="invalid Dockerfile"),
    ],
)
def test_command_in_the_image_exits_as_documented(image: str, text: str, options: list[str], status: int) -> None:
    done = command(image, text.encode(), *options)
    assert (done.returncode, bool(done.stderr)) == (status, status == 2), done.stderr


def test_command_prints_what_the_service_returns(url: str, image: str) -> None:
    for form, accept in [("text", "text/plain"), ("sarif", "application/sarif+json")]:
        done = command(image, HOSTILE.encode(), "--format", form)
        # Its last line is about its own options, and its links lead to a service on its machine.
        printed = re.sub(rb"Dockerfile: \d+ can be fixed with .*\n\Z", b"", done.stdout)
        assert (
            printed.replace(f"{ADDRESS}/rules/".encode(), f"{url}/rules/".encode())
            == review(url, HOSTILE, accept).content
        )


def test_command_rejects_invalid_utf8_and_unknown_options(image: str) -> None:
    assert command(image, b"FROM a\n\xff").returncode == 2
    assert command(image, b"FROM a\n", "--format", "none").returncode == 2
