"""The files around the app: they agree with the app, and with each other."""

import re
from pathlib import Path

import pytest

from app.main import create_app
from app.review.dockerfile import Dockerfile, Stage
from app.review.dockerignore import Dockerignore
from app.settings import PREFIX, Settings


@pytest.fixture
def stages(project: Path) -> dict[str, Stage]:
    """The stages of the project's Dockerfile, by name."""
    return {stage.label: stage for stage in Dockerfile.parse((project / "Dockerfile").read_text()).stages}


def variables(stage: Stage) -> dict[str, str | None]:
    """What the ENVs of a stage set."""
    return dict(pair for item in stage.instructions if item.keyword == "ENV" for pair in item.assignments)


def pins(text: str) -> dict[str, str]:
    """The version of each package in a locked file."""
    return dict(re.findall(r"^([a-z0-9.-]+)==([^ ;]+)", text, re.MULTILINE))


def test_the_four_stages_are_the_cards_and_production_is_built_on_a_fresh_image(stages: dict[str, Stage]) -> None:
    assert list(stages) == ["base", "builder", "dev", "production"]
    assert stages["production"].parent is None
    assert stages["production"].base == stages["base"].base == "python:3.12-slim"


def test_production_says_again_what_base_says(stages: dict[str, Stage]) -> None:
    base, production = variables(stages["base"]), variables(stages["production"])
    shared = {name for name in base if not name.startswith("PIP_")}
    assert {name: production[name] for name in shared} == {name: base[name] for name in shared}


def test_production_starts_as_the_card_says(stages: dict[str, Stage]) -> None:
    last = stages["production"].instructions[-1]
    assert last.keyword == "CMD"
    assert last.value == '["uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8000"]'


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".env.production",
        ".git/config",
        ".idea/workspace.xml",
        ".mypy_cache/x",
        ".venv/bin/python",
        ".vscode/settings.json",
        "app/.env",
        "app/__pycache__/main.cpython-312.pyc",
        "app/routes/__pycache__/health.cpython-312.pyc",
        "app/main.py~",
        "id_rsa",
        "node_modules/a/index.js",
        "requirements.in",
        "secret.pem",
        "tests/.pytest_cache/x",
    ],
)
def test_what_is_not_named_stays_out_of_the_build_context(project: Path, path: str) -> None:
    assert Dockerignore.parse((project / ".dockerignore").read_text()).excluded([path])


@pytest.mark.parametrize(
    "path", [".dockerignore", "Dockerfile", "app/main.py", "requirements.txt", "scripts/check", "tests/test_main.py"]
)
def test_what_the_image_and_the_tests_need_enters_it(project: Path, path: str) -> None:
    assert not Dockerignore.parse((project / ".dockerignore").read_text()).excluded([path])


def test_both_locked_files_agree_and_have_hashes(project: Path) -> None:
    runtime, development = ((project / name).read_text() for name in ("requirements.txt", "requirements-dev.txt"))
    shared = pins(runtime).keys() & pins(development).keys()
    assert shared
    assert {name: pins(runtime)[name] for name in shared} == {name: pins(development)[name] for name in shared}
    for text in (runtime, development):
        assert text.count("==") <= text.count("--hash=sha256:")


def test_the_readme_names_every_make_target_and_no_other(project: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):.*## ", (project / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:\$ |`(?:\w+=\w+ )?)make ([a-z]+)", (project / "README.md").read_text()))
    assert named == targets


def test_the_readme_names_every_setting_with_its_default(project: Path) -> None:
    readme = (project / "README.md").read_text()
    rows = dict(re.findall(rf"^\| `{PREFIX}(\w+)` \| .* \| `([^`]+)`", readme, re.MULTILINE))
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
