"""The layers of an image and of its base image, read from the archive of `docker save`."""

import json
import os
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple

from deploy.container import DOCKER
from tests.support.container import docker

WHITEOUT, OPAQUE = ".wh.", ".wh..wh..opq"


class Entry(NamedTuple):
    """A file, folder or link in a layer, with its bytes if they are read."""

    info: tarfile.TarInfo
    data: bytes


@dataclass(frozen=True)
class Layer:
    """The changes of one instruction: its entries by absolute path, and the paths that it removes."""

    instruction: str
    entries: dict[str, Entry] = field(repr=False)
    removed: frozenset[str]

    @property
    def size(self) -> int:
        """The uncompressed bytes of its files."""
        return sum(entry.info.size for entry in self.entries.values())


@dataclass(frozen=True)
class Image:
    """An image: the layers of its base and its own, and its configuration without the base's."""

    base: list[Layer]
    added: list[Layer]
    created: str
    user: str
    labels: dict[str, str]
    environment: list[str]
    history: list[str]

    @property
    def entries(self) -> Iterator[tuple[str, Entry]]:
        """Yield all added entries, once for each layer that writes them, even if a later one removes them."""
        for layer in self.added:
            yield from layer.entries.items()


def merged(layers: Iterable[Layer]) -> dict[str, Entry]:
    """Return what a container sees of these layers."""
    tree: dict[str, Entry] = {}
    for layer in layers:
        if layer.removed:
            tree = {path: entry for path, entry in tree.items() if layer.removed.isdisjoint(_with_parents(path))}
        tree |= layer.entries
    return tree


def read(image: str, base: str) -> Image:
    """Return the image, compared with its base image.

    Raises AssertionError if it is not built on that.
    """
    foreign = os.environ.get("DOCKER_DEFAULT_PLATFORM")
    platform = foreign or docker("image", "inspect", "--format={{.Os}}/{{.Architecture}}", image).strip()
    # An image of several platforms may be stored for only one. Engines before 28 do not have this option.
    save = [DOCKER, "save", *([f"--platform={platform}"] if foreign else []), image]
    tag = f"tests-image-base:{os.getpid()}"
    # Build instead of pull, so that the base image is the one of the build, and no tag stays that later builds would
    # use as the newest. The second time, pull the newest base image, as `make fresh` does.
    for newest in ((), ("--pull",)):
        docker("build", *newest, f"--platform={platform}", f"--tag={tag}", "-", text=f"FROM {base}\n", seconds=300)
        try:
            layers = json.loads(docker("image", "inspect", tag))[0]["RootFS"]["Layers"]
            with TemporaryFile() as file:
                subprocess.run([*save, tag], stdout=file, check=True, timeout=300)
                file.seek(0)
                with tarfile.open(fileobj=file) as archive:
                    if found := _above(layers, archive):
                        return found
        finally:
            docker("image", "rm", tag)
    raise AssertionError(f"{image} is not built on the current {base}: set PYTHON_IMAGE to its base image")


def _above(base: list[str], archive: tarfile.TarFile) -> Image | None:
    """Return the image in the archive whose layers begin with these, or None."""
    configurations = {}
    for manifest in _manifests(archive, json.load(_file(archive, "index.json"))["manifests"]):
        configuration = json.load(_blob(archive, manifest["config"]))
        configurations[tuple(configuration.get("rootfs", {}).get("diff_ids", ()))] = configuration, manifest["layers"]
    below = configurations[tuple(base)][0]
    for layers, (configuration, blobs) in configurations.items():
        if len(layers) > len(base) and list(layers[: len(base)]) == base:
            own = configuration["config"]
            steps = [step.get("created_by", "") for step in configuration["history"] if not step.get("empty_layer")]
            read = [
                _layer(step, _blob(archive, blob), whole=index >= len(base))
                for index, (step, blob) in enumerate(zip(steps, blobs, strict=True))
            ]
            return Image(
                base=read[: len(base)],
                added=read[len(base) :],
                created=configuration["created"],
                user=own.get("User", ""),
                labels=own.get("Labels") or {},
                environment=[line for line in own["Env"] if line not in below["config"].get("Env", [])],
                history=[step.get("created_by", "") for step in configuration["history"][len(below["history"]) :]],
            )
    return None


def _manifests(archive: tarfile.TarFile, descriptors: list[Any]) -> Iterator[Any]:
    """Yield the manifest of each stored platform: https://specs.opencontainers.org/image-spec/image-layout."""
    for descriptor in descriptors:
        try:
            content = json.load(_blob(archive, descriptor))
        except KeyError:
            continue
        if "manifests" in content:
            yield from _manifests(archive, content["manifests"])
        else:
            yield content


def _blob(archive: tarfile.TarFile, descriptor: Any) -> IO[bytes]:
    return _file(archive, "blobs/" + descriptor["digest"].replace(":", "/"))


def _file(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    file = archive.extractfile(name)
    assert file
    return file


def _layer(instruction: str, blob: IO[bytes], *, whole: bool) -> Layer:
    """Read a layer. Unless `whole`, read only the bytes of the files in /etc."""
    entries: dict[str, Entry] = {}
    removed = set()
    with tarfile.open(fileobj=blob) as archive:
        for info in archive:
            path = PurePosixPath("/", info.name)
            if path.name == OPAQUE:
                removed.add(str(path.parent))
            elif path.name.startswith(WHITEOUT):
                removed.add(str(path.with_name(path.name.removeprefix(WHITEOUT))))
            else:
                read = info.isfile() and (whole or path.parent == PurePosixPath("/etc"))
                entries[str(path)] = Entry(info, _file_of(archive, info) if read else b"")
    return Layer(" ".join(instruction.split()), entries, frozenset(removed))


def _file_of(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(info)
    return file.read() if file else b""


def _with_parents(path: str) -> Iterator[str]:
    yield path
    yield from map(str, PurePosixPath(path).parents)
