"""Tests of the page in a browser, served by the production image. scripts/verify runs them."""
