"""Tests of deploy/ that need no engine."""
