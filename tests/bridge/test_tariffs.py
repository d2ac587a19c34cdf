"""Which tariff a pile is told it has, what it is given, and when it counts as confirmed; and its clock."""

from datetime import timedelta

import pytest

from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.codes import TariffCheck
from evcs.contracts.config import TariffRef, TariffTable
from evcs.contracts.pile import Outcome, PileCommand, PileCommandKind, PileEventKind
from evcs.contracts.reasons import Reason
from evcs.contracts.states import TariffBand
from evcs.contracts.topics import GUN_REPLY, PILE_EVENT, PILE_REPLY, PILE_STATUS, RECORD
from tests.bridge.kit import PILE, V1, V2, Desk, Wire, charging, login, pile_config, record, table


def check(desk: Desk, model_no: str) -> ykc.TariffCheckAnswer:
    desk.wire.say(ykc.TariffCheckRequest(pile_no=PILE, model_no=model_no))
    answer = desk.wire.told(ykc.TariffCheckAnswer)[-1]
    assert answer.model_no == model_no.lower()
    return answer


@pytest.mark.parametrize(
    ("wanted", "confirmed", "delivered", "says", "same", "version"),
    [
        (V1, None, (), "0000", False, None),
        (V1, None, (), "0001", False, None),  # the right number, but not from us
        (V1, None, (V1,), "0001", True, "hz-1"),
        (V1, V1, (), "0001", True, "hz-1"),
        (V2, V1, (V1,), "0001", False, "hz-1"),  # it still holds what it confirmed, until it has the new one
        (V2, V1, (V1, V2), "0002", True, "hz-2"),
        (V1, V1, (V1,), "0000", False, None),  # it has forgotten: no start until it confirms again
        (None, V1, (V1,), "0001", False, "hz-1"),
        (
            TariffRef(version="hz-9", model_no="F00A"),
            None,
            (TariffRef(version="hz-9", model_no="F00A"),),
            "f00a",
            True,
            "hz-9",
        ),
    ],
)
def test_same_only_for_the_wanted_number_that_we_delivered(
    wanted: TariffRef | None,
    confirmed: TariffRef | None,
    delivered: tuple[TariffRef, ...],
    says: str,
    same: bool,
    version: str | None,
) -> None:
    desk = Desk(pile_config(wanted=wanted, confirmed=confirmed, delivered=delivered))
    desk.wire.say(login())
    assert check(desk, says).result == (TariffCheck.SAME if same else TariffCheck.DIFFERENT)
    assert desk.last(PILE_STATUS).tariff_version == version
    events = [event for event in desk.of(PILE_EVENT) if event.kind is PileEventKind.TARIFF_CONFIRMED]
    assert len(events) == same


def test_the_table_goes_out_on_demand_and_is_thereby_confirmed() -> None:
    slots = (TariffBand.VALLEY,) * 14 + (TariffBand.SHARP,) * 20 + (TariffBand.PEAK, TariffBand.FLAT) * 7
    desk = Desk(tariff=table(slots=slots))
    desk.log_in()
    [model] = desk.wire.told(ykc.TariffModel)
    assert (model.model_no, model.loss_ratio) == ("0001", 0)
    assert model.slots == (3,) * 14 + (0,) * 20 + (1, 2) * 7
    assert (str(model.sharp_energy_price), str(model.valley_service_price)) == ("1.00000", "0.40000")
    assert desk.last(PILE_STATUS).tariff_version == "hz-1"
    event = desk.last(PILE_EVENT)
    assert (event.kind, event.tariff_version) == (PileEventKind.TARIFF_CONFIRMED, "hz-1")
    assert check(desk, "0001").result == TariffCheck.SAME


def test_without_a_table_a_question_stays_open_until_it_comes() -> None:
    desk = Desk(pile_config(wanted=V2))
    desk.log_in()
    assert not desk.wire.told(ykc.TariffModel)
    desk.fleet.tariff(table(V2), desk.now)
    desk.wire.say(ykc.TariffRequest(pile_no=PILE))
    assert desk.wire.told(ykc.TariffModel)[0].model_no == "0002"


