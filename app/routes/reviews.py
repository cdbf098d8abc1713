"""Reviews: a Dockerfile in, what to change out."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app import errors, negotiation
from app.review import formats
from app.review.dockerignore import DockerignoreError
from app.review.report import Review, review
from app.review.syntax import DockerfileError


@asynccontextmanager
async def short_turns(_: FastAPI) -> AsyncIterator[None]:
    """Have a thread that computes hand over after 1 ms, not Python's 5: the event loop asks at each socket it reads."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(0.001)
    yield
    sys.setswitchinterval(usual)


router = APIRouter(prefix="/api/reviews", tags=["reviews"], lifespan=short_turns)

# The last is what `curl --data-binary` says when it is told nothing.
MEDIA_TYPES = ("application/json", "text/plain", "application/octet-stream", "application/x-www-form-urlencoded")
# A review is work for the processor: in a thread, so that the event loop goes on, and one at a time, since
# threads would only take turns, and each holds the memory of a whole review.
ONE = CapacityLimiter(1)
# What waits holds its Dockerfile in memory, and the dearest take a tenth of a second each: a caller beyond these is
# better off asking again than waiting for ten seconds and more.
MOST_WAITING = 64


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


# What the answer can be, the first if all are welcome.
FORMATS: dict[str, Callable[[formats.Reviews], str] | None] = {
    "application/json": None,
    "text/plain": formats.text,
    "application/sarif+json": formats.sarif,
}
ANSWER: dict[str, Any] = {
    "description": "The review",
    "content": {
        "text/plain": {"schema": {"type": "string"}},
        "application/sarif+json": {"schema": {"type": "object", "description": "SARIF 2.1.0"}},
    },
}


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


def review_in(media_type: str, submission: Submission) -> Review | str:
    """The review, written down where the form of the answer is not FastAPI's JSON."""
    found = review(submission.dockerfile, submission.told_dockerignore)
    write = FORMATS[media_type]
    return write({"Dockerfile": found}) if write else found


@router.post(
    "",
    response_model=Review,
    responses=errors.documented(400, 406, 413, 415, 422, 503) | {200: ANSWER},
    openapi_extra={"requestBody": BODY},
)
async def create(
    submission: Annotated[Submission, Depends(read_submission)], request: Request, response: Response
) -> Review | Response:
    """Review a Dockerfile: JSON, or its text as it is (`curl --data-binary @Dockerfile`).

    `Accept: text/plain` is answered as compilers print, `application/sarif+json` in SARIF 2.1.0 for code scanning.
    What is no Dockerfile is answered with 422; the problem names the `line`. While too many reviews wait for their
    turn, the answer is 503 with `Retry-After`.
    """
    vary = {"Vary": "Accept"}
    # No parameter: OpenAPI would ignore it, and has tools choose among the media types of the answer.
    media_type = negotiation.best(",".join(request.headers.getlist("accept")), list(FORMATS))
    if media_type is None:
        raise HTTPException(406, f"to be had are {', '.join(FORMATS)}", vary)
    if ONE.statistics().tasks_waiting >= MOST_WAITING:
        raise HTTPException(503, "too many reviews wait for their turn; ask again", {"Retry-After": "5"})
    try:
        # Not run_sync's `limiter`: it joins the queue a moment later, when others have passed the check above.
        async with ONE:
            answer = await to_thread.run_sync(review_in, media_type, submission)
    except DockerfileError as error:
        raise HTTPException(422, {"detail": f"line {error.line}: {error}", "line": error.line}) from error
    except DockerignoreError as error:
        raise HTTPException(422, f".dockerignore, line {error.line}: {error}") from error
    response.headers.update(vary)
    return Response(answer, media_type=media_type, headers=vary) if isinstance(answer, str) else answer
