"""The benchmark of the Dockerfile: `make bench`, `make bench-peers`."""
