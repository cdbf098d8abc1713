"""The card's Dockerfile, word for word. docs/dockerfile.md says what the card is."""

from pathlib import Path

CARD = (Path(__file__).parents[1] / "engine" / "card.Dockerfile").read_text()
