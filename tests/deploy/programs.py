"""Stand-ins for programs, which record their calls and run a script of the test."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.deploy.conftest import INSPECTED, PROJECT

KUBECTL = shutil.which("kubectl")


@dataclass(frozen=True)
class Programs:
    """Programs in a folder that comes first in PATH."""

    folder: Path

    def add(self, name: str, script: str) -> None:
        """Add a program that runs this shell script and exits with 0 by default."""
        program = self.folder / name
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "{name} $*" >>"{self.folder}/calls"\n{script}\n')
        program.chmod(0o755)

    def add_kubectl(self, script: str) -> None:
        """Add kubectl, which renders manifests and runs this script for other commands."""
        self.add("kubectl", f'[ "$1" != kustomize ] || exec {KUBECTL} "$@"\n{script}')

    def add_docker(self, script: str = "") -> None:
        """Add docker, which knows the digest of every image."""
        self.add("docker", f"case $* in *imagetools*) printf '{INSPECTED}' ;; esac\n{script}")

    def run(self, script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run make or a script of the project with these programs. Its standard error goes to its output."""
        return subprocess.run(
            ["make" if script == "make" else PROJECT / "scripts" / script, *arguments],
            cwd=PROJECT,
            env={"PATH": f"{self.folder}:{os.environ['PATH']}", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        """The calls in order. Files in temporary folders are shortened to their names."""
        text = (self.folder / "calls").read_text()
        return re.sub(r"/\S+/(kubernetes|manifests\.yaml)\b", r"\1", text).splitlines()
