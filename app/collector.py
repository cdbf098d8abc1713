"""Send traces, metrics and the log to an OpenTelemetry collector while the app runs.

Imported only if an endpoint is set, because it needs the packages of fastapi[opentelemetry]. The SDK reads the endpoint
and all other settings from its own variables:
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from threading import Thread
from typing import Any, Protocol

from fastapi import FastAPI
from opentelemetry import _logs, metrics, trace
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from pythonjsonlogger.core import RESERVED_ATTRS
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.logs import request_id

logger = logging.getLogger("app.telemetry")

# At shutdown, wait this long for the last records to be sent.
LAST_SECONDS = 1.0
# The loggers of the exporters. Their records are not exported, because each failed export would create another record
# to export. The log repeats them only after SILENCE_SECONDS.
SENDERS = ("opentelemetry", "urllib3")
SILENCE_SECONDS = 60.0

# Never reset, like the request id: the server logs the exception of a request after its span has ended.
request_span: ContextVar[trace.Span] = ContextVar("request_span", default=trace.INVALID_SPAN)


class Provider(Protocol):
    """A provider of the SDK, which buffers what it sends."""

    def shutdown(self) -> None:
        """Send the buffer and stop."""


def install(app: FastAPI, signals: Collection[str]) -> None:
    """Make the app send these signals from its start to its end, around its own lifespan."""
    app.add_middleware(SpanMiddleware)
    lifespan = app.router.lifespan_context

    @asynccontextmanager
    async def sending(app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        providers = start(signals)
        try:
            async with lifespan(app) as state:
                yield state or {}
        finally:
            await asyncio.to_thread(stop, providers)

    app.router.lifespan_context = sending


def start(signals: Collection[str]) -> list[Provider]:
    """Start to send these signals and return the providers, for `stop`."""
    root = logging.getLogger()
    for handler in root.handlers:
        handler.addFilter(LineFilter())
    providers: list[Provider] = []
    # No shutdown at exit: it would wait for a collector that does not answer. stop() has a time limit.
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
    """Send what is still buffered, for `LAST_SECONDS` at most."""
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, CollectorHandler)]:
        root.removeHandler(handler)
    # In parallel, since each waits for the collector. The process does not wait for daemon threads.
    threads = [Thread(target=provider.shutdown, daemon=True) for provider in providers]
    for thread in threads:
        thread.start()
    end = time.monotonic() + LAST_SECONDS
    for thread in threads:
        thread.join(max(0, end - time.monotonic()))
    if any(thread.is_alive() for thread in threads):
        logger.warning("the collector did not accept the last records within %g s, so they are lost", LAST_SECONDS)


def current_span() -> trace.Span:
    """Return the span that is being recorded, or else the span of the request."""
    span = trace.get_current_span()
    return span if span.get_span_context().is_valid else request_span.get()


class SpanMiddleware:
    """Adds the request id to the span of a request, and keeps the span for the log."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        span = trace.get_current_span()
        request_span.set(span)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start" and (identity := request_id.get()):
                # Headers are lists: https://opentelemetry.io/docs/specs/semconv/registry/attributes/http
                span.set_attribute("http.response.header.x-request-id", [identity])
            await send(message)

        await self.app(scope, receive, send_with_id)


class LineFilter(logging.Filter):
    """Adds the trace and span ids to each record, and drops repeated records of the exporters."""

    def __init__(self) -> None:
        super().__init__()
        self.written: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return True if the record is to be written."""
        context = current_span().get_span_context()
        if context.is_valid:
            record.trace_id = trace.format_trace_id(context.trace_id)
            record.span_id = trace.format_span_id(context.span_id)
        if not record.name.startswith(SENDERS):
            return True
        kind = record.name, record.levelno
        if record.created < self.written.get(kind, 0) + SILENCE_SECONDS:
            return False
        self.written[kind] = record.created
        return True


class CollectorHandler(logging.Handler):
    """Sends each log record to the collector, with all of its fields."""

    NOT_ATTRIBUTES = frozenset({*RESERVED_ATTRS, "color_message", "trace_id", "span_id"})

    def __init__(self, provider: _logs.LoggerProvider) -> None:
        super().__init__()
        self.provider = provider

    def emit(self, record: logging.LogRecord) -> None:
        """Send the record."""
        if record.name.startswith(SENDERS):
            return
        try:
            self.provider.get_logger(record.name).emit(
                timestamp=int(record.created * 1e9),
                context=trace.set_span_in_context(current_span()),
                # The levels 10 to 50 of Python are the numbers 5, 9, 13, 17 and 21 of OpenTelemetry.
                severity_number=_logs.SeverityNumber(min(max(record.levelno, 1) * 4 // 10 + 1, 24)),
                severity_text=record.levelname,
                # A lone surrogate cannot be encoded, and would lose the whole batch.
                body=record.getMessage().encode(errors="backslashreplace").decode(),
                attributes={name: value for name, value in vars(record).items() if name not in self.NOT_ATTRIBUTES},
                exception=record.exc_info[1] if record.exc_info else None,
            )
        except Exception:
            self.handleError(record)
