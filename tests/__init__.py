"""The tests, one module for each of app/, run inside the dev stage."""
