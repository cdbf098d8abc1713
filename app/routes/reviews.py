"""Reviews: send a Dockerfile, receive what to change."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app import errors, negotiation
from app.review import pipe
from app.review.report import Review
from app.worker import Worker, while_connected

COMMAND = (sys.executable, "-m", pipe.__name__)
TRIAL = ("text/plain", "FROM scratch", None)


@asynccontextmanager
async def reviewing(app: FastAPI) -> AsyncIterator[dict[str, Worker]]:
    """Run the worker process for reviews, and make readiness depend on it."""
    async with Worker(COMMAND, TRIAL).running() as worker:

        async def unready() -> str | None:
            return worker.unready()

        app.state.checks["reviews"] = unready
        yield {"reviewer": worker}


router = APIRouter(prefix="/api/reviews", tags=["reviews"], lifespan=reviewing)

# The last is the default of `curl --data-binary`.
MEDIA_TYPES = ("application/json", "text/plain", "application/octet-stream", "application/x-www-form-urlencoded")


class Submission(BaseModel):
    """A Dockerfile, and optionally its `.dockerignore`."""

    model_config = ConfigDict(extra="forbid")

    dockerfile: Annotated[str, Field(examples=["FROM python:3.12\nCOPY . .\nRUN pip install -r requirements.txt\n"])]
    dockerignore: Annotated[
        str | None, Field(description="The text; null or empty if there is no such file. If left out, it is ignored.")
    ] = None

    @property
    def reviewed_dockerignore(self) -> str | None:
        """Return the text to review, "" if there is no such file, or None to ignore it."""
        return (self.dockerignore or "") if "dockerignore" in self.model_fields_set else None


BODY = {
    "required": True,
    "content": {"application/json": {"schema": Submission.model_json_schema()}}
    | {media_type: {"schema": {"type": "string"}} for media_type in MEDIA_TYPES[1:]},
}


ANSWER: dict[str, Any] = {
    "description": "The review",
    "content": {
        "text/plain": {"schema": {"type": "string"}},
        "application/sarif+json": {"schema": {"type": "object", "description": "SARIF 2.1.0"}},
    },
}


LINE = {"type": "integer", "description": "The line, from 1, that is not valid in a Dockerfile"}


async def read_submission(request: Request) -> Submission:
    """Return the submission in the body, which is JSON or only the Dockerfile."""
    media_type, parameters = negotiation.media_type(request.headers.get("content-type", "application/octet-stream"))
    if media_type not in MEDIA_TYPES:
        raise HTTPException(415, f"send {', '.join(MEDIA_TYPES[:-1])} or {MEDIA_TYPES[-1]}")
    if parameters.get("charset", "utf-8") not in {"utf-8", "utf8", "us-ascii"}:
        raise HTTPException(415, "send the text as UTF-8")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(415, "send the body without Content-Encoding", {"Accept-Encoding": "identity"})
    body = await request.body()
    if media_type == "application/json":
        try:
            return Submission.model_validate_json(body)
        except ValidationError as error:
            raise RequestValidationError([item | {"loc": ("body", *item["loc"])} for item in error.errors()]) from error
    try:
        return Submission(dockerfile=body.decode())
    except UnicodeDecodeError as error:
        raise HTTPException(400, f"the body is not valid UTF-8 at byte {error.start + 1}") from error


@router.post(
    "",
    response_model=Review,
    responses=errors.documented(400, 406, 413, 415, 503) | errors.documented(422, line=LINE) | {200: ANSWER},
    openapi_extra={"requestBody": BODY},
)
async def create(submission: Annotated[Submission, Depends(read_submission)], request: Request) -> Response:
    """Review a Dockerfile, sent as JSON or as plain text (`curl --data-binary @Dockerfile`).

    With `Accept: text/plain`, the findings are lines like a compiler's. With `application/sarif+json`, they are SARIF
    2.1.0 (Static Analysis Results Interchange Format), for code scanning. If the text is not a Dockerfile, the response
    is 422, with the `line`. If too many reviews wait, or this one takes too long, it is 503 with `Retry-After`.
    """
    vary = {"Vary": "Accept"}
    # Not a parameter: OpenAPI ignores a header Accept, and lets tools choose from the media types of the response.
    media_type = negotiation.best(",".join(request.headers.getlist("accept")), list(pipe.MEDIA_TYPES))
    if media_type is None:
        raise HTTPException(406, f"the available media types are {', '.join(pipe.MEDIA_TYPES)}", vary)
    reviewer: Worker = request.state.reviewer
    question = (media_type, submission.dockerfile, submission.reviewed_dockerignore, str(request.base_url))
    answer = await while_connected(request, reviewer.ask(question))
    if "problem" in answer:
        raise HTTPException(422, answer["problem"])
    if "failure" in answer:
        raise RuntimeError(answer["failure"])
    return Response(answer["review"], media_type=media_type, headers=vary)
