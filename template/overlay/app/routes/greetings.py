"""Greetings: an example of a resource. Write your own like it, then take it away."""

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from app import errors

router = APIRouter(prefix="/api/greetings", tags=["greetings"])

WORDS = {"en": "Hello", "fr": "Bonjour", "sw": "Jambo"}


class Person(BaseModel):
    """Who is greeted, and how."""

    # What is not asked for is refused, so that a misspelled name is noticed.
    model_config = ConfigDict(extra="forbid")

    # With a length it is read as Unicode. Without one, half a character ("\ud800") would come through, and no answer
    # can hold that.
    name: Annotated[str, Field(min_length=1, max_length=100, examples=["Ada"])]
    language: Literal["en", "fr", "sw"] = "en"


class Greeting(BaseModel):
    """What is said."""

    text: str


@router.post("", responses=errors.documented(400, 413, 422))
async def greet(person: Person) -> Greeting:
    """Greet somebody."""
    return Greeting(text=f"{WORDS[person.language]}, {person.name}!")


@router.get("/{language}", responses=errors.documented(404, 422))
async def word(language: str) -> Greeting:
    """What people say in a language."""
    if language not in WORDS:
        raise HTTPException(404, f"no such language; there are {', '.join(WORDS)}")
    return Greeting(text=f"{WORDS[language]}!")
