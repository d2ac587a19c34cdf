"""Stories of the gate as files: what is given, what is said when, and what has to be published.

`given.json`: the station (`piles` with the ratings of their guns, `transformer`: figures that differ from the
default of 1000 kVA without meter and losses), `watch`: the topics that have to agree in full number and order.
`messages.jsonl`: `at` (seconds) and `say` with its values. `expected.jsonl`: `at`, `topic`, `of` (pile/gun, pile or
transformer) and the fields that matter in `is`. Between the lines a tick passes in each second.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from evcs.contracts.config import FaultCode
from evcs.contracts.gun import Goal
from evcs.contracts.pile import PowerAllowance
from evcs.contracts.states import GoalKind
from evcs.contracts.topics import Address
from rules.engine import Engine
from rules.messages import Began, Clear, Heard, Message, PictureComplete, Publish, Tick
from rules.replay import TICK
from tests.rules.town import SINCE_MS, Town, after, lockout, seconds

CASES = sorted(path for path in (Path(__file__).parent / "cases").iterdir() if path.is_dir())


class Story:
    """Turns the lines of a case into messages, in the order of their times."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.town = Town(given["piles"], given.get("transformer"))
        self.engine = Engine()
        self.of: dict[str, str] = {}
        """Gun → id of its last request."""
        self.power: dict[str, PowerAllowance] = {}
        self.codes: Heard | None = None
        self.levels: dict[str, Heard] = {}
        """What the broker has retained of the engine's own levels."""

    def lines(self, raw: str) -> list[dict[str, Any]]:
        """Lines with `until` and `every` are repeated; all in the order of time."""
        found = []
        for text in raw.splitlines():
            if not text.strip():
                continue
            line = json.loads(text)
            every, until = line.pop("every", None), line.pop("until", None)
            found.append(line)
            while every is not None and line["at"] + every <= until:
                line = {**line, "at": line["at"] + every}
                found.append(line)
        return sorted(found, key=lambda line: line["at"])

    def messages(self, line: dict[str, Any]) -> Iterator[Message]:
        """What is heard at this line."""
        values = dict(line)
        at = after(values.pop("at"))
        say = values.pop("say")
        gun = values.pop("gun", "")
        pile, _, number = gun.partition("/")
        place = (pile, int(number or 0))
        town = self.town
        match say:
            case "request":
                self.of[gun] = values["id"]
                if "goal" in values:
                    values["goal"] = _goal(values["goal"])
                if "dear_from" in values:
                    values["prices"] = tuple(200_000 if n >= values["dear_from"] else 100_000 for n in range(48))
                    del values["dear_from"]
                for name in ("queued_since", "queue_until"):
                    if name in values:
                        values[name] = after(values[name])
                yield town.request(*place, at, **values)
            case "leave_queue":
                yield town.leave_queue(*place, at, of=self.of[gun])
            case "ask":
                yield town.ask(*place, at, **values)
            case "longer_hold":
                yield town.longer_hold(*place, at, of=self.of[gun], **values)
            case "reply":
                yield town.reply(*place, at, **{"of": self.of.get(gun), **values})
            case "starting" | "charging" | "finished":
                of = values.get("of", self.of.get(gun))
                yield town.level(*place, say, at, of=of, fault_bits=values.get("fault_bits", 0))
            case "away":
                yield town.level(*place, "offline", at, of=self.of.get(gun) if values.get("running") else None)
            case "idle" | "plugged" | "faulted" | "offline":
                yield town.level(*place, say, at, fault_bits=values.get("fault_bits", 0))
            case "reading":
                yield town.reading(*place, at, **{"of": self.of.get(gun), **values})
            case "pile":
                yield town.pile(**values)
            case "bridge":
                yield town.bridge(**values)
            case "power_reply":
                sent = self.power[values["pile"]]
                values = {"outcome": "accepted", "allowance_kw": sent.allowance_kw, **values}
                yield town.power_reply(values.pop("pile"), at, id=sent.id, **values)
            case "event":
                yield town.event(*place, at, values.pop("kind"), **{"of": self.of.get(gun), **values})
            case "pile_event":
                yield town.pile_event(values.pop("pile"), at, values.pop("kind"), **values)
            case "codes":
                self.codes = town.codes(*(msgspec.convert(entry, FaultCode) for entry in values["entries"]))
                yield self.codes
            case "meter":
                yield town.meter(at, **values)
            case "lockout":
                yield self._locked(gun, values["on"], values.get("ends"))
            case "degraded":
                yield town.degraded(after(values["ends"]))
            case "hand_limit":
                yield town.hand_limit(*place, **values)
            case "restart":
                yield Began(SINCE_MS + 1)
                yield from self._retained(at)
                yield PictureComplete()
            case "resume":
                of = values.pop("of", self.of.get(gun))
                if "charging_since" in values:
                    values["charging_since"] = after(values["charging_since"])
                yield town.resume(*place, at, of=of, since_ms=SINCE_MS + 1, **values)
            case "answer":
                yield town.answer(values["resumes"], SINCE_MS + 1)
            case "forget_levels":
                self.levels.clear()
            case "nothing":
                pass
            case _:
                raise AssertionError(f"nobody can say {say!r}")

    def _locked(self, gun: str, on: str, ends: float | None) -> Heard:
        town, until = self.town, None if ends is None else after(ends)
        if on in ("lockout", "station_stop"):
            town.station_lockouts[on] = lockout(until=until)
            return town.config()
        pile = town.piles[gun.partition("/")[0]]
        if on == "pile":
            town.piles[pile.pile] = msgspec.structs.replace(pile, lockout=lockout(until=until))
        else:
            guns = tuple(msgspec.structs.replace(one, lockout=lockout(until=until)) for one in pile.guns)
            town.piles[pile.pile] = msgspec.structs.replace(pile, guns=guns)
        return town.config()

    def _retained(self, at: datetime) -> Iterator[Message]:
        yield self.town.bridge()
        if self.codes is not None:
            yield self.codes
        yield self.town.config()
        for pile in self.town.piles:
            yield self.town.pile(pile)
        yield from self.bridge_levels.values()
        yield from self.levels.values()

    bridge_levels: dict[str, Heard]

    def begin(self) -> Iterator[Message]:
        """An engine that is sure of its station."""
        self.bridge_levels = {}
        yield Began(SINCE_MS)
        yield from self.town.picture(after(0))
        yield PictureComplete()
        yield self.town.answer(0)

    def run(self, lines: list[dict[str, Any]]) -> Iterator[tuple[float, Publish]]:
        """Everything that is published, with its time."""
        due = after(0)
        for message in self.begin():
            yield from self._step(message, due)
        for line in lines:
            while due + TICK <= after(line["at"]):
                due += TICK
                yield from self._step(Tick(), due)
            for message in self.messages(line):
                yield from self._step(message, after(line["at"]))

    def _step(self, message: Message, at: datetime) -> Iterator[tuple[float, Publish]]:
        if isinstance(message, Heard) and message.topic.leaf == "gun_state":
            self.bridge_levels[f"{message.address.pile}/{message.address.gun}"] = message
        for action in self.engine.step(message, at):
            if isinstance(action, Clear):
                self.levels.pop(action.name, None)
                continue
            address = action.topic.parse(action.name)
            assert address is not None
            assert action.topic.decode(action.topic.encode(action.payload)) == action.payload
            if action.topic.retained:
                self.levels[action.name] = Heard(action.topic, address, action.payload)
            if isinstance(action.payload, PowerAllowance):
                self.power[address.pile] = action.payload
            yield seconds(at), action


