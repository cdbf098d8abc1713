"""The tests. tests/unit runs in the dev stage. The other folders need an image, an engine or kubectl."""
