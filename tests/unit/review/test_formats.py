"""The formats of reviews."""

import json

import pytest

from app.review import formats
from app.review.report import review
from app.review.rules import RULES

QUIET = review("ARG V=3.12\nFROM python:$V-slim@sha256:0\nUSER 10001\n")
FOUND = review("FROM python:3.12-slim@sha256:0\nUSER root\nCMD uvicorn app --host 0.0.0.0\n")
# What a hostile file can put into a message.
HOSTILE = review("FROM \x1b[31m%:,\u202eé\n")


def test_text_without_findings_says_so() -> None:
    assert formats.text({"Dockerfile": QUIET}) == "Dockerfile: nothing found\n"


def test_text_counts_ignored_findings() -> None:
    ignored = review("# review-ignore: unpinned-base it is tested\nFROM python:slim\nUSER 10001\n")
    assert formats.text({"Dockerfile": ignored}) == "Dockerfile: nothing found, 1 ignored\n"


def test_text_has_a_line_and_a_fix_for_each_finding() -> None:
    lines = formats.text({"a/Dockerfile": FOUND}).splitlines()
    assert lines[0].startswith("a/Dockerfile:1: info: what the service prints is buffered")
    assert lines[0].endswith(" [buffered-output]")
    assert lines[1] == "    ENV PYTHONUNBUFFERED=1"
    assert lines[2] == "a/Dockerfile:2: error: the published image runs as root [root-user]"
    assert lines[-1] == "a/Dockerfile: 1 error, 1 warning, 1 info"


def test_text_can_be_colored() -> None:
    assert "\x1b[31merror\x1b[0m" in formats.text({"Dockerfile": FOUND}, color=True)


def test_text_cannot_control_a_terminal() -> None:
    text = formats.text({"\x1b]0;": HOSTILE})
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert r"\x1b[31m%:,\u202eé" in text


@pytest.mark.parametrize("form", ["text", "json", "sarif"])
@pytest.mark.parametrize("name", ["::error::a", "  ::error::a", "a\n::error::a", "##[error]a", "a\n###[error]a"])
def test_no_name_or_content_becomes_a_workflow_command(form: str, name: str) -> None:
    written = formats.FORMATS[form]({name: review("FROM ##[error]a\n")})
    assert "##[" not in written
    assert [line for line in written.splitlines() if line.lstrip().startswith("::")] == []


def test_json_is_a_list_of_reviews_with_paths() -> None:
    answer = json.loads(formats.as_json({"a": QUIET, "b": FOUND}))
    assert [item["path"] for item in answer] == ["a", "b"]
    assert json.loads(formats.as_json({"##[a": QUIET}))[0]["path"] == "##[a"
    assert answer[0]["counts"] == {"error": 0, "warning": 0, "info": 0}
    assert answer[1]["findings"][1]["rule"] == "root-user"


def test_json_contains_a_path_that_is_not_utf8() -> None:
    (item,) = json.loads(formats.as_json({"a\udcff": QUIET}))
    assert item["path"] == "a\N{REPLACEMENT CHARACTER}"


def test_sarif_contains_every_rule_and_finding() -> None:
    (run,) = json.loads(formats.sarif({"a": QUIET, "./b c": FOUND}))["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == list(RULES)
    result = run["results"][1]
    assert (result["ruleId"], result["level"]) == ("root-user", "error")
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "root-user"
    assert result["message"]["text"] == "the published image runs as root. Instead: end with a USER other than root"
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "b%20c"},
                "region": {"startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 10},
            }
        }
    ]
    assert "fixes" not in result
    (fix,) = run["results"][0]["fixes"]
    assert fix["description"]["text"] == "ENV PYTHONUNBUFFERED=1"
    (change,) = fix["artifactChanges"]
    assert change["artifactLocation"] == {"uri": "b%20c"}
    (replacement,) = change["replacements"]
    assert replacement["deletedRegion"] == {"startLine": 1, "startColumn": 31, "endLine": 1, "endColumn": 31}
    assert replacement["insertedContent"] == {"text": "\nENV PYTHONUNBUFFERED=1"}


def test_sarif_links_to_the_page_of_each_rule() -> None:
    (run,) = json.loads(formats.sarif({"a": QUIET}, address="https://review.example/"))["runs"]
    links = {rule["id"]: rule["helpUri"] for rule in run["tool"]["driver"]["rules"]}
    assert links["root-user"] == "https://review.example/rules/root-user"


def test_hint_names_the_options_that_fix() -> None:
    assert formats.text({"a": FOUND}, hint=True).splitlines()[-1] == "a: 2 can be fixed with --fix"
    assert "can be fixed" not in formats.text({"a": QUIET}, hint=True)


def test_text_says_what_could_not_be_checked() -> None:
    lines = formats.text({"a": review("FROM company/base\nUSER 1\n")}).splitlines()
    assert "a: partly checked: It is unknown what the base image company/base sets and contains." in lines


def test_github_command_names_the_line_of_each_finding() -> None:
    commands = formats.github({"a:b,c": FOUND}).splitlines()
    assert commands[1] == (
        "::error file=a%3Ab%2Cc,line=2,endLine=2,title=root-user::"
        "the published image runs as root%0Aend with a USER other than root"
    )
    assert [command.partition(" ")[0] for command in commands] == ["::notice", "::error", "::warning"]


def test_github_commands_escape_the_name_of_the_file() -> None:
    commands = formats.github({"a\n::error::b\x1b\udcff": FOUND}).splitlines()
    assert len(commands) == len(FOUND.findings)
    assert all(r" file=a\n%3A%3Aerror%3A%3Ab\x1b\udcff,line=" in command for command in commands)


def test_github_commands_escape_messages() -> None:
    commands = formats.github({"Dockerfile": HOSTILE}).splitlines()
    assert all(command.startswith("::") for command in commands)
    assert r"\x1b[31m%25:,\u202eé" in commands[0]


@pytest.mark.parametrize("name", formats.FORMATS)
def test_every_format_accepts_no_reviews(name: str) -> None:
    assert isinstance(formats.FORMATS[name]({}), str)
