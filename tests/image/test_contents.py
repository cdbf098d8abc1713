"""The content of the image: what it adds to the Python base image."""

import csv
import json
import os
import re
import subprocess
from email.parser import BytesHeaderParser
from pathlib import Path, PurePosixPath

import pytest
from packaging.utils import canonicalize_name

from tests.image.layers import Entry, Image, merged, read
from tests.service import BUDGETS, FOLDERS, PLACES
from tests.support.container import Container
from tests.support.git import ignored
from tests.support.leaks import has_key, is_litter
from tests.support.project import never_published
from tests.support.requirements import pins
from tests.support.start import Start

# Where the image may add files: the accounts, with their backup copies, the packages, the app, and what else it needs.
ALLOWED = re.compile(rf"/etc/(passwd|group|shadow|gshadow|subuid|subgid)-?|/opt|(/opt/python|/app)(/.*)?|{PLACES}")
# The engine mounts these during RUN.
MOUNT_POINTS = {"/dev", "/proc", "/sys"}
OF_THE_PROJECT = re.compile(r"\..*|.*~|__pycache__|tests?|Makefile|Dockerfile|compose\.ya?ml|requirements.*\.(txt|in)")
TOOLS = re.compile(
    r"(.+-)?(c\+\+|g\+\+|clang\+\+|cc|gcc|clang|cpp|tcc|as|ld|go|rustc|cargo)(-[\d.]+)?"
    r"|g?make|cmake|ninja|git|pytest|py\.test|coverage|hypothesis|ruff|mypy|uv"
)
# A value after a name such as TOKEN, or a URL with a password.
SECRET = re.compile(
    r"\w*(secret|token|passw(or)?d|credential|api_?key|private_?key)\w*=[^\s\"'$]|://[^/\s:@]+:[^/\s@]+@", re.IGNORECASE
)
LABEL = "org.opencontainers.image."

WRITABLE = """
import os
for place in "/app", "/opt/python":
    assert os.listdir(place)
    for folder, _, files in os.walk(place):
        for path in folder, *(os.path.join(folder, name) for name in files):
            if os.access(path, os.W_OK):
                print(path)
"""
NAMES_IN_BYTECODE = """
import marshal, pathlib, types
def names(code):
    yield code.co_filename
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from names(constant)
codes = [marshal.loads(path.read_bytes()[16:]) for path in pathlib.Path("/opt/python").rglob("*.pyc")]
print(*{name for code in codes for name in names(code)}, sep="\\n")
"""


@pytest.fixture(scope="session")
def contents(image: str, project: Path) -> Image:
    """Read the layers of the image."""
    base = subprocess.run([project / "scripts/pin", "--show"], capture_output=True, text=True, check=True)
    return read(image, base.stdout.strip())


@pytest.fixture(scope="session")
def added(contents: Image) -> list[tuple[str, Entry]]:
    """Return what the layers add or change, without unchanged folders of the base."""
    folders = {
        (path, entry.info.mode, entry.info.uid) for path, entry in merged(contents.base).items() if entry.info.isdir()
    }
    return [
        (path, entry)
        for path, entry in contents.entries
        if path not in MOUNT_POINTS and (path, entry.info.mode, entry.info.uid) not in folders
    ]


def is_setuid(entry: Entry) -> bool:
    """Return True if the entry is a setuid or setgid program."""
    return entry.info.isfile() and entry.info.mode & 0o6000 != 0


def test_image_adds_only_the_packages_the_app_and_a_user(added: list[tuple[str, Entry]]) -> None:
    assert [path for path, _ in added if not ALLOWED.fullmatch(path)] == []


def test_image_contains_no_project_files_but_its_folders(added: list[tuple[str, Entry]]) -> None:
    inside = [PurePosixPath(path).relative_to("/app").parts for path, _ in added if path.startswith("/app/")]
    assert {parts[0] for parts in inside} == FOLDERS
    assert [parts for parts in inside if any(map(OF_THE_PROJECT.fullmatch, parts))] == []


