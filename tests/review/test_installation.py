"""Installations of Python packages, by meaning."""

import pytest

from app.review.installation import installations
from app.review.syntax import parse


def found(run: str) -> list[str]:
    """The commands of the installations in a RUN."""
    return [installation.command for installation in installations(parse(f"RUN {run}")[0])]


@pytest.mark.parametrize(
    "run",
    [
        "pip --version",
        "pip list",
        "echo pip install a",
        "apt-get install python3-pip",
        "uv venv",
        "uv pip list",
        "npm install",
        "python -m venv /venv",
        "python -m",
        "python script.py -m pip install a",
        "pip show install",
        "poetry run playwright install",
        "uv run sync",
        "uv help sync",
        "./pip.sh install",
        "cat <<EOF > script.sh\npip install a\nEOF",
    ],
)
def test_other_commands_install_nothing(run: str) -> None:
    assert found(run) == []


@pytest.mark.parametrize(
    ("run", "command"),
    [
        ("pip install a", "pip install"),
        ("pip3 install a", "pip install"),
        ("pip3.12 install a", "pip install"),
        ("/venv/bin/pip install a", "pip install"),
        ("python -m pip install a", "pip install"),
        ("python3.12 -I -m pip install a", "pip install"),
        ("pip --disable-pip-version-check install a", "pip install"),
        ("pip --proxy http://x install a", "pip install"),
        ("uv pip install a", "uv pip install"),
        ("python -m uv pip install a", "uv pip install"),
        ("uv --quiet pip --strict sync a.txt", "uv pip sync"),
        ("uv sync --locked", "uv sync"),
        ("python -mpip install a", "pip install"),
        ("python3 -Im pip install a", "pip install"),
        ("sudo -H -u app pip install a", "pip install"),
        ("timeout 60 pip install a", "pip install"),
        ("xargs pip install < requirements.txt", "pip install"),
        ("poetry install", "poetry install"),
        ("PIP_INDEX_URL=x exec pip install a", "pip install"),
        ('["pip", "install", "a"]', "pip install"),
        ("set -e; if true; then pip install a; fi", "pip install"),
        ("<<EOF\nset -e\npip install a\nEOF", "pip install"),
    ],
)
def test_an_installation_is_known_however_it_is_written(run: str, command: str) -> None:
    assert found(run) == [command]


@pytest.mark.parametrize(
    ("run", "project_only"),
    [
        ("pip install .", True),
        ("pip install '.[all]' --no-cache-dir", True),
        ("pip install -e .", True),
        ("pip install /src", True),
        ("pip install --index-url https://mirror.example/simple .", True),
        ("pip install --target /packages -c constraints.txt a", False),
        ("uv sync", True),
        ("uv sync --no-install-project", False),
        ("poetry install --no-root", False),
        ("pip install a", False),
        ("pip install . a", False),
        ("pip install -r requirements.txt", False),
        ("pip install -r requirements.txt .", False),
        ("pip install --requirement=requirements.txt", False),
    ],
)
def test_an_installation_may_need_the_source(run: str, project_only: bool) -> None:
    (installation,) = installations(parse(f"RUN {run}")[0])
    assert installation.project_only is project_only


def test_only_a_run_installs() -> None:
    assert installations(parse("CMD pip install a")[0]) == []
