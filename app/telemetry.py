"""Whether traces, metrics and logs are sent: where `OTEL_EXPORTER_OTLP_ENDPOINT` names an OpenTelemetry collector.

Anywhere else nothing of it is imported, started or asked: FastAPI's hooks, left to themselves, look for somebody who
records at each request.
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
    """The signals that the environment says where to send to, each with the variable that says so."""
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
    """What FastAPI is to record. No logs: the log is sent as a whole, and tells of exceptions already.

    FastAPI's own way to send it (`auto_configure`) is not used: it knows nothing of the log, and while a collector does
    not answer it keeps the process from ending, for a minute.
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
    """Have the app send what is wanted, while it runs."""
    signals = wanted(os.environ)
    if not signals:
        return
    try:
        check(signals, os.environ)
        from app import collector
    except ValueError as error:
        # Not the end of it: these variables are often set for all that runs somewhere.
        logger.warning("nothing is sent to a collector: %s", error)
    except ModuleNotFoundError:
        hint = "let requirements.in say fastapi[opentelemetry], then: make lock"
        logger.warning("nothing is sent to a collector: the packages for it are not installed; %s", hint)
    else:
        collector.install(app, signals)


def check(signals: Mapping[str, str], environment: Mapping[str, str]) -> None:
    """Raise ValueError with the first variable whose value will not do."""
    for signal, endpoint in signals.items():
        if not re.match(r"https?://[^/\s]", environment[endpoint]):
            raise ValueError(f"{endpoint}={environment[endpoint]!r}: not an address such as http://collector:4318")
        for variable, known in (
            (f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", "http/protobuf"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            (f"OTEL_{signal}_EXPORTER", "otlp"),
        ):
            if environment.get(variable) not in {None, "", known}:
                raise ValueError(f"{variable}={environment[variable]!r}: only {known} is known here")
