"""Tests of bench/: that it fits what it measures."""
