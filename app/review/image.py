"""References to images: `registry/name:tag@digest`, taken apart, and what is known of the images."""

import re
from dataclasses import dataclass
from typing import Self

# Images known to hold no service's packages and to name no USER, so that root runs what is built on them.
RED_HAT = frozenset({"almalinux", "amazonlinux", "fedora", "rockylinux"})
DEBIAN = frozenset({"debian", "node", "pypy", "python", "rust", "ubuntu"})
# Published by Docker Hub itself; but for those named after Python, they have none or do not serve with it.
OFFICIAL = (
    frozenset(
        {
            "busybox",
            "caddy",
            "composer",
            "docker",
            "eclipse-temurin",
            "golang",
            "haproxy",
            "httpd",
            "maven",
            "memcached",
        }
        | {"mongo", "mysql", "nginx", "openjdk", "php", "postgres", "redis", "ruby", "scratch", "traefik"}
    )
    | RED_HAT
    | DEBIAN
    | {"alpine"}
)
BARE = RED_HAT | DEBIAN | {"alpine", "scratch"}
# Its tags without a distribution hold the program alone, in a working directory of its own.
UV = "ghcr.io/astral-sh/uv"
DISTRIBUTIONS = frozenset({"bookworm", "debian", "trixie"})
DISTROLESS = "gcr.io/distroless/"

# The first releases of Python whose image was built on Debian 13, by minor version.
FIRST_ON_TRIXIE = {9: 24, 10: 19, 11: 14, 12: 12, 13: 7}


@dataclass(frozen=True, slots=True)
class Image:
    """An image by its reference; `tag` and `digest` are None where it has none."""

    repository: str
    tag: str | None
    digest: str | None

    @classmethod
    def parse(cls, reference: str) -> Self:
        """Parse a reference in FROM."""
        name, _, digest = reference.partition("@")
        head, colon, tag = name.rpartition(":")
        if not colon or "/" in tag:  # no colon, or that of a registry's port
            head, tag = name, ""
        return cls(head, tag or None, digest or None)

    def __str__(self) -> str:
        """Return the reference as text."""
        return self.repository + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    @property
    def official(self) -> str | None:
        """The name under which Docker Hub publishes it itself (`python`), a mirror's copy included; or None."""
        *path, name = self.repository.split("/")
        return name if not path or path == ["docker.io"] or path[-1] == "library" else None

    @property
    def is_bare(self) -> bool:
        """Whether it is known to be an operating system and an interpreter, run by root, and nothing else."""
        if self.is_distroless:
            return "nonroot" not in self.variant
        if self.is_uv:
            return self.is_alpine or not DISTRIBUTIONS.isdisjoint(self.variant)
        return self.official in BARE and not self.is_windows

    @property
    def variant(self) -> list[str]:
        """The words of the tag: `3.12-slim-trixie` has three."""
        return (self.tag or "latest").split("-")

    @property
    def is_alpine(self) -> bool:
        """Whether it is Alpine Linux, or built on it."""
        return self.official == "alpine" or any(word.startswith("alpine") for word in self.variant)

    @property
    def is_windows(self) -> bool:
        """Whether it is a Windows, which has no root."""
        return not {"nanoserver", "windowsservercore"}.isdisjoint(self.variant)

    @property
    def is_uv(self) -> bool:
        """Return whether it is uv's own image."""
        return self.repository == UV

    @property
    def is_distroless(self) -> bool:
        """Return whether it is one of Google's images without a shell; those for Python start Python."""
        return self.repository.startswith(DISTROLESS)

    @property
    def is_debian(self) -> bool:
        """Whether it is known to be Debian, or Ubuntu, which is made from it."""
        return self.is_bare and not self.is_alpine and (self.official in DEBIAN or self.is_uv)

    @property
    def is_slim(self) -> bool:
        """Whether it is Debian with what Python or Node needs and no more."""
        return self.is_debian and "slim" in self.variant

    def has(self, program: str) -> bool | None:
        """Whether the image brings adduser, curl or wget; None where that is not known."""
        if not self.is_bare:
            return None
        if self.official == "scratch":
            return False
        if self.is_alpine:
            return program != "curl"
        if not self.is_slim and self.official not in {"debian", "ubuntu"}:
            return None
        return self._has_adduser if program == "adduser" else False

    @property
    def _has_adduser(self) -> bool | None:
        """Debian's images have it up to 12 (bookworm): apt needed it there."""
        words = self.variant
        if not {"bookworm", "bullseye", "buster", "12", "11", "10", "oldstable"}.isdisjoint(words):
            return True
        if not {"trixie", "forky", "sid", "13"}.isdisjoint(words):
            return False
        if self.digest:
            return None  # of any age
        if self.official == "debian":
            return None if re.match(r"\d", words[0]) else False
        version = re.fullmatch(r"([0-9]{1,4})(?:\.([0-9]{1,4})(?:\.([0-9]{1,4}))?)?", words[0])
        if self.official != "python" or (not version and words[0] not in {"latest", "slim"}):
            return None
        # The tags without a release of Debian moved to 13 in August 2025; those of older Pythons never did.
        major, minor, patch = (int(part) if part else None for part in version.groups()) if version else (3, None, None)
        if major != 3 or (minor is not None and minor < 9):
            return None
        if patch is None:
            return False
        return False if patch >= FIRST_ON_TRIXIE.get(minor or 0, 0) else None
