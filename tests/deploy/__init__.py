"""Tests of what a cluster is given, and of the scripts that give it. kubectl renders it; no cluster is needed."""
