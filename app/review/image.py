"""References to images: `registry/name:tag@digest`, taken apart."""

from dataclasses import dataclass
from typing import Self

# Images known to hold no service's packages and to name no USER, so that root runs what is built on them.
BARE = frozenset(
    {"almalinux", "alpine", "amazonlinux", "debian", "fedora", "ghcr.io/astral-sh/uv", "node", "pypy", "python"}
    | {"rockylinux", "rust", "scratch", "ubuntu"}
)


@dataclass(frozen=True, slots=True)
class Image:
    """An image by its reference; `tag` and `digest` are None where it has none."""

    repository: str
    tag: str | None
    digest: str | None

    @classmethod
    def parse(cls, reference: str) -> Self:
        """The parts of a reference as it stands in FROM."""
        name, _, digest = reference.partition("@")
        head, colon, tag = name.rpartition(":")
        if not colon or "/" in tag:  # no colon, or that of a registry's port
            head, tag = name, ""
        return cls(head, tag or None, digest or None)

    def __str__(self) -> str:
        """The reference, put together again."""
        return self.repository + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    @property
    def official(self) -> str | None:
        """The name under which Docker Hub publishes it itself (`python`), a mirror's copy included; or None."""
        *path, name = self.repository.split("/")
        return name if not path or path == ["docker.io"] or path[-1] == "library" else None

    @property
    def is_bare(self) -> bool:
        """Whether it is known to be an operating system and an interpreter, run by root, and nothing else."""
        return (self.official or self.repository) in BARE

    @property
    def variant(self) -> list[str]:
        """The words of the tag: `3.12-slim-trixie` has three."""
        return (self.tag or "latest").split("-")