def test_packages_are_the_locked_ones(added: list[tuple[str, Entry]], project: Path) -> None:
    installed: set[tuple[str, str]] = set()
    for path, entry in added:
        if re.search(r"/(site|dist)-packages/[^/]+(dist-info/METADATA|egg-info/PKG-INFO)$", path):
            headers = BytesHeaderParser().parsebytes(entry.data)
            installed.add((canonicalize_name(headers["Name"]), headers["Version"]))
    # pip writes this file for packages that do not come from an index.
    origins = {
        (str(canonicalize_name(PurePosixPath(path).parent.name.split("-")[0])), str(json.loads(entry.data)["url"]))
        for path, entry in added
        if path.endswith(".dist-info/direct_url.json")
    }
    names = {name for name, _ in origins}
    installed = {(name, version) for name, version in installed if name not in names} | origins
    text = (project / "requirements.txt").read_text()
    # A package with a marker after a semicolon may not be needed here.
    everywhere = pins(re.sub(r"^.*;.*$", "", text, flags=re.MULTILINE))
    assert installed <= pins(text).items()
    assert everywhere.items() <= installed


def test_packages_are_their_recorded_files_and_their_bytecode(contents: Image, added: list[tuple[str, Entry]]) -> None:
    there = merged([*contents.base, *contents.added])
    explained = set()
    for path, entry in added:
        if path.endswith(".dist-info/RECORD"):
            site_packages = Path(path).parents[1]
            rows = csv.reader(entry.data.decode().splitlines())
            explained |= {os.path.normpath(site_packages / row[0]) for row in rows}
        elif path.startswith("/opt/python/pycache/"):
            cached = Path(path.removeprefix("/opt/python/pycache"))
            if str(cached.with_name(cached.name.split(".")[0] + ".py")) in there:
                explained.add(path)
    files = {path for path, entry in added if path.startswith("/opt/python/") and not entry.info.isdir()}
    assert files - explained == set()


def test_system_and_packages_are_layers_that_do_not_change(contents: Image) -> None:
    # A file with the time of the build would change the layer, and each layer above it would be unpacked again.
    newest = max(entry.info.mtime for layer in contents.base for entry in layer.entries.values())
    system, packages, *others = contents.added
    assert {"/etc/passwd", "/opt/python/pycache"} <= system.entries.keys()
    assert any(path.startswith("/opt/python/lib/") for path in packages.entries)
    for layer in (system, packages):
        assert [
            path for path, entry in layer.entries.items() if entry.info.mtime > newest and path not in MOUNT_POINTS
        ] == []
    assert not [path for layer in others for path in layer.entries if path.startswith(("/etc/", "/opt/"))]


def test_image_contains_no_compiler_and_no_development_tool(contents: Image) -> None:
    there = map(PurePosixPath, merged([*contents.base, *contents.added]))
    programs = [path for path in there if path.parent.name in {"bin", "sbin"}]
    assert any(path.name == "uvicorn" for path in programs)
    assert [path for path in programs if TOOLS.fullmatch(path.name)] == []


def test_only_setuid_and_setgid_programs_are_deleted(contents: Image) -> None:
    base = merged(contents.base)
    tree = merged([*contents.base, *contents.added])
    assert [path for path, entry in tree.items() if is_setuid(entry)] == []
    removed = set[str]().union(*(layer.removed for layer in contents.added))
    assert [path for path in removed if path not in base or not is_setuid(base[path])] == []


def test_added_files_belong_to_root_and_only_root_may_write(added: list[tuple[str, Entry]]) -> None:
    assert [path for path, entry in added if entry.info.uid != 0] == []
    assert [path for path, entry in added if entry.info.mode & 0o022 and not entry.info.issym()] == []


