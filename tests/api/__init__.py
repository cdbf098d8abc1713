"""Tests that ask the production image over HTTP: `make verify` starts it and runs them."""
