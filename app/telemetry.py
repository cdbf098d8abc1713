"""Telemetry: sends traces, metrics and logs if `OTEL_EXPORTER_OTLP_ENDPOINT` names an OpenTelemetry collector.

Otherwise nothing of it is imported or runs. By default, FastAPI's hooks would look for a recorder at every request.
"""

import logging
import os
import re
from collections.abc import Mapping

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from app.middleware import QUIET_PATHS

logger = logging.getLogger("app.telemetry")

SIGNALS = ("TRACES", "METRICS", "LOGS")


def wanted(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the signals for which the environment names an endpoint, each with the variable that names it."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return {}
    signals = {}
    for signal in SIGNALS:
        variables = (f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
        given = [variable for variable in variables if environment.get(variable)]
        if given and environment.get(f"OTEL_{signal}_EXPORTER") != "none":
            signals[signal] = given[0]
    return signals


def config() -> TelemetryConfig:
    """Return what FastAPI records. Not logs, because app/collector.py sends the whole log, with exceptions.

    `auto_configure`, FastAPI's own exporter, is off. It does not send the log, and if a collector does not respond, it
    delays the end of the process by a minute.
    """
    signals = wanted(os.environ)
    return {
        "tracing": "TRACES" in signals,
        "metrics": "METRICS" in signals,
        "logs": False,
        "auto_configure": False,
        "exclude": lambda scope: scope["path"] in QUIET_PATHS,
    }


def install(app: FastAPI) -> None:
    """Make the app send the signals that the environment asks for, while it runs."""
    signals = wanted(os.environ)
    if not signals:
        return
    try:
        check(signals, os.environ)
        from app import collector
    except ValueError as error:
        # Only a warning: these variables are often set for every service on a platform.
        logger.warning("nothing is sent to a collector: %s", error)
    except ModuleNotFoundError:
        hint = "change fastapi to fastapi[opentelemetry] in requirements.in, then run make lock"
        logger.warning("nothing is sent to a collector: its packages are not installed; %s", hint)
    else:
        collector.install(app, signals)


def check(signals: Mapping[str, str], environment: Mapping[str, str]) -> None:
    """Raise ValueError with the first invalid variable."""
    for signal, endpoint in signals.items():
        if not re.match(r"https?://[^/\s]", environment[endpoint]):
            raise ValueError(f"{endpoint}={environment[endpoint]!r}: use a URL such as http://collector:4318")
        for variable, known in (
            (f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", "http/protobuf"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            (f"OTEL_{signal}_EXPORTER", "otlp"),
        ):
            if environment.get(variable) not in {None, "", known}:
                raise ValueError(f"{variable}={environment[variable]!r}: only {known} is supported")
