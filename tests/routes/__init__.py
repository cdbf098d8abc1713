"""Tests of app/routes."""
