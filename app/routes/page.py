"""The page at /, with all that it loads: the files in app/web."""

from pathlib import Path

from fastapi import APIRouter, Depends, Response

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


router = APIRouter(dependencies=[Depends(add_headers)])
# Looked at after every route, whatever the order: what is no file is 404 as elsewhere.
router.frontend("/", directory=WEB, fallback=None)
