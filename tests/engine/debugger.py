"""A minimal debugger client that stops at a breakpoint: https://microsoft.github.io/debug-adapter-protocol.

It runs in the container, with a path and a line. At each stop, it prints the process id and continues the process.
"""

import json
import socket
import sys
from pathlib import Path
from threading import Thread
from typing import Any

ADDRESS = ("127.0.0.1", 5678)
PATH, LINE = sys.argv[1:]


def debug(process: dict[str, Any]) -> None:
    """Attach to a process and to each of its child processes, each on its own connection."""
    with socket.create_connection(ADDRESS) as connection, connection.makefile("rwb") as stream:
        sent = 0

        def send(command: str, **arguments: Any) -> None:
            nonlocal sent
            sent += 1
            request = {"seq": sent, "type": "request", "command": command, "arguments": arguments}
            body = json.dumps(request).encode()
            stream.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
            stream.flush()

        send("initialize", adapterID="debugpy")
        send("attach", **process)
        while header := stream.readline():
            stream.readline()
            message = json.loads(stream.read(int(header.split(b":")[1])))
            match message.get("event"):
                case "initialized":
                    send("setBreakpoints", source={"path": PATH}, breakpoints=[{"line": int(LINE)}])
                    send("configurationDone")
                case "debugpyAttach":
                    Thread(target=debug, args=[message["body"]]).start()
                case "stopped":
                    sys.stdout.write(f"{process['subProcessId']}\n")
                    sys.stdout.flush()
                    send("continue", threadId=message["body"]["threadId"])


# Read the same file as the editor.
(configuration,) = json.loads(Path("/app/.vscode/launch.json").read_text())["configurations"]
debug(configuration)
