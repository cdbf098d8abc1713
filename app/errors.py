"""Errors: every one is answered in one form, RFC 9457 problem details with the request's id.

https://www.rfc-editor.org/rfc/rfc9457
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.logs import request_id

MEDIA_TYPE = "application/problem+json"
SCHEMA = {
    "title": "Problem",
    "type": "object",
    "required": ["title", "status", "detail", "request_id"],
    "properties": {
        "title": {"type": "string", "description": "The status in words"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong with this request"},
        "request_id": {"type": "string", "description": "The X-Request-ID of the answer, and of its log lines"},
        "errors": {
            "type": "array",
            "description": "Each value that will not do",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "Where it stands, as a JSON pointer"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


class ProblemException(HTTPException):
    """An error to answer with, whose problem has further members: `ProblemException(422, "…", line=3)`."""

    def __init__(self, status: int, detail: str, **members: object) -> None:
        super().__init__(status, detail)
        self.members = members


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route that can end in these statuses; of no one in particular without any."""
    content = {MEDIA_TYPE: {"schema": SCHEMA}}
    described: dict[int | str, str] = {status: HTTPStatus(status).phrase for status in statuses}
    return {
        status: {"description": description, "content": content}
        for status, description in (described or {"default": "Any error"}).items()
    }


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None, **members: object) -> Response:
    """The answer to a request that failed; `members` are added to the body.

    The body is ASCII, so that whatever is quoted in it can be encoded.
    """
    title = HTTPStatus(status).phrase
    body = {"title": title, "status": status, "detail": detail, "request_id": request_id.get()} | members
    return Response(json.dumps(body), status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Have the app answer in this form for all that it and the framework raise."""
    # Starlette's HTTPException, not FastAPI's: the router raises it for 404 and 405.
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(ClientDisconnect, _client_disconnect)


async def _http_exception(_: Request, error: Exception) -> Response:
    error = cast(HTTPException, error)
    members = error.members if isinstance(error, ProblemException) else {}
    return problem(error.status_code, error.detail, error.headers, **members)


async def _validation_error(_: Request, error: Exception) -> Response:
    # Without the values: they are somebody's input, of any size.
    problems = cast(RequestValidationError, error).errors()
    if any(item["type"] == "json_invalid" for item in problems):
        return problem(400, f"the body is not JSON: {problems[0]['msg']}")
    found = [{"pointer": _pointer(item["loc"])[:100], "detail": item["msg"]} for item in problems]
    summary = "; ".join(f"{item['pointer'] or 'the body'}: {item['detail']}" for item in found[:3])
    return problem(422, summary, errors=found[:20])


def _pointer(location: tuple[int | str, ...]) -> str:
    """The location as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


async def _client_disconnect(_: Request, __: Exception) -> Response:
    return problem(400, "the body ended before it was whole")