def test_a_tariff_that_the_protocol_cannot_express_is_neither_sent_nor_confirmed() -> None:
    desk = Desk(tariff=table(slots=(TariffBand.DEEP_VALLEY,) * 48))
    desk.log_in()
    assert not desk.wire.told(ykc.TariffModel)
    assert desk.last(PILE_STATUS).tariff_version is None
    assert desk.tally.dropped["not_told"] == 1
    assert desk.notes[-1].is_warning


def test_a_car_goes_on_by_the_tariff_it_began_with() -> None:
    desk = Desk().ready()
    desk.wire.say(charging())
    desk.fleet.tariff(table(V2), desk.now)
    desk.fleet.configured(pile_config(version=2, wanted=V2, confirmed=V1), desk.now)
    desk.wire.say(login())
    assert check(desk, "0001").result == TariffCheck.SAME
    assert desk.last(PILE_STATUS).tariff_version == "hz-1"


def test_the_clock_is_set_at_login_and_daily() -> None:
    desk = Desk().ready()
    desk.keep_alive(86_350)
    assert not desk.wire.told(ykc.TimeSync)
    desk.keep_alive(60)
    assert len(desk.wire.told(ykc.TimeSync)) == 1


@pytest.mark.parametrize(("error_s", "is_wrong"), [(0, False), (59, False), (61, True), (-3600, True)])
def test_a_wrong_clock_is_flagged_and_goes_along_with_the_record(error_s: int, is_wrong: bool) -> None:
    desk = Desk().ready()
    desk.wire.say(ykc.TimeSyncAnswer(pile_no=PILE, time=desk.clock.now() + timedelta(seconds=error_s)))
    assert desk.last(PILE_STATUS).clock_offset_s == error_s
    assert [event.kind for event in desk.of(PILE_EVENT)] == [PileEventKind.CLOCK_WRONG] * is_wrong
    desk.wire.say(record())
    assert desk.last(RECORD).clock_offset_s == error_s


def test_a_clock_that_is_no_time_says_nothing() -> None:
    desk = Desk().ready()
    desk.wire.say(ykc.TimeSyncAnswer(pile_no=PILE, time=bytes(7)))
    assert desk.published == []


# --- pushed


def push(desk: Desk, version: str = "hz-2", command_id: str = "push-1") -> None:
    command = PileCommand(
        id=command_id,
        bridge="b1",
        link=desk.pile.link,
        kind=PileCommandKind.TARIFF_PUSH,
        expires_at=desk.clock.now() + timedelta(seconds=60),
        tariff_version=version,
    )
    desk.fleet.command(PILE, command, desk.now)


def wanting(ref: TariffRef = V2, known: TariffTable | None = None) -> Desk:
    """A pile that charges by hz-1 and is to have another version."""
    desk = Desk().ready()
    if known is not None:
        desk.fleet.tariff(known, desk.now)
    desk.fleet.configured(pile_config(version=2, wanted=ref, confirmed=V1), desk.now)
    desk.forget_all()
    return desk


def outcomes(desk: Desk) -> list[tuple[Outcome, Reason | None, str | None]]:
    return [(reply.outcome, reply.reason, reply.tariff_version) for reply in desk.of(PILE_REPLY)]


def test_a_new_wanted_tariff_is_not_pushed_by_itself() -> None:
    desk = wanting(known=table(V2))
    desk.keep_alive(60)
    assert not desk.wire.told(ykc.TariffPush)


def test_a_pushed_table_counts_when_the_pile_has_taken_it() -> None:
    desk = wanting(known=table(V2))
    push(desk)
    [frame] = desk.wire.told(ykc.TariffPush)
    assert frame.model_no == "0002"
    assert desk.of(PILE_STATUS) == []
    desk.wire.say(ykc.TariffPushAnswer(pile_no=PILE, result=1))
    assert outcomes(desk) == [(Outcome.ACCEPTED, None, "hz-2")]
    assert desk.last(PILE_STATUS).tariff_version == "hz-2"
    event = desk.last(PILE_EVENT)
    assert (event.kind, event.tariff_version) == (PileEventKind.TARIFF_CONFIRMED, "hz-2")
    assert check(desk, "0002").result == TariffCheck.SAME
    desk.start(desk.start_command(tariff="hz-2"))
    assert len(desk.wire.told(ykc.RemoteStart)) == 1


