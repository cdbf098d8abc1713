"""Tests of template/."""
