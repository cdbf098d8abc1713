"""A sitecustomize module that pauses Python when it imports the module that the variable HOLD names."""

import os
import sys
import time
from importlib.abc import MetaPathFinder


class Hold(MetaPathFinder):
    """Finds no module, and pauses at the named one."""

    def find_spec(self, name: str, *_: object) -> None:
        """Print that the import is paused, and pause it."""
        if name == os.environ["HOLD"]:
            sys.stdout.write("held\n")
            time.sleep(60)


sys.meta_path.insert(0, Hold())
