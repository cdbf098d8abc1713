"""Tests of the processor time that input costs: `make verify` runs them, since a busy machine may disturb them."""
