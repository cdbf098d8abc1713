"""An in-memory registry for tests, with the part of the OCI distribution protocol that push and pull need.

It runs in a container, where every engine can reach it:
https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

import re
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import MSG_PEEK

PORT = 5000
TLS = b"\x16"  # the first byte of a handshake
UPLOADS = re.compile(r"/v2/.+/blobs/uploads/")
BLOB = re.compile(r"/v2/.+/blobs/(sha256:\w+)")
MANIFEST = re.compile(r"/v2/(.+)/manifests/(.+)")

# Blobs by digest, and manifests by name and by tag or digest, with their media types.
blobs: dict[str, bytes] = {}
manifests: dict[tuple[str, str], tuple[str, bytes]] = {}


def digest(content: bytes) -> str:
    """Return the digest of the content."""
    return f"sha256:{sha256(content).hexdigest()}"


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        """Serve a connection. Reject TLS, which clients try first, so that they continue without."""
        if self.connection.recv(1, MSG_PEEK) == TLS:
            self.connection.recv(65536)
            self.wfile.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        else:
            super().handle()

    def answer(self, status: int, content: bytes = b"", **headers: str) -> None:
        """Send a response. In the names of headers, _ stands for -."""
        self.send_response(status)
        for name, value in {"Content_Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_GET(self) -> None:
        """Send a blob or a manifest."""
        if self.path == "/v2/":
            self.answer(200)
        elif (found := BLOB.fullmatch(self.path)) and (content := blobs.get(found[1])) is not None:
            self.answer(200, content, Docker_Content_Digest=found[1])
        elif (found := MANIFEST.fullmatch(self.path)) and (manifest := manifests.get((found[1], found[2]))):
            media_type, content = manifest
            self.answer(200, content, Content_Type=media_type, Docker_Content_Digest=digest(content))
        else:
            self.answer(404)

    do_HEAD = do_GET  # noqa: N815 -- a name of http.server

    def do_POST(self) -> None:
        """Start an upload, which follows in one request."""
        self.answer(202, Location=self.path.partition("?")[0])

    def do_PUT(self) -> None:
        """Store a blob or a manifest."""
        content = self.rfile.read(int(self.headers["Content-Length"]))
        called = digest(content)
        path = self.path.partition("?")[0]
        if UPLOADS.fullmatch(path):
            blobs[called] = content
        elif found := MANIFEST.fullmatch(path):
            for reference in (found[2], called):
                manifests[found[1], reference] = self.headers["Content-Type"], content
        self.answer(201, Location=path, Docker_Content_Digest=called)


if __name__ == "__main__":
    ThreadingHTTPServer(("", PORT), Handler).serve_forever()
