"""Logs: JSON lines or text."""

import json
import logging
import logging.config
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app import logs

Configure = Callable[[str | None], logging.Logger]


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch, project: Path) -> Iterator[Configure]:
    """Return a function that sets up the logs in a format, as uvicorn does. The setup is undone afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)

    def set_up(log_format: str | None) -> logging.Logger:
        if log_format is None:
            monkeypatch.delenv("APP_LOG_FORMAT", raising=False)
        else:
            monkeypatch.setenv("APP_LOG_FORMAT", log_format)
        logging.config.dictConfig(json.loads((project / "app/logging.json").read_text()))
        return logging.getLogger("app.test")

    yield set_up
    root.handlers[:], root.level = handlers, level


def test_text_is_the_default(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    configure(None).warning("hello")
    assert capsys.readouterr().out.endswith("WARNING -                hello\n")


def test_json_record_is_one_line(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    configure("json").warning("two\nlines of %s", "text", extra={"status": 200})
    entry = json.loads(capsys.readouterr().out)
    time = entry.pop("time")
    assert entry == {"level": "WARNING", "logger": "app.test", "message": "two\nlines of text", "status": 200}
    assert time.endswith("+00:00")


def test_a_traceback_stays_within_its_line(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    logger = configure("json")
    try:
        raise ValueError("the reason")
    except ValueError:
        logger.exception("failed")
    (line,) = capsys.readouterr().out.splitlines()
    assert "ValueError: the reason" in json.loads(line)["exception"]


def test_lone_surrogate_is_logged(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    configure("json").warning("\ud800")
    assert "\\ud800" in capsys.readouterr().out


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_lines_of_a_request_have_its_id(
    log_format: str, configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = configure(log_format)
    token = logs.request_id.set("some-id")
    logger.warning("inside")
    logs.request_id.reset(token)
    logger.warning("outside")
    inside, outside = capsys.readouterr().out.splitlines()
    assert "some-id" in inside
    assert "some-id" not in outside


def test_access_log_of_uvicorn_is_off(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    configure("json")
    logging.getLogger("uvicorn.access").info("again")
    logging.getLogger("uvicorn.error").info("once")
    assert [json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()] == ["once"]


def test_exception_that_ends_the_process_is_logged(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    configure("json")
    sys.excepthook(OverflowError, OverflowError("port must be 0-65535"), None)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["message"] == "OverflowError: port must be 0-65535"
    assert json.loads(line)["level"] == "CRITICAL"


def test_invalid_server_setting_ends_the_process(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "0")
    with pytest.raises(SystemExit, match="WEB_CONCURRENCY='0'"):
        configure("json")


def test_invalid_setting_ends_the_process(configure: Configure) -> None:
    with pytest.raises(SystemExit, match="APP_LOG_FORMAT='xml'"):
        configure("xml")
