"""The settings: the environment, as one typed value.

Plain pydantic: pydantic-settings would lengthen every start for what the few lines below do.
"""

import reprlib
import sys
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

PREFIX = "APP_"


class Settings(BaseModel):
    """What can be set from outside: each field is the variable of its name, in capitals, after `APP_`.

    Not `APP_PORT` or `APP_…_HOST`: Kubernetes sets those for a Service called `app`.
    """

    model_config = ConfigDict(frozen=True)

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"
    max_body_bytes: int = Field(default=128 * 1024, ge=1, le=64 * 1024 * 1024)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """The settings that the variables make; one that is not set keeps its default.

        Ends the process with a line for each variable whose value will not do.
        """
        variables = {name: environment.get(PREFIX + name.upper()) for name in cls.model_fields}
        try:
            return cls.model_validate({name: text for name, text in variables.items() if text is not None})
        except ValidationError as error:
            sys.exit(
                "\n".join(
                    f"{PREFIX}{str(problem['loc'][0]).upper()}={reprlib.repr(problem['input'])}: {problem['msg']}"
                    for problem in error.errors()
                )
            )
