"""A service that reviews Dockerfiles."""
