"""Tests of template/bench: that it fits what it measures."""
