"""The measures: functions that measure a subject, in the unit that MEASURES names."""

import asyncio
import http.client
import json
import os
import re
import subprocess
import tarfile
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from deploy.saturation import load
from template.bench.engine import DOCKER, SECONDS, Engine, EngineError
from template.bench.subject import APP, Subject
from template.bench.variants import SLIM

CLIENTS, LOAD_SECONDS = 64, 4.0
# Give the service half a processor, so that the clients on the same machine do not limit it.
SHARE = "--cpus=0.5"
# Print how many files of the image the container's user may write, without those that the engine adds.
WRITABLE = """
import os
print(sum(os.access(os.path.join(folder, name), os.W_OK)
          for top in ("/app", "/bin", "/etc", "/lib", "/opt", "/root", "/sbin", "/usr", "/var")
          for folder, _, names in os.walk(top) for name in names if not os.path.islink(os.path.join(folder, name))))
"""


def layers(engine: Engine, image: str) -> list[tuple[str, int]]:
    """Return the digest of each layer and its compressed size in bytes, as in a registry."""
    return _layers(image, engine.run("image", "inspect", "--format={{.Id}}", image))


@cache
def _layers(image: str, identity: str) -> list[tuple[str, int]]:
    """Return the layers, cached by image id, because a name may be moved to another image.

    If the engine stores layers uncompressed, compress them as the builder would.
    """
    sizes: dict[str, int] = {}
    manifests = {}
    save = subprocess.Popen([DOCKER, "save", image], stdout=subprocess.PIPE)
    with save, tarfile.open(fileobj=save.stdout, mode="r|") as archive:
        for info in archive:
            file = archive.extractfile(info)
            if file is None:
                continue
            head = file.read(512)
            if head.startswith(b"{") or head.startswith(b"["):
                manifests[info.name] = json.loads(head + file.read())
            elif head.startswith(b"\x1f\x8b") or len(head) < 512:
                sizes[info.name] = info.size
            else:
                squeeze = zlib.compressobj(6, zlib.DEFLATED, 31)
                size = len(squeeze.compress(head))
                while part := file.read(1 << 20):
                    size += len(squeeze.compress(part))
                sizes[info.name] = size + len(squeeze.flush())
    if save.returncode:
        raise EngineError(f"docker save {image} failed")
    return [(name, sizes[name]) for name in manifests["manifest.json"][0]["Layers"]]


def base(subject: Subject) -> str:
    """Build and return the base image of the last stage, from its `FROM` alone."""
    dockerfile = (subject.folder / "Dockerfile").read_text()
    stages = {name: image for image, name in re.findall(r"^FROM (\S+) AS (\S+)$", dockerfile, re.MULTILINE)}
    head, *_ = re.split(r"^FROM ", dockerfile, maxsplit=1, flags=re.MULTILINE)
    arguments = "".join(re.findall(r"^ARG .*\n", head, re.MULTILINE))
    image = list(stages)[-1]
    while image in stages:
        image = stages[image]
    name = f"base-of-{subject.name}"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Dockerfile").write_text(subject.engine.marked(f"{arguments}FROM {image}\n"))
        subject.engine.build(Path(folder), name)
    return subject.engine.image(name)


def base_layers(subject: Subject) -> int:
    """Return the number of layers that the image inherits from its base."""
    return int(subject.engine.run("image", "inspect", "--format={{len .RootFS.Layers}}", base(subject)))


def added(subject: Subject) -> float:
    """Return the MB that the image adds to its base, compressed."""
    return sum(size for _, size in layers(subject.engine, subject.image)[base_layers(subject) :]) / 1e6


def whole(subject: Subject) -> float:
    """Return the MB of the whole image, compressed."""
    return sum(size for _, size in layers(subject.engine, subject.image)) / 1e6


def unpacked(subject: Subject) -> float:
    """Return the MB of the whole image on disk."""
    sizes = subject.engine.run("history", "--human=false", "--format={{.Size}}", subject.image)
    return sum(map(int, sizes.split())) / 1e6


def layer_count(subject: Subject) -> float:
    """Return the number of layers above the base."""
    return len(layers(subject.engine, subject.image)) - base_layers(subject)


def _second_version(subject: Subject, build: Callable[[str], object], above: bool = False) -> float:
    """Return the MB of the layers that are new in a second version. With `above`, include the layers on top of them."""
    first = layers(subject.engine, subject.image)
    build(f"{subject.name}-2")
    second = layers(subject.engine, subject.engine.image(f"{subject.name}-2"))
    new = [index for index, layer in enumerate(second) if layer not in first]
    return sum(size for index, (_, size) in enumerate(second) if index in new or (above and index > min(new))) / 1e6


