"""Decode the telemetry that a service sends, from what collector.py prints."""

import json
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
NOT_SENT = "nothing is sent to a collector: "


@dataclass
class Sent:
    """The telemetry that a collector received."""

    spans: list[Span] = field(default_factory=list)
    metrics: list[Metric] = field(default_factory=list)
    records: list[LogRecord] = field(default_factory=list)
    services: set[str] = field(default_factory=set)
    instances: set[str] = field(default_factory=set)
    everything: bytes = b""


def sent(lines: Iterable[str]) -> Sent:
    """Decode the lines that collector.py prints."""
    found = Sent()
    for line in lines:
        data = json.loads(line)
        if "signal" not in data:
            continue
        body = b64decode(data["body"])
        found.everything += body
        resources: list[Resource] = []
        if data["signal"] == "traces":
            for spans in ExportTraceServiceRequest.FromString(body).resource_spans:
                resources.append(spans.resource)
                found.spans += [span for scope in spans.scope_spans for span in scope.spans]
        elif data["signal"] == "metrics":
            for metrics in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                resources.append(metrics.resource)
                found.metrics += [metric for scope in metrics.scope_metrics for metric in scope.metrics]
        else:
            for logs in ExportLogsServiceRequest.FromString(body).resource_logs:
                resources.append(logs.resource)
                found.records += [record for scope in logs.scope_logs for record in scope.log_records]
        found.services |= {values(resource.attributes)["service.name"] for resource in resources}
        found.instances |= {values(resource.attributes)["service.instance.id"] for resource in resources}
    return found


def values(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    """Return the attributes by name. A list is reduced to its first text."""
    plain = {}
    for attribute in attributes:
        kind = attribute.value.WhichOneof("value")
        value: Any = getattr(attribute.value, kind) if kind else None
        plain[attribute.key] = value.values[0].string_value if kind == "array_value" else value
    return plain