@pytest.mark.parametrize(
    "options", [pytest.param((), id="its own user"), pytest.param(("--user=123456:0",), id="another")]
)
def test_no_user_can_change_the_app_or_its_packages(start: Start, options: tuple[str, ...]) -> None:
    # Not locked down: in a read-only container, nobody could write anyway.
    assert start(options=options, locked_down=False).python(WRITABLE) == ""


@pytest.mark.parametrize("path", ["/etc/passwd", "/etc/group", "/etc/shadow"])
def test_user_is_the_only_new_account(contents: Image, path: str) -> None:
    before, after = (merged(layers)[path].data.decode() for layers in (contents.base, contents.base + contents.added))
    assert after.startswith(before)
    assert after.removeprefix(before).count("\n") == 1


def test_user_has_no_password_and_no_date(contents: Image) -> None:
    tree = merged(contents.added)
    user, shadow = (tree[path].data.decode().splitlines()[-1].split(":") for path in ("/etc/passwd", "/etc/shadow"))
    assert user[2] == contents.user
    assert shadow[:3] == [user[0], "!", ""]


def test_metadata_contains_no_secret_and_no_path_of_this_machine(contents: Image, project: Path) -> None:
    labels = [f"{name}={value}" for name, value in contents.labels.items()]
    lines = [*contents.history, *contents.environment, *labels]
    assert len(lines) > len(labels)
    assert [line for line in lines if SECRET.search(line) or has_key(line.encode())] == []
    assert [line for line in lines if str(project) in line or str(Path.home()) in line] == []


def test_files_contain_no_key_and_no_path_of_this_machine(added: list[tuple[str, Entry]], project: Path) -> None:
    # Do not search for the home folder: some packages contain the path where they were built.
    machine = re.escape(str(project).encode())
    assert [path for path, entry in added if has_key(entry.data) or re.search(machine, entry.data)] == []


def test_no_app_file_has_an_ignored_name(added: list[tuple[str, Entry]], project: Path, tmp_path: Path) -> None:
    files = [path.removeprefix("/app/") for path, _ in added if path.startswith("/app/")]
    rules = never_published((project / ".dockerignore").read_text())
    # Docker distinguishes Prod.ENV from prod.env. This test ignores case.
    assert ignored(tmp_path, rules, files, "-c", "core.ignoreCase=true") == set()


def test_no_app_file_contains_secret_settings_or_a_dump(added: list[tuple[str, Entry]]) -> None:
    assert [path for path, entry in added if path.startswith("/app/") and is_litter(entry.data)] == []


def test_bytecode_names_only_files_of_the_image(service: Container) -> None:
    names = service.python(NAMES_IN_BYTECODE).split()
    assert len(names) > 100
    assert [name for name in names if not name.startswith(("/opt/python/", "/usr/", "/app/", "app/"))] == []


def test_labels_name_the_image_and_its_source(contents: Image, project: Path) -> None:
    labels = {name.removeprefix(LABEL): value for name, value in contents.labels.items() if name.startswith(LABEL)}
    # Some are missing outside git, or if the remote has no public URL.
    written = subprocess.run(
        [str(project / "scripts/labels"), "title", "version"], capture_output=True, text=True, check=True
    )
    assert labels.keys() >= {"licenses", *re.findall(rf"--label {LABEL}(\w+)=", written.stdout)}
    assert all(labels.values())
    assert re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", labels.get("revision", "0" * 40))
    assert re.fullmatch(r"https://[^@\s]+", labels.get("source", "https://example.com"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", labels.get("created", "2001-09-09T01:46:40Z"))


def test_added_bytes_are_within_the_budget(contents: Image, show: list[str]) -> None:
    sizes = {
        place: sum(entry.info.size for path, entry in contents.entries if path.startswith(place)) for place in BUDGETS
    }
    show += [f"{layer.size:11,} bytes: {layer.instruction[:80]}" for layer in contents.added]
    show += [f"{size:11,} bytes under {place}, at most {BUDGETS[place]:,}" for place, size in sizes.items()]
    assert {place: size for place, size in sizes.items() if size > BUDGETS[place]} == {}
