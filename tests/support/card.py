"""The Dockerfile of the design card, word for word."""

from pathlib import Path

CARD = (Path(__file__).parents[1] / "engine" / "card.Dockerfile").read_text()
