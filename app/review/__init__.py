"""The review of a Dockerfile: the domain, free of any web framework."""
