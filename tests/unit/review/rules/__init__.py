"""Tests of app/review/rules."""
