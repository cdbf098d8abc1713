"""Stand-ins for programs, which take note of how they are called and do what a test says."""

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
        """A program of this name. The shell's script ends it with 0 unless it says otherwise."""
        program = self.folder / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >>"{self.folder}/calls"\n{script}\n')
        program.chmod(0o755)

    def add_kubectl(self, script: str) -> None:
        """kubectl, which renders by itself."""
        self.add("kubectl", f'[ "$1" != kustomize ] || exec {KUBECTL} "$@"\n{script}')

    def add_docker(self, script: str = "") -> None:
        """docker, which knows the digest of every image."""
        self.add("docker", f"case $* in *imagetools*) printf '{INSPECTED}' ;; esac\n{script}")

    def run(self, script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """make, or a script of the project, with these programs, and all that it writes."""
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
        """How they were called, one after the other; what lies in a temporary folder by its name alone."""
        text = (self.folder / "calls").read_text()
        return re.sub(r"/\S+/(kubernetes|manifests\.yaml)\b", r"\1", text).splitlines()
