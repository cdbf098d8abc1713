"""A collector for OpenTelemetry that prints what it is sent, a JSON object a line; it never answers if told `silent`.

Run by the image's Python, which has no more than the standard library for it.
"""

import json
import sys
import time
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver(BaseHTTPRequestHandler):
    """Answers OTLP by HTTP: https://opentelemetry.io/docs/specs/otlp/#otlphttp."""

    def do_POST(self) -> None:
        """Take what is sent."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.tell({"signal": self.path.removeprefix("/v1/"), "body": b64encode(body).decode()})
        if "silent" in sys.argv:
            time.sleep(3600)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Print nothing else."""

    @staticmethod
    def tell(what: dict[str, object]) -> None:
        """Print a line."""
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("", int(sys.argv[1])), Receiver)
    server.daemon_threads = True
    Receiver.tell({"port": server.server_port})
    server.serve_forever()
