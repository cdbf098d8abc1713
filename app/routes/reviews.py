"""Reviews: a Dockerfile in, what to change out."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app import errors
from app.review.report import Review, review
from app.review.syntax import DockerfileError

router = APIRouter(prefix="/api/reviews", tags=["reviews"])

# The last is what `curl --data-binary` says when it is told nothing.
TEXT_TYPES = ("text/plain", "application/octet-stream", "application/x-www-form-urlencoded")


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
    | {media_type: {"schema": {"type": "string"}} for media_type in TEXT_TYPES[:2]},
}


async def read_submission(request: Request) -> Submission:
    """The submission in the body, be it JSON or the Dockerfile alone."""
    media_type, _, parameters = request.headers.get("content-type", TEXT_TYPES[1]).partition(";")
    media_type = media_type.strip().lower()
    body = await request.body()
    if media_type == "application/json":
        try:
            return Submission.model_validate_json(body)
        except ValidationError as error:
            raise RequestValidationError(error.errors(include_url=False)) from error
    if media_type not in TEXT_TYPES:
        raise HTTPException(415, f"send application/json, {TEXT_TYPES[0]} or {TEXT_TYPES[1]}")
    charset = parameters.lower().partition("charset=")[2].strip(' "')
    if charset not in {"", "utf-8", "us-ascii"}:
        raise HTTPException(415, "send the text as UTF-8")
    try:
        return Submission(dockerfile=body.decode())
    except UnicodeDecodeError as error:
        raise HTTPException(400, f"the body is not UTF-8: byte {error.start + 1}") from error


# Not async: a review is work for the processor, and in a thread it leaves the event loop to others.
@router.post("", responses=errors.documented(400, 413, 415, 422), openapi_extra={"requestBody": BODY})
def create(submission: Annotated[Submission, Depends(read_submission)]) -> Review:
    """Review a Dockerfile: JSON, or its text as it is (`curl --data-binary @Dockerfile`).

    What is no Dockerfile is answered with 422; the problem names the `line`.
    """
    try:
        return review(submission.dockerfile, submission.told_dockerignore)
    except DockerfileError as error:
        raise errors.ProblemException(422, f"line {error.line}: {error}", line=error.line) from error
