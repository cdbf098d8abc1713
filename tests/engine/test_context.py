"""The ignore files: what they keep out of the build context and out of git."""

import re
import shutil
from pathlib import Path

import pytest

from tests.support.container import docker
from tests.support.git import ignored
from tests.support.project import never_published

# Names that must never be published, by kind. The list does not come from the patterns.
LITTER = {
    "settings": ".env .env.local .env.production .env-prod .envrc prod.env prod.env.local",
    "private keys": """
        id_rsa id_rsa.pub id_dsa id_ecdsa_sk id_ed25519 server.key key.pem private.pem server-key.pem
        localhost+2-key.pem privkey1.pem jwt_private_key.pem AuthKey_1.p8 client.p12 client.pfx trust.jks
        passwords.kdbx
    """,
    "credentials": """
        secrets.toml secrets.json secrets.yaml secrets.yml credentials.json client_secret_1.json
        service-account.json my_service_account_prod.json serviceAccountKey.json
    """,
    "state": "terraform.tfstate terraform.tfstate.backup prod.tfvars prod.tfvars.json",
    "dumps": "app.dump crash.dmp dump.rdb dump.sql backup.sql orders.sql.gz orders.sql.zip orders.sql.bz2 core.1234",
    "backups and logs": "main.py.bak main.py.old main.py.orig main.py~ main.py.tmp app.log",
    "editors and operating systems": ".main.py.swp .main.py.swo .idea/workspace.xml .DS_Store",
    "Python": """
        __pycache__/main.cpython-312.pyc main.pyc main.pyo app.egg-info/PKG-INFO .venv/pyvenv.cfg .venv-3.13/bin/pip
        venv/pyvenv.cfg venv/bin/activate venv/lib/python3.12/site-packages/a.py env/bin/pip env/pyvenv.cfg
    """,
    "tools": ".mypy_cache/a .pytest_cache/a .ruff_cache/a .hypothesis/a .coverage htmlcov/a.html node_modules/a.js",
}
FOLDERS = ("", ".github/", "app/", "app/sub/", "deploy/", "docs/", "scripts/sub/", "tests/", "tests/unit/sub/")
NEVER = {folder + name for folder in FOLDERS for names in LITTER.values() for name in names.split()}

# Files that a service may need, although their names are similar to those above.
NEEDED = """
    __init__.py main.py py.typed _native.so env.py env/__init__.py env/lib.py environment.json venv.py core/__init__.py
    core.py keys.py key.py keystore.py secrets.py secrets/__init__.py credentials/__init__.py tokens.json backup.py
    dump.py id_generator.py service_account.py logs.py log/__init__.py old/__init__.py tmp/__init__.py lib/a.py
    build/a.py dist/index.js static/app.css templates/page.html templates/page.jinja templates/query.sql.j2
    migrations/0001_init.sql migrations/0002_add_backup.sql migrations/0003_drop_dump.sql queries/backup_user.sql
    alembic/env.py certs/ca.pem certs/ca-bundle.crt certs/keycloak-ca.pem keys/public.pem
    keys/jwt_public_key.pem data/model.onnx data/words.sqlite data/prices.db data/a.tar.gz
"""
APP = {f"app/{name}" for name in NEEDED.split()}
WANTED = APP | {
    ".dockerignore",
    ".github/workflows/ci.yml",
    "Dockerfile",
    "deploy/kubernetes/base/settings.env",
    "requirements.in",
    "requirements.txt",
    "requirements-dev.in",
    "requirements-dev.txt",
    "scripts/venv",
    "tests/unit/test_main.py",
}
# These are not named in .dockerignore, although git may track them.
ELSEWHERE = {".env.example", ".vscode/launch.json", "app/.env.example", "unnamed/a.json"}


@pytest.fixture(scope="module")
def folder(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with all these files and the project's .dockerignore."""
    folder = tmp_path_factory.mktemp("folder")
    for name in {*WANTED, *NEVER, *ELSEWHERE, ".git/config"}:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    shutil.copy(project / ".dockerignore", folder)
    return folder


def copied(project: Path, stage: str) -> str:
    """Return the COPY instruction with which a stage copies the source, which is its last one."""
    text = (project / "Dockerfile").read_text().partition(f" AS {stage}\n")[2].partition("\nFROM ")[0]
    *_, line = re.findall(r"^COPY (?!.*--from).*$", text, re.MULTILINE)
    return str(line)


@pytest.mark.parametrize(("stage", "wanted"), [("dev", WANTED), ("production", APP)])
def test_context_contains_what_stages_need_and_no_litter(
    project: Path, folder: Path, tmp_path: Path, stage: str, wanted: set[str]
) -> None:
    context = tmp_path / "context"
    command = ("buildx", "build", "--file=-", f"--output=type=local,dest={context}", str(folder))
    docker(*command, text=f"FROM scratch\n{copied(project, stage)}\n")
    assert {str(path.relative_to(context)) for path in context.rglob("*") if path.is_file()} == wanted


def test_git_ignores_the_same_litter(project: Path, tmp_path: Path) -> None:
    rules = (project / ".gitignore").read_text()
    assert ignored(tmp_path, rules, WANTED | NEVER | ELSEWHERE) == NEVER


def test_both_ignore_files_have_the_same_block(project: Path) -> None:
    docker, git = (never_published((project / name).read_text()) for name in (".dockerignore", ".gitignore"))
    assert docker == git


def test_exceptions_do_not_open_excluded_folders(project: Path) -> None:
    lines = (project / ".dockerignore").read_text().splitlines()
    assert [line for line in lines if re.match(r"!.*[*?[]", line)] == []
