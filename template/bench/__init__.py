"""What each line of the Dockerfile buys, measured: `make bench`, `make bench-peers`."""
