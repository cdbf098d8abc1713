"""README.md: it agrees with what it describes. Goes when README.md becomes another one."""

import re
from pathlib import Path

from app.main import create_app
from app.review import formats
from app.review.report import review
from app.settings import Settings
from app.worker import MOST_WAITING


def test_the_readme_names_every_make_target_and_no_other(project: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):.*## ", (project / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:\$ |`(?:\w+=\w+ )?)make ([a-z]+)", (project / "README.md").read_text()))
    assert named == targets


def test_the_readme_names_every_setting_with_its_default(project: Path) -> None:
    readme = (project / "README.md").read_text()
    rows = dict(re.findall(rf"^\| `{Settings.PREFIX}(\w+)` \| .* \| `([^`]+)`", readme, re.MULTILINE))
    assert rows == {name.upper(): str(value) for name, value in Settings().model_dump().items()}


def test_the_readme_names_every_route(project: Path) -> None:
    readme = (project / "README.md").read_text()
    for path, methods in create_app(Settings()).openapi()["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path.replace('rule_id', 'id')}`" in readme


def test_the_readme_names_only_files_that_there_are(project: Path) -> None:
    readme = (project / "README.md").read_text()
    for path in re.findall(r"`((?:app|scripts|tests)/[\w./-]*)`", readme):
        assert (project / path).exists(), path


def test_the_readme_shows_a_review_as_it_is(project: Path) -> None:
    readme = (project / "README.md").read_text()
    dockerfile, answer = re.findall(r"printf '(FROM .*?)' \|\n.*?\n(.*?)```", readme, re.DOTALL)[0]
    written = formats.text({"Dockerfile": review(dockerfile.replace(r"\n", "\n"))}).splitlines()
    shown = [line for line in answer.splitlines() if line != "…"]
    assert shown == [line for line in written if line in shown]


def test_the_readme_says_how_many_reviews_wait(project: Path) -> None:
    assert re.search(rf"When\s+{MOST_WAITING} of them wait", (project / "README.md").read_text())