def pushed_after_a_line(subject: Subject) -> float:
    """Return the MB to push and pull for a version with one changed line."""
    subject.change_a_line()
    return _second_version(subject, lambda name: subject.build(name=name))


def pushed_after_a_line_built_elsewhere(subject: Subject) -> float:
    """Return the same for a cold build of that version, as on another machine."""
    subject.change_a_line()
    return _second_version(subject, lambda name: subject.build_cold(name))


def unpacked_after_a_line_built_elsewhere(subject: Subject) -> float:
    """Return the MB to unpack for a cold build of that version, as on another machine."""
    subject.change_a_line()
    return _second_version(subject, lambda name: subject.build_cold(name), above=True)


def pushed_after_a_dependency(subject: Subject) -> float:
    """Return the MB to push and pull for a version with one more package."""
    subject.drop_the_dependency()
    subject.build()
    subject.add_a_dependency()
    return _second_version(subject, lambda name: subject.build(name=name))


def cold(subject: Subject) -> float:
    """Return the seconds of a cold build."""
    return subject.build_cold().seconds


def unchanged(subject: Subject) -> float:
    """Return the seconds of a build without a change."""
    return subject.build().seconds


def rebuilt(subject: Subject) -> float:
    """Return the seconds of a build after a changed line of the app."""
    subject.change_a_line()
    return subject.build().seconds


def with_a_dependency(subject: Subject) -> float:
    """Return the seconds of a build after an added package."""
    subject.add_a_dependency()
    return subject.build().seconds


def downloads(subject: Subject) -> float:
    """Return the number of packages that are downloaded after an added package."""
    subject.add_a_dependency()
    return len(re.findall(r"^\s*Downloading ", subject.build().log, re.MULTILINE))


def context(subject: Subject, *options: str) -> float:
    """Return the MB of build context that a new client sends."""
    # A known client sends only what has changed since its last build, of any project.
    with tempfile.TemporaryDirectory() as client:
        return subject.build(*options, client=client).context / 1e6


def context_of_dev(subject: Subject) -> float:
    """Return the MB of build context for the stage `dev` without its checks."""
    return context(subject, f"--target={_dev(subject)}", "--build-arg=CHECK=false")


def _dev(subject: Subject) -> str:
    """Return the marked name of the stage `dev`."""
    stages = re.findall(r"^FROM \S+ AS (\S*dev)$", (subject.folder / "Dockerfile").read_text(), re.MULTILINE)
    return str(stages[0])


def unpinned(subject: Subject) -> float:
    """Return the number of installed packages whose version is not pinned in the requirements file."""
    (file,) = re.findall(r"--no-compile -r (\S+)", (subject.folder / "Dockerfile").read_text())
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", (subject.folder / file).read_text(), re.MULTILINE))
    pip_list = ("pip", "list", "--user", "--format=json")
    packages = json.loads(subject.engine.run("run", "--rm", *_labels(subject), subject.image, *pip_list))
    installed = {package["name"].lower().replace("_", "-"): package["version"] for package in packages}
    return len(installed.items() - pinned.items())


def layers_moved(subject: Subject) -> float:
    """Return the number of layers that change with the base image's tag, although the project has not changed."""
    before = layers(subject.engine, subject.image)
    move_the_tag(subject, 2)
    subject.build(name=f"{subject.name}-2")
    after = layers(subject.engine, subject.engine.image(f"{subject.name}-2"))
    return len([layer for layer in after if layer not in before])


def move_the_tag(subject: Subject, version: int) -> None:
    """Move the tag `moving` to another Python base image: the same with one more file."""
    with tempfile.TemporaryDirectory() as folder:
        text = f"FROM {SLIM}\nCOPY version /\n"
        Path(folder, "Dockerfile").write_text(subject.engine.marked(text))
        Path(folder, "version").write_text(str(version))
        subject.engine.build(Path(folder), "moving")
    # A second tag keeps the image, so that it can be found by its digest after the first tag has moved.
    subject.engine.run("tag", subject.engine.image("moving"), subject.engine.image(f"moved-{version}"))


def places_of_the_version(subject: Subject) -> float:
    """Return the number of lines in the Dockerfile to change for another Python version."""
    dockerfile = (subject.folder / "Dockerfile").read_text()
    return len(re.findall(r"^(?:FROM|ARG) .*\d\.\d+", dockerfile, re.MULTILINE))


