"""Logs: one JSON object a line, or text for people, each line with the id of the request it belongs to.

uvicorn sets this up before anything else happens, from logging.json (`UVICORN_LOG_CONFIG`): so its own
lines look the same, and a setting that will not do ends the process before it serves.
"""

import logging
import os
import sys
from contextvars import ContextVar
from types import TracebackType

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from app.settings import ServerSettings, Settings

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def handler() -> logging.Handler:
    """What writes every line, to standard output and as `APP_LOG_FORMAT` says; logging.json names it.

    From then on, an exception that ends the process is a line of the log, too. A variable with a bad value ends it
    here, with a line that names it.
    """
    settings = Settings.from_environment(os.environ)
    ServerSettings.from_environment(os.environ)
    sys.excepthook = _log_last_words
    stream = logging.StreamHandler(sys.stdout)
    stream.addFilter(_add_request_id)
    stream.setFormatter(json_formatter() if settings.log_format == "json" else text_formatter())
    return stream


def json_formatter() -> logging.Formatter:
    """One JSON object a record: time (ISO 8601, UTC), level, logger, message, and every extra field."""
    return JsonFormatter(
        ["levelname", "name", "message"],
        timestamp="time",
        rename_fields={"levelname": "level", "name": "logger", "exc_info": "exception"},
        reserved_attrs=[*RESERVED_ATTRS, "color_message"],
    )


def text_formatter() -> logging.Formatter:
    """One line a record for people: time of day, level, request id, message."""
    fields = "%(asctime)s %(levelname)-7s %(request_id)-16s %(message)s"
    return logging.Formatter(fields, "%H:%M:%S", defaults={"request_id": "-"})


def _add_request_id(record: logging.LogRecord) -> bool:
    if identity := request_id.get():
        record.request_id = identity
    return True


def _log_last_words(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    logging.getLogger("app").critical("%s: %s", kind.__name__, error, exc_info=(kind, error, traceback))
