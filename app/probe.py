"""The question that the container's HEALTHCHECK asks, without curl: `python -m app.probe`."""

import sys
from http.client import HTTPConnection, HTTPException

HOST, PORT = "127.0.0.1", 8000
TIMEOUT = 2  # seconds


def main() -> None:
    """End the process: with success if the service says that it is alive, else with a line that says why not."""
    connection = HTTPConnection(HOST, PORT, timeout=TIMEOUT)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        sys.exit(f"no answer from {HOST}:{PORT}: {error}")
    finally:
        connection.close()
    if status != 200:
        sys.exit(f"status {status} from {HOST}:{PORT}")


if __name__ == "__main__":
    main()
