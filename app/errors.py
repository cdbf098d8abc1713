"""Errors: every error response is in one format, RFC 9457 problem details, with the request id.

https://www.rfc-editor.org/rfc/rfc9457
"""

import json
from collections.abc import Mapping
from http.client import responses
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.logs import request_id

MEDIA_TYPE = "application/problem+json"
SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "type": "object",
    "required": ["title", "status", "detail", "request_id"],
    "properties": {
        "title": {"type": "string", "description": "The reason phrase of the status"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong with this request"},
        "request_id": {"type": "string", "description": "The X-Request-ID of the response and of its log lines"},
        "errors": {
            "type": "array",
            "description": "The invalid values",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "The place in the request: /body/name, /query/name"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


def documented(*statuses: int | str, **members: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """Return the `responses=` of a route that can fail with these statuses.

    `members` are the schemas of additional members of the problem.
    """
    schema = SCHEMA | {"properties": SCHEMA["properties"] | members}
    return {status: {"content": {MEDIA_TYPE: {"schema": schema}}} for status in statuses}


def problem(status: int, detail: object, headers: Mapping[str, str] | None = None) -> Response:
    """Return the response to a failed request.

    `detail` is a sentence, or a dict that contains it and additional members. The body is ASCII, so that any text that
    it quotes can be encoded.
    """
    members = detail if isinstance(detail, dict) else {"detail": detail}
    title = responses.get(status, "Error")
    body = {"title": title, "detail": title} | members | {"status": status, "request_id": request_id.get()}
    return Response(json.dumps(body), status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make the app respond to errors in this format. RequestMiddleware does so for unhandled exceptions."""
    # Starlette's HTTPException, not FastAPI's: the router raises it for 404 and 405.
    app.exception_handler(HTTPException)(_http_exception)
    app.exception_handler(RequestValidationError)(_validation_error)
    app.exception_handler(ClientDisconnect)(_client_disconnect)


async def _http_exception(request: Request, error: HTTPException) -> Response:
    if error.status_code == 400 and isinstance(error.__cause__, OSError):
        # FastAPI blames the client if an uploaded file cannot be written to disk.
        raise error.__cause__
    headers = dict(error.headers or {})
    detail = error.detail
    if error.status_code == 404 and detail == responses[404]:
        detail = "no route or file has this path"
    if error.status_code == 405:
        headers["Allow"] = ", ".join(sorted(_methods(request)))
        detail = f"the allowed methods are {headers['Allow']}"
    return problem(error.status_code, detail, headers)


def _methods(request: Request) -> set[str]:
    """Return the methods of all routes that have the path of the request. The exception names those of the first."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    routes = [route for route in iter_route_contexts(request.app.routes) if route.methods]
    methods = {method for route in routes if route.path_regex.match(path) for method in route.methods or ()}
    # Static files are no routes, and routes do not know that RequestMiddleware answers HEAD with their GET.
    return methods | {"HEAD"} if "GET" in methods else methods or {"GET", "HEAD"}


async def _validation_error(_: Request, error: RequestValidationError) -> Response:
    problems = error.errors()
    for item in problems:
        if item["type"] == "json_invalid" and item["loc"][:1] == ("body",):
            return problem(400, f"the body is not valid JSON: {item['ctx']['error']}")
    # Leave out the values: they may be secret, and of any size.
    found = [{"pointer": _pointer(item["loc"])[:100], "detail": item["msg"]} for item in problems]
    summary = "; ".join(f"{item['pointer']}: {item['detail']}" for item in found[:3])
    return problem(422, {"detail": summary, "errors": found[:20]})


async def _client_disconnect(_: Request, __: ClientDisconnect) -> Response:
    return problem(400, "the client closed the connection")


def _pointer(location: tuple[int | str, ...]) -> str:
    """Return the location as a JSON pointer (RFC 6901) into the request."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)
