"""A believable battery: ramp, plateau, taper, heat, cold."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from bridge.simulator.battery import HEATING_W, Battery, draw_battery

CAR = Battery(capacity_wh=60_000, soc_pct=20, max_power_w=90_000, nominal_v=403)


def charge(battery: Battery, seconds: int, step_s: int = 1) -> list[tuple[float, Battery]]:
    """Power in W and battery, step by step."""
    curve = []
    for second in range(0, seconds, step_s):
        watts = battery.demand_w(second)
        battery = battery.charged(watts * step_s / 3600, step_s)
        curve.append((watts, battery))
    return curve


def test_power_ramps_holds_and_tapers_until_full() -> None:
    curve = charge(CAR, 3600 * 2, 5)
    powers = [watts for watts, _ in curve]
    assert powers[0] < 20_000
    assert max(powers) == 90_000
    full = next(index for index, (_, battery) in enumerate(curve) if battery.is_full)
    assert powers[full] < 0.2 * 90_000
    assert powers[-1] == 0
    falling = [watts for watts, battery in curve[:full] if battery.soc_pct > 85]
    assert falling == sorted(falling, reverse=True)


def test_state_of_charge_follows_the_energy() -> None:
    curve = charge(CAR, 600)
    energy_wh = sum(watts / 3600 for watts, _ in curve)
    assert abs(curve[-1][1].soc_pct - 20 - 100 * energy_wh / 60_000) < 1e-6


def test_voltage_and_temperature_rise() -> None:
    end = charge(CAR, 1200)[-1][1]
    assert end.voltage_v > CAR.voltage_v
    assert CAR.temp_c < end.temp_c < 45


def test_a_cold_battery_heats_first() -> None:
    cold = Battery(capacity_wh=60_000, soc_pct=20, max_power_w=90_000, nominal_v=403, temp_c=-4, ambient_c=-4)
    heating = next(second for second, (_, battery) in enumerate(charge(cold, 900)) if not battery.is_cold)
    assert 180 <= heating <= 600
    warm = charge(cold, heating + 1)[-1][1]
    assert warm.soc_pct == 20
    powers = [watts for watts, _ in charge(cold, heating)]
    assert set(powers) == {HEATING_W}
    curve = [watts for watts, _ in charge(warm, 120)]
    assert curve[0] < 5_000  # the ramp begins behind the heating
    assert curve[-1] == 90_000
    assert sum(watts < 90_000 for watts in curve) > 60


def test_a_hot_battery_takes_less() -> None:
    hot = Battery(capacity_wh=60_000, soc_pct=20, max_power_w=90_000, nominal_v=403, temp_c=50)
    assert hot.demand_w(60) < CAR.demand_w(60)


@given(st.floats(0.1, 100), st.integers(0, 2**32))
def test_a_drawn_battery_lacks_what_was_asked_for(need_kwh: float, seed: int) -> None:
    battery = draw_battery(need_kwh, Random(seed), cold_share=0.5)
    assert abs(battery.need_wh - need_kwh * 1000) < 0.01
    assert 0 <= battery.demand_w(100) <= battery.max_power_w


@given(st.integers(0, 2**32))
def test_every_cold_battery_heats_for_3_to_10_minutes(seed: int) -> None:
    battery = draw_battery(30, Random(seed), cold_share=1)
    seconds = 0
    while battery.is_cold:
        battery = battery.charged(100, 5)
        seconds += 5
    assert 180 <= seconds <= 605
