"""Logs: one JSON object a line, or text."""

import json
import logging
import logging.config
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import logs


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch, project: Path) -> Iterator[pytest.MonkeyPatch]:
    """Whatever a test configures, the loggers are as before after it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield monkeypatch
    root.handlers[:], root.level = handlers, level


def configure(project: Path) -> logging.Logger:
    """Set up the logs as uvicorn does, from the file that it is given."""
    logging.config.dictConfig(json.loads((project / "app/logging.json").read_text()))
    return logging.getLogger("app.test")


def test_as_json_each_record_is_one_object_on_one_line(
    configured: pytest.MonkeyPatch, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configured.setenv("APP_LOG_FORMAT", "json")
    logger = configure(project)
    logger.warning("two\nlines of %s", "text", extra={"status": 200})
    entry = json.loads(capsys.readouterr().out)
    time = entry.pop("time")
    assert entry == {"level": "WARNING", "logger": "app.test", "message": "two\nlines of text", "status": 200}
    assert time.endswith("+00:00")


def test_a_traceback_stays_within_its_line(
    configured: pytest.MonkeyPatch, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configured.setenv("APP_LOG_FORMAT", "json")
    logger = configure(project)
    try:
        raise ValueError("the reason")
    except ValueError:
        logger.exception("failed")
    (line,) = capsys.readouterr().out.splitlines()
    assert "ValueError: the reason" in json.loads(line)["exception"]


def test_text_that_no_encoding_has_is_logged_all_the_same(
    configured: pytest.MonkeyPatch, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configured.setenv("APP_LOG_FORMAT", "json")
    configure(project).warning("\ud800")
    assert "\\ud800" in capsys.readouterr().out


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_lines_of_a_request_carry_its_id(
    log_format: str, configured: pytest.MonkeyPatch, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configured.setenv("APP_LOG_FORMAT", log_format)
    logger = configure(project)
    token = logs.request_id.set("some-id")
    logger.warning("inside")
    logs.request_id.reset(token)
    logger.warning("outside")
    inside, outside = capsys.readouterr().out.splitlines()
    assert "some-id" in inside
    assert "some-id" not in outside


def test_text_is_the_default(configured: pytest.MonkeyPatch, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configured.delenv("APP_LOG_FORMAT", raising=False)
    configure(project).warning("hello")
    assert capsys.readouterr().out.endswith("WARNING -                hello\n")


def test_a_bad_setting_ends_the_process_before_it_serves(configured: pytest.MonkeyPatch, project: Path) -> None:
    configured.setenv("APP_LOG_FORMAT", "xml")
    with pytest.raises(SystemExit, match="APP_LOG_FORMAT='xml'"):
        configure(project)


def test_the_handler_writes_to_standard_output(configured: pytest.MonkeyPatch) -> None:
    handler = logs.handler()
    assert isinstance(handler, logging.StreamHandler)
    assert handler.stream is sys.stdout
