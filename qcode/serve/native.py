"""xllamacpp in a process of its own: what it is to serve comes as the first line of stdin.

It ends when stdin ends, so that it does not outlive its keeper, whatever happens to that one.
"""

import json
import os
import sys
import threading
from typing import Any

from qcode.serve import fields
from qcode.serve.order import Order


def main() -> int:
    """Serve until stdin ends; returns the exit code where it does not come to that."""
    order = Order(*json.loads(sys.stdin.buffer.readline()))
    ended = threading.Thread(target=_end_with_stdin, daemon=True)
    ended.start()
    try:
        server = _started(order)
    except (RuntimeError, ValueError, OSError) as error:
        sys.stderr.write(f"xllamacpp: {error}\n")
        return 1
    sys.stderr.write(f"xllamacpp: ready at {server.listening_address}\n")
    sys.stderr.flush()
    ended.join()
    return 0


def _started(order: Order) -> Any:
    import xllamacpp  # noqa: PLC0415 - tests of this module need not load it

    params = xllamacpp.CommonParams()
    params.model.path = order.model
    params.model_alias = {order.alias}
    params.port = order.port
    params.api_keys = [order.key]
    params.reuse_port = order.shares_port
    for name in fields.apply(params, order.flags):
        sys.stderr.write(f"xllamacpp: it has nothing for {name}, which is left out\n")
    return xllamacpp.Server(params)


def _end_with_stdin() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)  # the engine's own way out waits for answers that nobody reads any more
