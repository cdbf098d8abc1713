"""Reviews: a Dockerfile in, what to change out."""

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
    """Run the process that reviews, and let readiness depend on it."""
    async with Worker(COMMAND, TRIAL).running() as worker:

        async def unready() -> str | None:
            return worker.unready()

        app.state.checks["reviews"] = unready
        yield {"reviewer": worker}


router = APIRouter(prefix="/api/reviews", tags=["reviews"], lifespan=reviewing)

# The last is what `curl --data-binary` says when it is told nothing.
MEDIA_TYPES = ("application/json", "text/plain", "application/octet-stream", "application/x-www-form-urlencoded")


class Submission(BaseModel):
    """A Dockerfile, and the `.dockerignore` beside it if that is to be judged as well."""

    model_config = ConfigDict(extra="forbid")

    dockerfile: Annotated[str, Field(examples=["FROM python:3.12\nCOPY . .\nRUN pip install -r requirements.txt\n"])]
    dockerignore: Annotated[
        str | None, Field(description="Its text; null or empty where there is none. Leave it out to have it ignored.")
    ] = None

    @property
    def told_dockerignore(self) -> str | None:
        """What the reviewer is told of it: "" where there is none, None where nothing was said."""
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


LINE = {"type": "integer", "description": "Where the text is no Dockerfile, from 1"}


async def read_submission(request: Request) -> Submission:
    """The submission in the body, be it JSON or the Dockerfile alone."""
    media_type, parameters = negotiation.media_type(request.headers.get("content-type", "application/octet-stream"))
    if media_type not in MEDIA_TYPES:
        raise HTTPException(415, f"send {', '.join(MEDIA_TYPES[:-1])} or {MEDIA_TYPES[-1]}")
    if parameters.get("charset", "utf-8") not in {"utf-8", "utf8", "us-ascii"}:
        raise HTTPException(415, "send the text as UTF-8")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(415, "send the body as it is, without Content-Encoding", {"Accept-Encoding": "identity"})
    body = await request.body()
    if media_type == "application/json":
        try:
            return Submission.model_validate_json(body)
        except ValidationError as error:
            raise RequestValidationError([item | {"loc": ("body", *item["loc"])} for item in error.errors()]) from error
    try:
        return Submission(dockerfile=body.decode())
    except UnicodeDecodeError as error:
        raise HTTPException(400, f"the body is not UTF-8: byte {error.start + 1}") from error


@router.post(
    "",
    response_model=Review,
    responses=errors.documented(400, 406, 413, 415, 503) | errors.documented(422, line=LINE) | {200: ANSWER},
    openapi_extra={"requestBody": BODY},
)
async def create(submission: Annotated[Submission, Depends(read_submission)], request: Request) -> Response:
    """Review a Dockerfile: JSON, or its text as it is (`curl --data-binary @Dockerfile`).

    `Accept: text/plain` is answered as compilers print, `application/sarif+json` in SARIF 2.1.0 for code scanning.
    What is no Dockerfile is answered with 422; the problem names the `line`. If too many reviews wait, or this one
    takes too long, the answer is 503 with `Retry-After`.
    """
    vary = {"Vary": "Accept"}
    # No parameter: OpenAPI would ignore it, and has tools choose among the media types of the answer.
    media_type = negotiation.best(",".join(request.headers.getlist("accept")), list(pipe.MEDIA_TYPES))
    if media_type is None:
        raise HTTPException(406, f"a review is {', '.join(pipe.MEDIA_TYPES)}", vary)
    reviewer: Worker = request.state.reviewer
    question = (media_type, submission.dockerfile, submission.told_dockerignore, str(request.base_url))
    answer = await while_connected(request, reviewer.ask(question))
    if "problem" in answer:
        raise HTTPException(422, answer["problem"])
    if "failure" in answer:
        raise RuntimeError(answer["failure"])
    return Response(answer["review"], media_type=media_type, headers=vary)
