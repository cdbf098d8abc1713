"""The routes: one module a resource, and here their list."""

from app.routes import page, reviews, rules

# The name of the API, as its description at /docs has it.
TITLE = "Dockerfile reviews"
ROUTERS = (page.router, reviews.router, rules.router)