def test_a_table_that_the_pile_does_not_take_leaves_the_old_one() -> None:
    desk = wanting(known=table(V2))
    push(desk)
    desk.wire.say(ykc.TariffPushAnswer(pile_no=PILE, result=0))
    assert outcomes(desk) == [(Outcome.REFUSED, Reason.PILE_REFUSED, "hz-1")]
    event = desk.last(PILE_EVENT)
    assert (event.kind, event.tariff_version) == (PileEventKind.TARIFF_REFUSED, "hz-2")
    assert desk.of(PILE_STATUS) == []
    desk.start(desk.start_command())
    assert len(desk.wire.told(ykc.RemoteStart)) == 1


@pytest.mark.parametrize(
    ("version", "known", "reason"),
    [
        ("hz-1", table(V2), Reason.TARIFF_NOT_WANTED),
        ("hz-9", table(V2), Reason.TARIFF_NOT_WANTED),
        ("hz-2", None, Reason.NO_TARIFF),
        ("hz-2", table(V2, (TariffBand.DEEP_VALLEY,) * 48), Reason.TARIFF_NOT_EXPRESSIBLE),
    ],
)
def test_pushes_that_do_not_go_out(version: str, known: TariffTable | None, reason: Reason) -> None:
    desk = wanting(known=known)
    push(desk, version)
    assert [(outcome, why) for outcome, why, _ in outcomes(desk)] == [(Outcome.REFUSED, reason)]
    assert desk.wire.sent == []
    desk.start(desk.start_command())
    assert len(desk.wire.told(ykc.RemoteStart)) == 1  # nothing is open


def test_no_table_goes_out_between_a_start_and_its_end() -> None:
    desk = wanting(known=table(V2))
    desk.start(desk.start_command())
    push(desk, command_id="push-1")
    desk.wire.say(charging())
    push(desk, command_id="push-2")
    assert outcomes(desk) == [(Outcome.REFUSED, Reason.PILE_BUSY, None)] * 2
    desk.wire.say(record())
    push(desk, command_id="push-3")
    assert len(desk.wire.told(ykc.TariffPush)) == 1


def test_nor_while_a_start_waits_for_its_cap() -> None:
    desk = wanting(known=table(V2))
    desk.start(desk.start_command(allowance_kw=60.0))
    push(desk)
    assert outcomes(desk) == [(Outcome.REFUSED, Reason.PILE_BUSY, None)]


def test_nothing_starts_while_nobody_knows_by_which_table() -> None:
    desk = wanting(known=table(V2))
    push(desk)
    desk.start(desk.start_command("start-1"))
    assert [reply.reason for reply in desk.of(GUN_REPLY)] == [Reason.TARIFF_DIFFERS]
    desk.keep_alive(11)
    assert outcomes(desk) == [(Outcome.TIMED_OUT, Reason.TIMED_OUT, None)]
    desk.start(desk.start_command("start-2"))  # what it last confirmed stands
    assert len(desk.wire.told(ykc.RemoteStart)) == 1


def test_a_late_answer_to_a_push_still_says_what_the_pile_holds() -> None:
    desk = wanting(known=table(V2))
    push(desk)
    desk.keep_alive(11)
    desk.wire.say(ykc.TariffPushAnswer(pile_no=PILE, result=1))
    assert desk.last(PILE_STATUS).tariff_version == "hz-2"
    assert len(outcomes(desk)) == 1
    desk.wire.say(ykc.TariffPushAnswer(pile_no=PILE, result=0))  # answers nothing
    assert desk.last(PILE_EVENT).kind is PileEventKind.TARIFF_CONFIRMED
    assert desk.tally.dropped["unexpected"] == 1


def test_a_push_that_is_lost_with_the_link_is_found_out_by_the_piles_next_question() -> None:
    desk = wanting(known=table(V2))
    push(desk)
    desk.wire.cut()
    assert outcomes(desk) == [(Outcome.TIMED_OUT, Reason.LINK_LOST, None)]
    desk.wire = Wire(desk)
    desk.wire.say(login())
    assert check(desk, "0002").result == TariffCheck.DIFFERENT  # so it fetches the table
    desk.wire.say(ykc.TariffRequest(pile_no=PILE))
    assert desk.last(PILE_STATUS).tariff_version == "hz-2"
