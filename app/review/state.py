"""The state in which an instruction runs: user, working directory and variables, as earlier instructions set them."""

from __future__ import annotations

import posixpath
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from app.review.image import Image
from app.review.syntax import Instruction
from app.review.variables import LONGEST, expand

# The PATH of a bare image, or else of the engine.
BARE_PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class State:
    """The state that an instruction leaves for the next one.

    `is_bare` means that the base image is known to set nothing: root works in `/`. `user` and `workdir` are None if
    only the base image can set them, and contain a `$` if they depend on a variable whose value is unknown.
    `environment` is what ENV sets, and `arguments` what ARG sets; an unknown value is None. `shell` is the program that
    SHELL names, or None.
    """

    is_bare: bool
    user: str | None = None
    workdir: str | None = None
    environment: dict[str, str | None] = field(default_factory=dict)
    arguments: dict[str, str | None] = field(default_factory=dict)
    shell: str | None = None

    @classmethod
    def on(cls, image: Image | None) -> Self:
        """Return the state of an external image."""
        is_bare = image is not None and image.is_bare
        return cls(is_bare, environment={"PATH": BARE_PATH} if is_bare else {})

    @property
    def variables(self) -> Mapping[str, str | None]:
        """The values of variables. An ENV overrides an ARG of the same name."""
        return ChainMap(self.environment, self.arguments) if self.arguments else self.environment

    @property
    def is_root(self) -> bool | None:
        """Whether root runs the next instruction, or None if that is unknown."""
        if self.user is None:
            return True if self.is_bare else None
        if "$" in self.user:
            return None
        return self.user.partition(":")[0] in {"root", "0"}

    def expand(self, text: str) -> str | None:
        """Return the text with its variables expanded, or None if one is unknown."""
        return expand(text, self.variables)

    def path(self, text: str) -> str | None:
        """Return the absolute path of a path in an instruction, or None if it is unknown."""
        known = self.expand(text)
        start = self.workdir or ("/" if self.is_bare else "$")
        if known is None or ("$" in start and not known.startswith("/")):
            return None
        path = posixpath.join(start, known)
        # Otherwise many relative WORKDIRs would make a long path.
        return "/" + posixpath.normpath(path).lstrip("/") if len(path) <= LONGEST else None

    def after(self, instruction: Instruction, outside: Mapping[str, str | None]) -> State:
        """Return the state after the instruction. `outside` are the ARGs before the first FROM."""
        match instruction.keyword:
            case "USER":
                user = instruction.words[0]
                return replace(self, user=self.expand(user) or user)
            case "ONBUILD" if instruction.words[0].upper() == "USER":
                return replace(self, user="$")  # the stages built on this one have another user
            case "WORKDIR":
                folder = " ".join(instruction.words)
                return replace(self, workdir=self.path(folder) or f"${folder}")
            case "SHELL":
                return replace(self, shell=posixpath.basename(instruction.words[0]))
            case "ENV":
                # An ENV expands all of its values before it sets any.
                added = {name: self.expand(value or "") for name, value in instruction.assignments}
                return replace(self, environment={**self.environment, **added})
            case "ARG":
                given = {
                    name: outside.get(name) if value is None else self.expand(value)
                    for name, value in instruction.assignments
                }
                return replace(self, arguments={**self.arguments, **given})
        return self
