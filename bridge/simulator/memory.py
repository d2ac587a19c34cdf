"""What a simulated pile keeps when its power goes: registers, tariff, unconfirmed records; and the file it lies in."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bridge.protocols.ykc.codes import POWER_LOST
from bridge.protocols.ykc.messages import TariffModel
from bridge.simulator.bill import record_from, record_of

if TYPE_CHECKING:
    from bridge.simulator.core import Core


class PileMemory(msgspec.Struct, frozen=True, kw_only=True):
    """Bodies are hex of the frames' own tables, so that what is kept is what will be sent."""

    registers: dict[int, int]
    """Per gun, 0.0001 kWh."""
    model: str | None
    records: tuple[str, ...]
    running: tuple[str, ...]
    """Each running session as the record that it becomes if power is lost now (stop reason 0x83)."""
    max_power_pct: int = 100
    disabled: bool = False
    cards: dict[str, str] = {}
    """Offline cards: physical → printed number."""
    software_version: str = ""
    qr_prefix: str = ""


def remember(core: "Core", pile_ms: int) -> PileMemory:
    """The pile's memory at a time of its own clock."""
    return PileMemory(
        registers={number: gun.register for number, gun in core.guns.items()},
        model=core.model.encode().hex() if core.model is not None else None,
        records=tuple(entry.record.encode().hex() for entry in core.records),
        running=tuple(
            record_of(gun, pile_ms, POWER_LOST).encode().hex() for gun in core.guns.values() if gun.session is not None
        ),
        max_power_pct=core.max_power_pct,
        disabled=core.disabled,
        cards=dict(core.cards.all()),
        software_version=core.software_version,
        qr_prefix=core.qr_prefix,
    )


def recall(core: "Core", memory: PileMemory) -> None:
    """Put a fresh pile back to what it remembers; sessions that were running have become records."""
    for number, register in memory.registers.items():
        if number in core.guns:
            core.guns[number].register = register
    core.model = TariffModel.decode(bytes.fromhex(memory.model)) if memory.model is not None else None
    core.max_power_pct, core.disabled = memory.max_power_pct, memory.disabled
    core.cards.restore(memory.cards)
    core.software_version = memory.software_version or core.software_version
    core.qr_prefix = memory.qr_prefix
    for body in (*memory.records, *memory.running):
        record = record_from(bytes.fromhex(body))
        core.records.add(record, None)
        core.execute(record.trade_no)


class MemoryFile:
    """One JSON file per pile in a folder; replaced as a whole, so that a kill leaves the old or the new one."""

    def __init__(self, folder: Path, pile_no: str) -> None:
        self._path = folder / f"{pile_no}.json"
        self._last = b""

    def load(self) -> PileMemory | None:
        """What was kept; None when there is nothing."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=PileMemory)
        except FileNotFoundError:
            return None

    def save(self, memory: PileMemory) -> None:
        """Keep it, if it changed."""
        data = msgspec.json.encode(memory)
        if data == self._last:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(data)
        os.replace(fresh, self._path)
        self._last = data
