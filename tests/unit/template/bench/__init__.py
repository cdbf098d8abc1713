"""Tests of template/bench."""
