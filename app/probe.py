"""The command of the container's HEALTHCHECK, which needs no curl: `python -m app.probe`."""

import sys
from http.client import HTTPConnection, HTTPException

HOST, PORT = "127.0.0.1", 8000
TIMEOUT = 2  # seconds


def main() -> None:
    """Exit with 0 if the service is alive, else with 1 and a line that gives the reason."""
    connection = HTTPConnection(HOST, PORT, timeout=TIMEOUT)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        sys.exit(f"no response from {HOST}:{PORT}: {error}")
    finally:
        connection.close()
    if status != 200:
        sys.exit(f"status {status} from {HOST}:{PORT}")


if __name__ == "__main__":
    main()
