"""Tests of deploy/haproxy/."""
