"""Traces, metrics and logs for an OpenTelemetry collector, where `OTEL_EXPORTER_OTLP_ENDPOINT` names one.

FastAPI records the requests. Its own way to send them (`auto_configure`) is not used: it leaves out the log, and waits
for a collector that does not answer before it lets the process end.
"""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from threading import Thread
from typing import Any, Protocol
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from opentelemetry import _logs, metrics, trace
from pythonjsonlogger.core import RESERVED_ATTRS
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.logs import request_id
from app.middleware import QUIET_PATHS

logger = logging.getLogger("app.telemetry")

# For FastAPI(telemetry=…). No logs: each line of the log is sent, and an exception is one already.
CONFIG: TelemetryConfig = {
    "auto_configure": False,
    "logs": False,
    "exclude": lambda scope: scope["path"] in QUIET_PATHS,
}
SIGNALS = ("TRACES", "METRICS", "LOGS")
# How long the end of the process waits for what was not sent yet.
LAST_SECONDS = 1.0
# Who sends. What they log is not sent, or each failure would have another one to send.
SENDERS = ("opentelemetry", "urllib3")
# The same failure is told again after so long.
SILENCE_SECONDS = 60

# Left set, as the request id is: the server logs what a request raised when its span is no longer the current one.
request_span: ContextVar[trace.Span] = ContextVar("request_span", default=trace.INVALID_SPAN)


class Provider(Protocol):
    """What keeps something to send."""

    def shutdown(self) -> None:
        """Send it, and end."""


def install(app: FastAPI) -> None:
    """Have the app send what it does, while it runs, to where the environment says; nowhere, it stays as it is."""
    signals = wanted(os.environ)
    if not signals:
        return
    app.add_middleware(SpanMiddleware)
    lifespan = app.router.lifespan_context

    @asynccontextmanager
    async def sending(app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        try:
            providers = start(signals, os.environ)
        except (ImportError, ValueError) as error:
            # Not the end of it: these variables are often set for all that runs somewhere.
            logger.warning("nothing is sent to a collector: %s", error)
            providers = []
        try:
            async with lifespan(app) as state:
                yield state or {}
        finally:
            await asyncio.to_thread(stop, providers)

    app.router.lifespan_context = sending


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


def check(signals: Mapping[str, str], environment: Mapping[str, str]) -> None:
    """Raise ValueError with the first variable whose value will not do."""
    for signal, endpoint in signals.items():
        address = urlsplit(environment[endpoint])
        if address.scheme not in {"http", "https"} or not address.hostname:
            raise ValueError(f"{endpoint}={environment[endpoint]!r}: not an address like http://collector:4318")
        for variable, known in (
            (f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", "http/protobuf"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            (f"OTEL_{signal}_EXPORTER", "otlp"),
        ):
            if environment.get(variable) not in {None, "", known}:
                raise ValueError(f"{variable}={environment[variable]!r}: only {known} is known here")


def start(signals: Mapping[str, str], environment: Mapping[str, str]) -> list[Provider]:
    """Send these signals from now on; what is to be stopped in the end.

    Raises ValueError where a variable will not do, and ImportError where the packages for it are not installed.
    """
    check(signals, environment)
    try:
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk._logs import LoggerProvider
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise ImportError(
            "OpenTelemetry is not installed: let requirements.in say fastapi[opentelemetry], and run make lock"
        ) from error

    root = logging.getLogger()
    for handler in root.handlers:
        handler.addFilter(LineFilter())
    providers: list[Provider] = []
    if "TRACES" in signals:
        tracer_provider = TracerProvider(shutdown_on_exit=False)
        tracer_provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        trace.set_tracer_provider(tracer_provider)
        providers.append(tracer_provider)
    if "METRICS" in signals:
        meter_provider = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], shutdown_on_exit=False)
        metrics.set_meter_provider(meter_provider)
        providers.append(meter_provider)
    if "LOGS" in signals:
        logger_provider = LoggerProvider(shutdown_on_exit=False)
        logger_provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
        root.addHandler(CollectorHandler(logger_provider))
        providers.append(logger_provider)
    return providers


def stop(providers: list[Provider]) -> None:
    """Send what is left, as far as that can be done in `LAST_SECONDS`."""
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, CollectorHandler)]:
        root.removeHandler(handler)
    # All at once, since each waits for the collector; daemons, which the process does not wait for.
    threads = [Thread(target=provider.shutdown, daemon=True) for provider in providers]
    for thread in threads:
        thread.start()
    end = time.monotonic() + LAST_SECONDS
    for thread in threads:
        thread.join(max(0, end - time.monotonic()))
    if any(thread.is_alive() for thread in threads):
        logger.warning("the collector did not take the last of what was to be sent within %g s", LAST_SECONDS)


def current_span() -> trace.Span:
    """The span that is being recorded, or that of the request."""
    span = trace.get_current_span()
    return span if span.get_span_context().is_valid else request_span.get()


class SpanMiddleware:
    """Tells the span of a request which id the request has, and the log which span."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        span = trace.get_current_span()
        request_span.set(span)

        async def send_and_tell(message: Message) -> None:
            if message["type"] == "http.response.start" and (identity := request_id.get()):
                # https://opentelemetry.io/docs/specs/semconv/registry/attributes/http: a list, as of every header
                span.set_attribute("http.response.header.x-request-id", [identity])
            await send(message)

        await self.app(scope, receive, send_and_tell)


class LineFilter(logging.Filter):
    """Adds the ids of trace and span to what is written, and tells of the same failure to send once in a while."""

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
        context = current_span().get_span_context()
        if context.is_valid:
            record.trace_id = trace.format_trace_id(context.trace_id)
            record.span_id = trace.format_span_id(context.span_id)
        if not record.name.startswith(SENDERS):
            return True
        kind = record.name, record.levelno
        if record.created < self.told.get(kind, 0) + SILENCE_SECONDS:
            return False
        self.told[kind] = record.created
        return True


class CollectorHandler(logging.Handler):
    """Gives each record of the log to the collector, with all that its line has."""

    NOT_ATTRIBUTES = frozenset({*RESERVED_ATTRS, "color_message", "trace_id", "span_id"})

    def __init__(self, provider: _logs.LoggerProvider) -> None:
        super().__init__()
        self.provider = provider

    def emit(self, record: logging.LogRecord) -> None:
        """Give this one."""
        if record.name.startswith(SENDERS):
            return
        attributes = {name: value for name, value in vars(record).items() if name not in self.NOT_ATTRIBUTES}
        self.provider.get_logger(record.name).emit(
            timestamp=int(record.created * 1e9),
            context=trace.set_span_in_context(current_span()),
            # 10 to 50 here are 5, 9, 13, 17 and 21 there.
            severity_number=_logs.SeverityNumber(min(max(record.levelno, 1) * 4 // 10 + 1, 24)),
            severity_text=record.levelname,
            # Text that no encoding has would keep all that is sent with it from being sent.
            body=record.getMessage().encode(errors="backslashreplace").decode(),
            attributes=attributes,
            exception=record.exc_info[1] if record.exc_info else None,
        )
