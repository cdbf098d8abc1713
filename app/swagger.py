"""The page at /docs: Swagger UI, to read about the routes and try them.

FastAPI's own page loads Swagger UI from a CDN. Whatever the CDN serves would run with the rights of this service, and
without internet the page is blank. These files come from the package fastapi-swagger, which production does not need.
"""

from base64 import b64encode
from hashlib import sha256

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles


def install(app: FastAPI) -> None:
    """Serve the page, and the files that it loads below it."""
    # The URLs are relative, in case a proxy serves the app under a prefix.
    page = get_swagger_ui_html(
        openapi_url="openapi.json",
        title=app.title,
        swagger_js_url="docs/swagger-ui-bundle.js",
        swagger_css_url="docs/swagger-ui.css",
        swagger_favicon_url="docs/favicon-32x32.png",
    )
    html = bytes(page.body).decode()
    headers = {"Content-Security-Policy": policy(html)}

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(html, headers=headers)

    # Use only the files: the package's code would write the Host header of the request into the page.
    app.mount("/docs", StaticFiles(packages=[("fastapi_swagger", "resources")]))


def policy(html: str) -> str:
    """Return the policy that lets the page run its own script, and load from this service only."""
    script = html.partition("<script>")[2].partition("</script>")[0]
    digest = b64encode(sha256(script.encode()).digest()).decode()
    # The icons in Swagger UI's style sheet are data URLs.
    return (
        f"default-src 'none'; script-src 'self' 'sha256-{digest}'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
