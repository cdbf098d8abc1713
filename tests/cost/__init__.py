"""Tests of the CPU time that input costs. `make verify` runs them, because a busy machine may disturb them."""
