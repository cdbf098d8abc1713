"""What the tests from outside ask this service. A service with other routes says here which, and they ask those."""

import json
from pathlib import Path

# A route that answers GET with 200.
GET = "/api/rules"
# One that reads JSON, a body that it answers with 200, and one of ordinary size for the tests of load.
POST = "/api/reviews"
BODY = json.dumps({"dockerfile": "FROM a"}).encode()
TYPICAL = json.dumps({"dockerfile": Path(__file__).parents[1].joinpath("Dockerfile").read_text()}).encode()

# The bytes of the files that the image may add to its base, there and in all: a sixth more than they are, since a new
# version or another processor makes them somewhat more. With another package, take what the test prints.
BUDGETS = {"/opt/python/": 29_000_000, "/app/": 290_000, "/": 29_300_000}

# How many requests to POST are made up from the API's description; and how many there are for all routes together at
# least, so that neither an update nor a new setting makes fewer of them unseen.
EXAMPLES, FEWEST_CASES = 2000, 2000
