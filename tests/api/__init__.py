"""Tests of the API of the production image, over HTTP. `make verify` starts a container and runs them."""