def _goal(values: dict[str, Any]) -> Goal:
    energy = values.get("energy_kwh")
    return Goal(
        kind=GoalKind(values["kind"]),
        duration_s=values.get("duration_s"),
        amount_fen=values.get("amount_fen"),
        energy_kwh=None if energy is None else Decimal(energy),
    )


def _of(address: Address) -> str:
    if address.transformer:
        return address.transformer
    return f"{address.pile}/{address.gun}" if address.gun else address.pile


def _told(at: float, action: Publish) -> dict[str, Any]:
    address = action.topic.parse(action.name)
    assert address is not None
    payload = json.loads(action.topic.encode(action.payload))
    return {"at": at, "topic": action.topic.leaf, "of": _of(address), "is": payload}


def _only(fields: dict[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
    """Of a payload the fields that a case names, nested ones too."""
    return {
        name: _only(value, payload[name]) if isinstance(value, dict) and payload.get(name) else payload.get(name)
        for name, value in fields.items()
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_story(case: Path) -> None:
    given = json.loads((case / "given.json").read_text())
    story = Story(given)
    lines = story.lines((case / "messages.jsonl").read_text())
    expected = [json.loads(line) for line in (case / "expected.jsonl").read_text().splitlines() if line.strip()]
    seen = [_told(at, action) for at, action in story.run(lines) if at > 0]
    seen = [one for one in seen if one["topic"] in given["watch"]]
    shown = [{**one, "is": _only(want["is"], one["is"])} for one, want in zip(seen, expected, strict=False)]
    assert shown == expected[: len(seen)], "\n".join([given["what"], *map(json.dumps, shown)])
    assert len(seen) == len(expected), "\n".join(map(json.dumps, seen))


def test_there_are_cases() -> None:
    assert len(CASES) > 10
