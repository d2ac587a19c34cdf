"""What it costs to share a transformer's power among 200 guns on 100 piles behind 10 feeders.

    .venv/bin/python -m bench.sharing [--dry]

Beside the mere division: one whole round of the engine, which asks every session what it draws and could use, divides,
and caps those that have to give way. The aim is 50 ms.
"""

import argparse
from random import Random
from time import perf_counter

import msgspec

from bench import report
from evcs.contracts.config import FeederConfig
from rules.engine import Engine
from rules.fair import Demand, Limit, shares
from rules.messages import Began, Message, PictureComplete
from rules.sharing import share_load
from tests.rules.town import SINCE_MS, Town, after

PILES, FEEDERS = 100, 10
ROUNDS = 20


def division() -> float:
    """Seconds of the mere division, the least of many rounds."""
    chance = Random(1)
    limits = [Limit("t", 9_000)]
    limits += [Limit(f"f{n}", chance.uniform(600, 1_500), "t") for n in range(FEEDERS)]
    limits += [Limit(f"p{n}", chance.uniform(120, 200), f"f{n % FEEDERS}") for n in range(PILES)]
    demands = [Demand(f"g{n}", f"p{n // 2}", chance.uniform(20, 120), 18, 0.94) for n in range(2 * PILES)]
    return _least(lambda: shares(limits, demands))


def whole() -> tuple[float, float]:
    """Seconds of a round of the engine over as many sessions: the first, in which all give way, and a quiet one."""
    town = Town(
        [{"pile": f"p{n}", "guns": [120, 120], "rated_kw": 160} for n in range(PILES)],
        {
            "rated_kva": 40_000.0,
            "is_shared": True,
            "feeders": tuple(FeederConfig(feeder=f"f{n}", limit_kw=2_000.0) for n in range(FEEDERS)),
        },
    )
    for n, (name, limits) in enumerate(town.piles.items()):
        town.piles[name] = msgspec.structs.replace(limits, feeder=f"f{n % FEEDERS}")
    engine = Engine()
    said: list[Message] = [Began(SINCE_MS), *town.picture(after(0)), PictureComplete(), town.answer(0)]
    for pile, gun in town.guns:
        of = f"{pile}-{gun}"
        said.append(town.request(pile, gun, after(1), id=of))
        said.append(town.level(pile, gun, "charging", after(2), of=of))
        said.append(town.reading(pile, gun, after(3), of=of, kw=70.0))
    for message in said:
        engine.step(message, after(3))
    (station,) = engine.stations()
    (transformer,) = station.transformers.values()
    assert sum(gun.session is not None for pile in station.piles.values() for gun in pile.guns.values()) == 2 * PILES

    # Only now, so that all of them are there and have to give way.
    narrow = tuple(msgspec.structs.replace(feeder, limit_kw=800.0) for feeder in town.transformer.feeders)
    town.transformer = msgspec.structs.replace(town.transformer, feeders=narrow)
    engine.step(town.config(), after(4))

    def once() -> None:
        transformer.shared_at = None
        share_load(engine._known, station, transformer, after(20))

    began = perf_counter()
    once()
    first_s = perf_counter() - began
    return first_s, _least(once)


def _least(run: object) -> float:
    assert callable(run)
    found = []
    for _ in range(ROUNDS):
        began = perf_counter()
        run()
        found.append(perf_counter() - began)
    return min(found)


def main() -> None:
    """Measure and write the section of the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dry", action="store_true", help="only print")
    dry = parser.parse_args().dry
    divided, (first_s, round_s) = division(), whole()
    text = "\n".join(
        (
            f"{2 * PILES} sessions on {PILES} piles behind {FEEDERS} feeders; the least of {ROUNDS} rounds.",
            "",
            "| step | ms |",
            "| --- | ---: |",
            f"| the division alone | {divided * 1000:.1f} |",
            f"| a whole round of the engine | {round_s * 1000:.1f} |",
            f"| the one in which all give way, with its levels and commands | {first_s * 1000:.1f} |",
            "",
            "The aim is 50 ms. A round comes every 15 s; it is bound by asking every session what it draws.",
        )
    )
    report.section("sharing", "Load sharing (`python -m bench.sharing`)", text, write=not dry)


if __name__ == "__main__":
    main()
