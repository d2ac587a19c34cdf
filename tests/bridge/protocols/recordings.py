"""The recorded frames with the values they were published with."""

import json
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from bridge.protocols.ykc.messages import CellMax, YkcMessage

FRAMES = Path(__file__).parent.parent / "frames" / "ykc"
VECTORS: list[dict[str, Any]] = [
    json.loads(path.read_text("utf-8"), parse_float=Decimal) for path in sorted(FRAMES.glob("*.json"))
]


def recording(number: str) -> dict[str, Any]:
    """By its number in the collection."""
    return next(vector for vector in VECTORS if vector["id"] == number)


def name_of(vector: dict[str, Any]) -> str:
    return f"{vector['id']}-{vector['frame_type']}"


def stated(message: YkcMessage) -> dict[str, Any]:
    """A message's values as a recording states them. Apart from what the command line uses, on purpose."""
    shown: dict[str, Any] = {}
    for place in message.plan.places:
        value = getattr(message, place.name)
        if isinstance(value, datetime):
            value = value.replace(tzinfo=None).isoformat(timespec="milliseconds")
        elif isinstance(value, CellMax):
            value = asdict(value)
        shown[place.name] = list(value) if isinstance(value, tuple) else value
    return shown
