"""What the tests from outside ask this service. A service with other routes says here which, and they ask those."""

import json

# A route that answers GET with 200.
GET = "/api/greetings/en"
# One that reads JSON, a body that it answers with 200, and one of ordinary size for the tests of load.
POST = "/api/greetings"
BODY = json.dumps({"name": "Ada"}).encode()
TYPICAL = json.dumps({"name": "Ada Lovelace"}).encode()

# The bytes of the files that the image may add to its base, there and in all: somewhat more than they are, since a new
# version or another processor makes them more, and the app grows. With another package, take what the test prints.
BUDGETS = {"/opt/python/": 29_000_000, "/app/": 100_000, "/": 29_100_000}

# How many requests to POST are made up from the API's description; and how many there are for all routes together at
# least, so that neither an update nor a new setting makes fewer of them unseen.
EXAMPLES, FEWEST_CASES = 500, 1000
