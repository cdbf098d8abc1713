"""README.md and docs/service.md: they agree with what they describe. Goes when they become others."""

import re
from pathlib import Path

import pytest

from app.main import create_app
from app.review import formats
from app.review.report import review
from app.settings import Settings
from app.worker import MOST_WAITING


@pytest.fixture
def readme(project: Path) -> str:
    """README.md."""
    return (project / "README.md").read_text()


@pytest.fixture
def service(project: Path) -> str:
    """docs/service.md."""
    return (project / "docs" / "service.md").read_text()


def test_the_readme_names_every_make_target_and_no_other(project: Path, readme: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", (project / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:\$ |`(?:\w+=\w+ )?)make ([a-z][a-z-]*)", readme))
    assert named == targets


def test_the_readme_names_only_files_that_there_are(project: Path, readme: str) -> None:
    for path in re.findall(r"`((?:app|scripts|tests)/[\w./-]*)`", readme):
        assert (project / path).exists(), path


def test_the_readme_shows_the_stages_that_there_are_and_their_order(project: Path, readme: str) -> None:
    stages = re.findall(r"^FROM \S+ AS (\w+)$", (project / "Dockerfile").read_text(), re.MULTILINE)
    picture = (project / "docs" / "stages.svg").read_text()
    assert re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE) == stages
    assert re.findall(r'class="name".*>(\w+)<', picture) == stages


def test_the_readme_shows_a_review_as_it_is(readme: str) -> None:
    dockerfile, answer = re.findall(r"printf '(FROM .*?)' \|\n.*?\n(.*?)```", readme, re.DOTALL)[0]
    written = formats.text({"Dockerfile": review(dockerfile.replace(r"\n", "\n"))}).splitlines()
    shown = [line for line in answer.splitlines() if line != "…"]
    assert shown == [line for line in written if line in shown]


def test_the_service_names_every_setting_with_its_default(service: str) -> None:
    rows = dict(re.findall(rf"^\| `{Settings.PREFIX}(\w+)` \| .* \| `([^`]+)`", service, re.MULTILINE))
    assert rows == {name.upper(): str(value) for name, value in Settings().model_dump().items()}


def test_the_service_names_every_route(service: str) -> None:
    for path, methods in create_app(Settings()).openapi()["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path.replace('rule_id', 'id')}`" in service


def test_the_service_says_how_many_reviews_wait(service: str) -> None:
    assert re.search(rf"When\s+{MOST_WAITING} of them wait", service)
