"""Greetings: an example of a resource. Write your own like it, then delete this one."""

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from app import errors

router = APIRouter(prefix="/api/greetings", tags=["greetings"])

WORDS = {"en": "Hello", "fr": "Bonjour", "sw": "Jambo"}


class Person(BaseModel):
    """A person to greet."""

    # Reject unknown fields, so that clients notice a misspelled name.
    model_config = ConfigDict(extra="forbid")

    # The length makes pydantic check the characters. Otherwise it would accept a lone surrogate ("\ud800"), which no
    # response can contain.
    name: Annotated[str, Field(min_length=1, max_length=100, examples=["Ada"])]
    language: Literal["en", "fr", "sw"] = "en"


class Greeting(BaseModel):
    """A greeting."""

    text: str


@router.post("", responses=errors.documented(400, 413, 422))
async def greet(person: Person) -> Greeting:
    """Greet a person."""
    return Greeting(text=f"{WORDS[person.language]}, {person.name}!")


@router.get("/{language}", responses=errors.documented(404, 422))
async def word(language: str) -> Greeting:
    """Return the greeting of a language."""
    if language not in WORDS:
        raise HTTPException(404, f"unknown language; the languages are {', '.join(WORDS)}")
    return Greeting(text=f"{WORDS[language]}!")
