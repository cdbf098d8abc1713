"""Logs: JSON lines for machines or text for people, each line with its request id.

uvicorn loads this first, from logging.json (`UVICORN_LOG_CONFIG`). So its own lines have the same format, and an
invalid setting ends the process before it serves.
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
    """Return the handler that logging.json names. It writes to standard output, in the format of `APP_LOG_FORMAT`.

    From then on, an exception that ends the process is logged too. If a setting is invalid, the process ends here with
    a line that names the variable.
    """
    settings = Settings.from_environment(os.environ)
    ServerSettings.from_environment(os.environ)
    sys.excepthook = _log_last_words
    stream = logging.StreamHandler(sys.stdout)
    stream.addFilter(_add_request_id)
    stream.setFormatter(json_formatter() if settings.log_format == "json" else text_formatter())
    return stream


def json_formatter() -> logging.Formatter:
    """Return a formatter of JSON lines: time (ISO 8601, UTC), level, logger, message, and every extra field."""
    return JsonFormatter(
        ["levelname", "name", "message"],
        timestamp="time",
        rename_fields={"levelname": "level", "name": "logger", "exc_info": "exception"},
        reserved_attrs=[*RESERVED_ATTRS, "color_message"],
    )


def text_formatter() -> logging.Formatter:
    """Return a formatter of text lines for people: time of day, level, request id, message."""
    fields = "%(asctime)s %(levelname)-7s %(request_id)-16s %(message)s"
    return logging.Formatter(fields, "%H:%M:%S", defaults={"request_id": "-"})


def _add_request_id(record: logging.LogRecord) -> bool:
    if identity := request_id.get():
        record.request_id = identity
    return True


def _log_last_words(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    logging.getLogger("app").critical("%s: %s", kind.__name__, error, exc_info=(kind, error, traceback))
