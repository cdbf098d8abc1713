"""Tests of deploy/load.py and deploy/haproxy/: what is counted as failed. They need no engine."""
