"""Limits of this service for the black-box tests, which send the requests in deploy/requests.txt."""

# The bytes of files that the image may add to its base, in these folders and in total. Leave some space for new
# versions and other processors. If you add a package, use the sizes that the test prints.
BUDGETS = {"/opt/python/": 29_000_000, "/app/": 100_000, "/": 29_100_000}

# The folders in /app, and a pattern of the other paths that the image may add, for example of a system library.
FOLDERS = {"app"}
PLACES = ""

# The memory in which the service must work. `make run` allows more, for hostile requests.
LEAST_MEMORY = "100m"

# How many requests are generated for each route from the OpenAPI description.
EXAMPLES = 500
