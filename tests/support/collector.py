"""An OpenTelemetry collector that prints what it receives as JSON lines. With `silent`, it never responds.

It uses only the standard library, because it runs in the image.
"""

import json
import sys
import time
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver(BaseHTTPRequestHandler):
    """Receives OTLP over HTTP: https://opentelemetry.io/docs/specs/otlp/#otlphttp."""

    def do_POST(self) -> None:
        """Print the request and respond."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.print({"signal": self.path.removeprefix("/v1/"), "body": b64encode(body).decode()})
        if "silent" in sys.argv:
            time.sleep(3600)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Log nothing."""

    @staticmethod
    def print(what: dict[str, object]) -> None:
        """Print a JSON line."""
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("", int(sys.argv[1])), Receiver)
    server.daemon_threads = True
    Receiver.print({"port": server.server_port})
    server.serve_forever()
