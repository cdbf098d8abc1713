"""The routes: one module a resource, and here their list."""

from app.routes import greetings

# The name of the API, as its description at /docs has it.
TITLE = "Service"
ROUTERS = (greetings.router,)
