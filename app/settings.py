"""The settings: the environment as one typed value.

Not pydantic-settings, which would make every start slower for what a few lines can do.
"""

import ipaddress
import reprlib
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError


class Variables(BaseModel):
    """Environment variables: each field is read from the variable PREFIX + its name in upper case."""

    PREFIX: ClassVar[str] = ""
    model_config = ConfigDict(frozen=True)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Return the values of the variables, or their defaults.

        If any are invalid, end the process with a line for each.
        """
        variables = {name: environment.get(cls.PREFIX + name.upper()) for name in cls.model_fields}
        try:
            return cls.model_validate({name: text for name, text in variables.items() if text is not None})
        except ValidationError as error:
            sys.exit("\n".join(map(cls._line, error.errors())))

    @classmethod
    def _line(cls, problem: ErrorDetails) -> str:
        variable = cls.PREFIX + str(problem["loc"][0]).upper()
        # The input of a missing field is the values of all others, which may be secret.
        if problem["type"] == "missing":
            return f"{variable} is not set"
        return f"{variable}={reprlib.repr(problem['input'])}: {problem['msg']}"


def installed(docs: bool) -> bool:
    """Return the value. Reject True if the files of the page are missing."""
    if docs and find_spec("fastapi_swagger") is None:
        hint = "add it to requirements.in, then run make lock"
        raise PydanticCustomError("not_installed", f"the package fastapi-swagger is not installed; {hint}")
    return docs


class Settings(Variables):
    """The settings of the service.

    Do not name one `APP_PORT` or `APP_…_HOST`: Kubernetes sets those for a Service called `app`.
    """

    PREFIX = "APP_"

    docs: Annotated[bool, AfterValidator(installed)] = False
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"
    max_body_bytes: int = Field(default=128 * 1024, ge=1, le=64 * 1024 * 1024)
    max_connections: int = Field(default=500, ge=1)


def trusted(addresses: str) -> str:
    """Return the value. Reject addresses that uvicorn could never match with a client's."""
    for address in [] if addresses in {"*", ""} else addresses.split(","):
        try:
            ipaddress.ip_network(address.strip())
        except ValueError as error:
            hint = "use * or addresses and networks separated by commas"
            raise PydanticCustomError("no_address", "{error}; {hint}", {"error": str(error), "hint": hint}) from error
    return addresses


class ServerSettings(Variables):
    """Variables of uvicorn whose values uvicorn does not check before it misbehaves or ends with a traceback.

    They are only checked here. uvicorn reads them, and checks its others: https://uvicorn.dev/settings
    """

    forwarded_allow_ips: Annotated[str, AfterValidator(trusted)] = "127.0.0.1"
    web_concurrency: int = Field(default=1, ge=1)
    uvicorn_http: Literal["auto", "h11", "httptools", "app.server:Protocol"] = "auto"
    uvicorn_timeout_graceful_shutdown: int = Field(default=0, ge=0)
    uvicorn_timeout_keep_alive: int = Field(default=0, ge=0)
