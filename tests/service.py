"""Limits of this service for the tests from outside. deploy/requests.txt has the requests that they send."""

# The bytes of the files that the image may add to its base, there and in all: a sixth more than they are, since a new
# version or another processor makes them somewhat more. With another package, take what the test prints.
BUDGETS = {"/opt/python/": 29_000_000, "/app/": 290_000, "/": 29_300_000}

# How many requests are generated for each route from the description of the API.
EXAMPLES = 500
