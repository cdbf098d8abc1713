"""Tests of the Kubernetes manifests and the deployment scripts. They need kubectl, but no cluster."""
