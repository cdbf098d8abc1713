"""The page at /, with all that it loads: the files in app/web."""

from pathlib import Path

from fastapi import APIRouter, Depends, HTTPException, Request, Response

WEB = Path(__file__).parent.parent / "web"
HEADERS = {
    # The page's own files and the API, and nothing else: a script that slipped into the page would not run.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    # Asked for again each time, and answered with 304 while it is the same.
    "Cache-Control": "no-cache",
}


def add_headers(response: Response) -> None:
    """Give what is served the page's headers."""
    response.headers.update(HEADERS)


def leave_as_it_is(request: Request) -> None:
    """Have a file served whole and under its own path, or not at all."""
    path = request.scope["path"]
    # Else redirected, as a folder without its slash, to an address that the caller's Host header decides.
    if path.endswith(("/.", "/..")) or not path.startswith("/"):
        raise HTTPException(404)
    # Small files need no ranges, and one that cannot be read would be answered in plain text.
    request.scope["headers"] = [(name, text) for name, text in request.scope["headers"] if name != b"range"]


router = APIRouter(dependencies=[Depends(add_headers), Depends(leave_as_it_is)])
# Looked at after every route, whatever the order: what is no file is 404 as elsewhere.
router.frontend("/", directory=WEB, fallback=None)
