"""The page at / and the files that it loads, from app/web."""

from pathlib import Path

from fastapi import APIRouter, Depends, HTTPException, Request, Response

WEB = Path(__file__).parent.parent / "web"
HEADERS = {
    # Allow only the page's own files and the API: an injected script would not run.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    # Revalidate each time. The response is 304 if nothing has changed.
    "Cache-Control": "no-cache",
}


def add_headers(response: Response) -> None:
    """Add the headers of the page to the response."""
    response.headers.update(HEADERS)


def serve_whole_files(request: Request) -> None:
    """Reject paths that would be redirected, and ignore the Range header."""
    path = request.scope["path"]
    # Otherwise the redirect, as for a folder without its slash, would go to the host in the client's Host header.
    if path.endswith(("/.", "/..")) or not path.startswith("/"):
        raise HTTPException(404)
    # Small files need no ranges, and the error for an invalid one would be plain text.
    request.scope["headers"] = [(name, text) for name, text in request.scope["headers"] if name != b"range"]


router = APIRouter(dependencies=[Depends(add_headers), Depends(serve_whole_files)])
# Tried after every route, in whatever order they are added. If there is no such file, the response is the usual 404.
router.frontend("/", directory=WEB, fallback=None)
