"""What a limit means in the protocol's steps, and how far one has come by what the engine says."""

from decimal import Decimal

import pytest

from evcs.contracts.power import PowerControl
from evcs.contracts.states import CapState, Scope
from webapi.guns.limits import YKC_CONTROL, Bound, effect_of, lowest, pct_of
from webapi.guns.power_follow import judge
from webapi.guns.power_models import GunSessionLive, SettingState

KW = PowerControl(scope=Scope.GUN, unit="kw", least=5, most=120)


@pytest.mark.parametrize(
    ("limit", "gun", "pile", "effective", "is_floor"),
    [
        (None, "120", "120", "120", False),
        ("60", "120", "120", "60", False),
        ("60.5", "120", "120", "60", False),
        ("36", "120", "120", "36", False),
        ("35.9", "120", "120", "36", True),
        ("1", "120", "120", "36", True),
        ("120", "120", "120", "120", False),
        ("150", "120", "120", "120", False),
        ("50", "60", "120", "49.2", False),
        ("10", "60", "240", "60", True),
    ],
)
def test_a_limit_is_rounded_down_to_whole_percent_of_the_pile(
    limit: str | None, gun: str, pile: str, effective: str, is_floor: bool
) -> None:
    given = None if limit is None else Decimal(limit)
    effect = effect_of(given, Decimal(gun), Decimal(pile), YKC_CONTROL)
    assert (effect.effective_kw, effect.is_floor) == (Decimal(effective), is_floor)


def test_a_protocol_in_kw_has_its_own_steps() -> None:
    assert effect_of(Decimal("7.9"), Decimal(60), Decimal(120), KW).effective_kw == 7
    assert effect_of(Decimal("3"), Decimal(60), Decimal(120), KW).effective_kw == 5


def test_the_lowest_binds_and_of_equals_the_first() -> None:
    assert (
        lowest([Bound(Decimal(120), "rated"), Bound(Decimal(60), "hand"), Bound(Decimal(60), "vehicle")]).by == "hand"
    )
    assert pct_of(Decimal(36), Decimal(120)) == Decimal("30.0")


def said(
    state: CapState, heeded: str | None, *, serial: str | None = "1" * 32, bound_by: str = "hand"
) -> GunSessionLive:
    return GunSessionLive(
        pile_number="p",
        gun_no=1,
        version=1,
        serial=serial,
        bound_by=bound_by,
        cap_state=state,
        hand_limit_kw=None if heeded is None else Decimal(heeded),
    )


@pytest.mark.parametrize(
    ("limit", "live", "state"),
    [
        ("60", said(CapState.NONE, None), None),
        ("60", said(CapState.APPLIED, "40"), None),
        ("60", said(CapState.NONE, "60", serial=None), SettingState.STANDING),
        ("60", said(CapState.SENT, "60"), SettingState.SENT),
        ("60", said(CapState.CONFIRMED, "60"), SettingState.CONFIRMED),
        ("60", said(CapState.APPLIED, "60"), SettingState.APPLIED),
        ("60", said(CapState.FAILED, "60"), SettingState.FAILED),
        ("60", said(CapState.NONE, "60"), None),
        ("120", said(CapState.NONE, "120"), SettingState.APPLIED),
        (None, said(CapState.NONE, None), SettingState.APPLIED),
        (None, said(CapState.SENT, None), SettingState.SENT),
        (None, said(CapState.CONFIRMED, None, bound_by="transformer"), SettingState.APPLIED),
        (None, said(CapState.NONE, None, serial=None), SettingState.STANDING),
        (None, said(CapState.APPLIED, "60"), None),
    ],
)
def test_how_far_a_limit_has_come(limit: str | None, live: GunSessionLive, state: SettingState | None) -> None:
    assert judge(None if limit is None else Decimal(limit), Decimal(120), live) is state
