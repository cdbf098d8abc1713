"""The card's Dockerfile, unchanged. docs/dockerfile.md describes the card."""

from pathlib import Path

CARD = (Path(__file__).parents[1] / "engine" / "card.Dockerfile").read_text()