def writable(subject: Subject) -> float:
    """Return the number of files in the image that its process may change."""
    run = ("run", "--rm", *_labels(subject), subject.image, "python", "-c", WRITABLE)
    return float(subject.engine.run(*run, seconds=SECONDS))


def floor(subject: Subject) -> float:
    """Return the seconds of `docker run` for an empty interpreter with the same port published."""
    image = base(subject)
    begin = time.perf_counter()
    subject.engine.run("run", "--rm", *_labels(subject), "--publish=127.0.0.1::8000", image, "python", "-c", "pass")
    return time.perf_counter() - begin


def _labels(subject: Subject) -> tuple[str, ...]:
    return (f"--label=bench={subject.engine.mark}",)


def answer(address: tuple[str, int]) -> str | None:
    """Return the body of a successful response of /healthz, or None."""
    connection = http.client.HTTPConnection(*address, timeout=5)
    try:
        connection.request("GET", "/healthz")
        response = connection.getresponse()
        body = response.read().decode()
        return body if response.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def until(expected: Callable[[str], bool], address: tuple[str, int]) -> None:
    """Wait for the expected response. Raises EngineError after 60 s."""
    end = time.monotonic() + 60
    while (body := answer(address)) is None or not expected(body):
        if time.monotonic() > end:
            raise EngineError(f"unexpected response from http://{address[0]}:{address[1]}/healthz: {body!r}")
        time.sleep(0.003)


@contextmanager
def serving(subject: Subject, *options: str, command: Sequence[str] = ()) -> Iterator[tuple[str, tuple[str, int]]]:
    """Run a container inside the context, and return its id and address."""
    run = subject.engine.run
    options = (*_labels(subject), "--publish=127.0.0.1::8000", *subject.run, *options)
    container = run("run", "--detach", *options, subject.image, *command)
    try:
        host, port = run("port", container, "8000").splitlines()[0].rsplit(":", 1)
        yield container, (host, int(port))
    finally:
        run("rm", "--force", "--volumes", container)


def start(subject: Subject) -> float:
    """Return the seconds from `docker run` to the first response."""
    begin = time.perf_counter()
    with serving(subject) as (_, address):
        until(bool, address)
        return time.perf_counter() - begin


def stop(subject: Subject) -> float:
    """Return the seconds of `docker stop` for a container that serves."""
    with serving(subject) as (container, address):
        until(bool, address)
        begin = time.perf_counter()
        subject.engine.run("stop", container)
        return time.perf_counter() - begin


def stop_while_starting(subject: Subject) -> float:
    """Return the seconds of `docker stop` for a container that is starting, while Python imports modules."""
    with serving(subject) as (container, _):
        while "python" not in subject.engine.run("top", container, "-o", "pid,args"):
            time.sleep(0.01)
        begin = time.perf_counter()
        subject.engine.run("stop", container)
        return time.perf_counter() - begin


def memory(subject: Subject) -> float:
    """Return the MB that an idle container uses, without the page cache."""
    with serving(subject) as (container, address):
        until(bool, address)
        time.sleep(2)
        # The files of cgroup version 2 and version 1.
        files = "/sys/fs/cgroup/memory.stat /sys/fs/cgroup/memory/memory.stat"
        stat = subject.engine.run("exec", container, "sh", "-c", f"cat {files} 2>/dev/null || true")
        match = re.search(r"^(?:anon|total_rss) (\d+)$", stat, re.MULTILINE)
        if not match:
            raise EngineError("cannot read the memory of the container")
        return int(match[1]) / 1e6


def _load(subject: Subject) -> tuple[float, float]:
    """Return the requests per second and the p99 latency in milliseconds."""
    with serving(subject, SHARE) as (_, address):
        until(bool, address)
        request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        asyncio.run(load(address, request, CLIENTS, LOAD_SECONDS / 4))
        result = asyncio.run(load(address, request, CLIENTS, LOAD_SECONDS))
    if set(result.statuses) != {200}:
        raise EngineError(f"not all responses under load were 200: {dict(result.statuses)}")
    return result.rate, result.p99 * 1000


def rate(subject: Subject) -> float:
    """Return the requests per second."""
    rate, milliseconds = _load(subject)
    subject.waited.append(milliseconds)
    return rate


def slowest(subject: Subject) -> float:
    """Return the p99 latency in milliseconds, if possible of the run that measured the rate."""
    return subject.waited.pop(0) if subject.waited else _load(subject)[1]


