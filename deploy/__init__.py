"""Deployment of the production image to more than one container, and its load tests."""
