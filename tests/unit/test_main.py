"""The application as a whole."""

import logging
import os
import subprocess
import sys
from pathlib import Path

from app.main import create_app
from app.settings import Settings


def test_the_log_level_is_set() -> None:
    create_app(Settings(log_level="error"))
    assert logging.getLogger("app").level == logging.getLogger("uvicorn").level == logging.ERROR
    create_app(Settings())
    assert logging.getLogger("app").level == logging.getLogger("uvicorn").level == logging.INFO


def test_a_bad_setting_ends_the_process_with_one_line(project: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", "import app.main"],
        cwd=project,
        env=os.environ | {"APP_MAX_BODY_BYTES": "lots"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "APP_MAX_BODY_BYTES='lots': Input should be a valid integer, unable to parse string as an integer"
    ]
