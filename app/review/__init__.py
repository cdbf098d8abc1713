"""The reviewer of Dockerfiles, which imports no web framework."""
