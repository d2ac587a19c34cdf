"""The file that names the meters: good ones are read, wrong ones say what and where."""

from pathlib import Path

import pytest

from bridge.meter.config import MeterConfigError, load_map, load_meters

METER = """
[[meter]]
station = "s1"
transformer = "t1"
host = "10.0.0.5"
map = "eastron-sdm630"
"""
MAP = """
maker = "m"
model = "m"
verified = true
source = "test"
[[registers]]
quantity = "apparent_kva"
address = 7
form = "u16"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "meters.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_meter_has_its_defaults_and_the_shipped_map(tmp_path: Path) -> None:
    (mapped,) = load_meters(written(tmp_path, METER))
    assert (mapped.meter.port, mapped.meter.unit, mapped.meter.period_s) == (502, 1, 5.0)
    assert (mapped.registers.maker, mapped.registers.verified) == ("Eastron", False)


def test_a_map_beside_the_file_is_used(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(MAP, encoding="utf-8")
    (mapped,) = load_meters(written(tmp_path, METER.replace("eastron-sdm630", "own.toml")))
    assert mapped.registers.registers[0].address == 7


def test_every_shipped_map_is_good() -> None:
    for path in (Path(__file__).parents[3] / "bridge" / "meter" / "maps").glob("*.toml"):
        load_map(Path(), path.stem)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "meter"),
        ("meter = []", "no [[meter]]"),
        ("[[meter", "array declaration"),
        (METER + METER, "two meters of transformer t1"),
        (METER.replace('map = "eastron-sdm630"', 'map = "nothing"'), "shipped are: eastron-sdm630"),
        (METER.replace("eastron-sdm630", "../meters"), "no such register map"),
        (METER + "period_s = 16", "period_s"),
        (METER + "unit = 256", "unit"),
        (METER + "speed = 9600", "speed"),
        (METER.replace('"s1"', '"s/1"'), "station"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(MeterConfigError) as told:
        load_meters(written(tmp_path, text))
    assert why in str(told.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MeterConfigError, match="cannot be read"):
        load_meters(tmp_path / "none.toml")
