"""The settings: the environment, as one typed value.

Plain pydantic: pydantic-settings would lengthen every start for what the few lines below do.
"""

import ipaddress
import reprlib
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError


class Variables(BaseModel):
    """Variables of the environment: each field is the one of its name, in capitals, after the prefix."""

    PREFIX: ClassVar[str] = ""
    model_config = ConfigDict(frozen=True)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """The values that the variables have; one that is not set has its default.

        Ends the process with a line for each variable whose value will not do.
        """
        variables = {name: environment.get(cls.PREFIX + name.upper()) for name in cls.model_fields}
        try:
            return cls.model_validate({name: text for name, text in variables.items() if text is not None})
        except ValidationError as error:
            sys.exit(
                "\n".join(
                    f"{cls.PREFIX}{str(problem['loc'][0]).upper()}={reprlib.repr(problem['input'])}: {problem['msg']}"
                    for problem in error.errors()
                )
            )


def installed(docs: bool) -> bool:
    """Return the value, unless it asks for a page whose files are missing."""
    if docs and find_spec("fastapi_swagger") is None:
        hint = "name it in requirements.in, then run make lock"
        raise PydanticCustomError("not_installed", f"the package fastapi-swagger is not installed; {hint}")
    return docs


class Settings(Variables):
    """What can be set from outside.

    Not `APP_PORT` or `APP_…_HOST`: Kubernetes sets those for a Service called `app`.
    """

    PREFIX = "APP_"

    docs: Annotated[bool, AfterValidator(installed)] = False
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"
    max_body_bytes: int = Field(default=128 * 1024, ge=1, le=64 * 1024 * 1024)
    max_connections: int = Field(default=500, ge=1)


def trusted(addresses: str) -> str:
    """Return the value, unless it contains an address that uvicorn would never find equal to a client's."""
    for address in [] if addresses in {"*", ""} else addresses.split(","):
        try:
            ipaddress.ip_network(address.strip())
        except ValueError as error:
            hint = "write * or addresses and networks with commas between them"
            raise PydanticCustomError("no_address", "{error}; {hint}", {"error": str(error), "hint": hint}) from error
    return addresses


class ServerSettings(Variables):
    """uvicorn's variables of which it takes bad values, to serve otherwise than was meant or to end with a traceback.

    They are checked here, and used by uvicorn alone. Its other ones it checks itself: https://uvicorn.dev/settings
    """

    forwarded_allow_ips: Annotated[str, AfterValidator(trusted)] = "127.0.0.1"
    web_concurrency: int = Field(default=1, ge=1)
    uvicorn_http: Literal["auto", "h11", "httptools", "app.server:Protocol"] = "auto"
    uvicorn_timeout_graceful_shutdown: int = Field(default=0, ge=0)
    uvicorn_timeout_keep_alive: int = Field(default=0, ge=0)
