"""The page at /docs: the routes in Swagger UI, where each can be tried.

FastAPI's own page loads Swagger UI from a CDN: whatever version that has runs with the rights of this service, and
without internet the page is blank. Here the files come from the package fastapi-swagger, which production does without.
"""

from base64 import b64encode
from hashlib import sha256

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles


def install(app: FastAPI) -> None:
    """Serve the page, and below it the files that it loads."""
    # Relative, for a proxy that serves the app under a prefix.
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

    # The files alone: the package's code would write the Host header of the request into the page.
    app.mount("/docs", StaticFiles(packages=[("fastapi_swagger", "resources")]))


def policy(html: str) -> str:
    """Return the policy by which the page runs its own script, and loads and asks only this service."""
    script = html.partition("<script>")[2].partition("</script>")[0]
    digest = b64encode(sha256(script.encode()).digest()).decode()
    # The icons in Swagger UI's style sheet are data.
    return (
        f"default-src 'none'; script-src 'self' 'sha256-{digest}'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