def edited(subject: Subject) -> float:
    """Return the seconds from saving a file to the first response of the new code."""
    file = subject.folder / ("app/health.py" if (subject.folder / "app/routes").exists() else APP)
    original = file.read_text()
    # A new word each time, which cannot be in the file already.
    subject.builds += 1
    word = f"ok{subject.builds}"
    changed = original.replace('"ok"', f'"{word}"')
    if changed == original:
        raise EngineError(f'{file} does not contain "ok"')
    try:
        with _developing(subject) as address:
            until(bool, address)
            # Wait a second after the last change, as a person would.
            time.sleep(1)
            begin = time.perf_counter()
            file.write_text(changed)
            if subject.compose or subject.develop:
                until(lambda body: word in body, address)
            else:
                subject.build()
                with serving(subject) as (_, again):
                    until(lambda body: word in body, again)
            return time.perf_counter() - begin
    finally:
        file.write_text(original)


@contextmanager
def _developing(subject: Subject) -> Iterator[tuple[str, int]]:
    """Run the app with reload inside the context, and return its address."""
    if not subject.compose or subject.develop:
        source = (f"--volume={subject.folder / 'app'}:{subject.mounted}:ro",) if subject.develop else ()
        with serving(subject, *source, command=subject.develop) as (_, address):
            yield address
        return
    port = str(8000 + os.getpid() % 1000 + 1000)
    # Compose reads it from the environment.
    os.environ["PORT"] = port
    compose = ("compose", "--project-directory", str(subject.folder), "--project-name", subject.engine.mark)
    subject.engine.run(*compose, "up", "--build", "--detach", seconds=SECONDS * 5)
    try:
        yield "127.0.0.1", int(port)
    finally:
        subject.engine.run(*compose, "down", "--rmi=local", "--volumes")


@dataclass(frozen=True)
class Measure:
    """A measure, with its title and unit in the tables."""

    title: str
    unit: str
    take: Callable[[Subject], float]
    rounds: int = 1
    """How often to measure. Once is enough for what does not vary."""
    seconds: float = 3
    """The approximate duration, for the progress bar."""
    better: int = -1
    """-1 if less is better, 1 if more is."""


MEASURES = {
    "cold": Measure("cold build", "s", cold, 3, 12),
    "unchanged": Measure("build without a change", "s", unchanged, 7, 0.7),
    "rebuilt": Measure("build after a changed line", "s", rebuilt, 7, 1.2),
    "dependency": Measure("build after an added package", "s", with_a_dependency, 3, 6),
    "downloads": Measure("packages downloaded after adding one", "", downloads, 1, 6),
    "context": Measure("build context sent for the image", "MB", context, 1, 3),
    "context of dev": Measure("build context sent for `dev`", "MB", context_of_dev, 1, 15),
    "added": Measure("size added to the base image, compressed", "MB", added, 1, 4),
    "whole": Measure("image size, compressed", "MB", whole, 1, 4),
    "unpacked": Measure("image size on disk", "MB", unpacked, 1, 1),
    "layers": Measure("layers above the base image", "", layer_count, 1, 4),
    "pushed": Measure("pushed and pulled after a changed line", "MB", pushed_after_a_line, 1, 6),
    "unpacked elsewhere": Measure(
        "unpacked after a changed line, built elsewhere", "MB", unpacked_after_a_line_built_elsewhere, 1, 18
    ),
    "pushed elsewhere": Measure(
        "pushed and pulled after a changed line, built elsewhere", "MB", pushed_after_a_line_built_elsewhere, 1, 18
    ),
    "pushed dependency": Measure("pushed and pulled after an added package", "MB", pushed_after_a_dependency, 1, 12),
    "start": Measure("`docker run` to first response", "s", start, 9, 1.2),
    "floor": Measure("`docker run` of an empty interpreter", "s", floor, 9, 1),
    "stop": Measure("`docker stop`", "s", stop, 3, 4),
    "stop while starting": Measure("`docker stop` during the start", "s", stop_while_starting, 3, 4),
    "memory": Measure("idle memory", "MB", memory, 3, 4),
    "rate": Measure("requests per second, on half a core", "", rate, 3, 7, better=1),
    "slowest": Measure("p99 latency", "ms", slowest, 3, 1),
    "edited": Measure("saving a file to the first new response", "s", edited, 5, 8),
    "unpinned": Measure("packages without a pinned version", "", unpinned, 1, 2),
    "layers moved": Measure("layers changed without a commit", "", layers_moved, 1, 12),
    "places": Measure("lines to change for another Python version", "", places_of_the_version),
    "writable": Measure("files that the process can change", "", writable, 1, 2),
}
