"""Sends traces, metrics and the log to an OpenTelemetry collector, while the app runs.

Imported only where that is wanted: what it needs comes with fastapi[opentelemetry]. Where the collector is, and all
else, the SDK reads from its own variables: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables
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

# How long the end of the process waits for what was not sent yet.
LAST_SECONDS = 1.0
# Who sends. What they log is not sent, or each failure would have another one to send; and the same is told again
# only after so long.
SENDERS = ("opentelemetry", "urllib3")
SILENCE_SECONDS = 60.0

# Left set, as the request id is: the server logs what a request raised when its span is no longer the current one.
request_span: ContextVar[trace.Span] = ContextVar("request_span", default=trace.INVALID_SPAN)


class Provider(Protocol):
    """What keeps something to send."""

    def shutdown(self) -> None:
        """Send it, and end."""


def install(app: FastAPI, signals: Collection[str]) -> None:
    """Have the app send these signals from its start to its end, around its own lifespan."""
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
    """Send these signals from now on; what is to be stopped in the end."""
    root = logging.getLogger()
    for handler in root.handlers:
        handler.addFilter(LineFilter())
    providers: list[Provider] = []
    # Not at exit: that would wait as long as a collector does not answer. stop() does not.
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
        try:
            self.provider.get_logger(record.name).emit(
                timestamp=int(record.created * 1e9),
                context=trace.set_span_in_context(current_span()),
                # 10 to 50 here are 5, 9, 13, 17 and 21 there.
                severity_number=_logs.SeverityNumber(min(max(record.levelno, 1) * 4 // 10 + 1, 24)),
                severity_text=record.levelname,
                # Text that no encoding has would keep all that is sent with it from being sent.
                body=record.getMessage().encode(errors="backslashreplace").decode(),
                attributes={name: value for name, value in vars(record).items() if name not in self.NOT_ATTRIBUTES},
                exception=record.exc_info[1] if record.exc_info else None,
            )
        except Exception:
            self.handleError(record)
