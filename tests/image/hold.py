"""Holds Python at the import of the module that the variable HOLD names: as sitecustomize, every start imports it."""

import os
import sys
import time
from importlib.abc import MetaPathFinder


class Hold(MetaPathFinder):
    """Finds nothing, and the named module never."""

    def find_spec(self, name: str, *_: object) -> None:
        """Say that the import is held, and hold it."""
        if name == os.environ["HOLD"]:
            sys.stdout.write("held\n")
            time.sleep(60)


sys.meta_path.insert(0, Hold())
