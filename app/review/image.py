"""Image references, `registry/name:tag@digest`, and what is known about the images."""

import re
from dataclasses import dataclass
from typing import Self

# Images that contain no packages of a service and set no USER, so root runs what is built on them.
RED_HAT = frozenset({"almalinux", "amazonlinux", "fedora", "rockylinux"})
DEBIAN = frozenset({"debian", "node", "pypy", "python", "rust", "ubuntu"})
# Official images on Docker Hub. Except those for Python, they contain no Python, or do not serve with it.
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
# Its tags without a distribution contain only the program, and set a working directory.
UV = "ghcr.io/astral-sh/uv"
DISTRIBUTIONS = frozenset({"bookworm", "debian", "trixie"})
DISTROLESS = "gcr.io/distroless/"

# The first releases of Python whose image was built on Debian 13, by minor version.
FIRST_ON_TRIXIE = {9: 24, 10: 19, 11: 14, 12: 12, 13: 7}


@dataclass(frozen=True, slots=True)
class Image:
    """An image reference. `tag` and `digest` are None if they are missing."""

    repository: str
    tag: str | None
    digest: str | None

    @classmethod
    def parse(cls, reference: str) -> Self:
        """Parse a reference."""
        name, _, digest = reference.partition("@")
        head, colon, tag = name.rpartition(":")
        if not colon or "/" in tag:  # no colon, or the colon before a registry's port
            head, tag = name, ""
        return cls(head, tag or None, digest or None)

    def __str__(self) -> str:
        """Return the reference as text."""
        return self.repository + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    @property
    def official(self) -> str | None:
        """The name of the official image on Docker Hub, such as `python`, also for a copy in a mirror, or None."""
        *path, name = self.repository.split("/")
        return name if not path or path == ["docker.io"] or path[-1] == "library" else None

    @property
    def is_bare(self) -> bool:
        """Whether it is known to contain only an operating system and an interpreter, and to run as root."""
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
        """Whether it is Windows, which has no root."""
        return not {"nanoserver", "windowsservercore"}.isdisjoint(self.variant)

    @property
    def is_uv(self) -> bool:
        """Whether it is uv's own image."""
        return self.repository == UV

    @property
    def is_distroless(self) -> bool:
        """Whether it is one of Google's images without a shell. Those for Python start Python."""
        return self.repository.startswith(DISTROLESS)

    @property
    def is_debian(self) -> bool:
        """Whether it is known to be Debian, or Ubuntu, which is based on Debian."""
        return self.is_bare and not self.is_alpine and (self.official in DEBIAN or self.is_uv)

    @property
    def is_slim(self) -> bool:
        """Whether it is Debian with only what Python or Node needs."""
        return self.is_debian and "slim" in self.variant

    def has(self, program: str) -> bool | None:
        """Return whether the image contains the program (adduser, curl or wget), or None if that is unknown."""
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
        """Whether it contains adduser. Debian images do until version 12 (bookworm), where apt needs it."""
        words = self.variant
        if not {"bookworm", "bullseye", "buster", "12", "11", "10", "oldstable"}.isdisjoint(words):
            return True
        if not {"trixie", "forky", "sid", "13"}.isdisjoint(words):
            return False
        if self.digest:
            return None  # it may be of any age
        if self.official == "debian":
            return None if re.match(r"\d", words[0]) else False
        version = re.fullmatch(r"([0-9]{1,4})(?:\.([0-9]{1,4})(?:\.([0-9]{1,4}))?)?", words[0])
        if self.official != "python" or (not version and words[0] not in {"latest", "slim"}):
            return None
        # The tags without a Debian release moved to 13 in August 2025, but not those of older Python versions.
        major, minor, patch = (int(part) if part else None for part in version.groups()) if version else (3, None, None)
        if major != 3 or (minor is not None and minor < 9):
            return None
        if patch is None:
            return False
        return False if patch >= FIRST_ON_TRIXIE.get(minor or 0, 0) else None
