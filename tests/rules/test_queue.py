"""The queue: who may wait, in which order, what ends it, what is told, and what a restart leaves of it."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import msgspec

from evcs.contracts.gun import Goal, Start, StartRequest, Verdict, VerdictKind
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GoalKind
from evcs.contracts.topics import QUEUE, Topic
from evcs.contracts.transformer import TransformerQueue
from rules.engine import Engine
from rules.messages import Action, Began, Clear, Heard, Message, PictureComplete, Tick
from rules.queueing import AWAY_S
from tests.rules.town import SINCE_MS, STATION, Town, after, heard, lockout, serial_of

BUSY_KW, FREE_KW = 850.0, 300.0


class Street:
    """Ten piles of 100 kW behind 1000 kVA with a meter, whose load the test sets; an engine that is sure."""

    def __init__(self, **transformer: Any) -> None:
        piles = [{"pile": f"p{n}", "guns": [100.0]} for n in range(10)]
        self.town = Town(piles, {"has_meter": True, "limited_release_s": 1e6, **transformer})
        self.engine = Engine()
        self.told: list[tuple[float, Topic[Any], Any]] = []
        self.retained: dict[str, Any] = {}
        self.now_s = 0.0
        self.load_kw = BUSY_KW
        for message in (Began(SINCE_MS), *self.town.picture(after(0)), PictureComplete(), self.town.answer(0)):
            self.say(message)
        self.wait(1)

    def say(self, *messages: Message) -> None:
        for message in messages:
            self._keep(self.engine.step(message, after(self.now_s)))

    def _keep(self, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, Clear):
                self.retained.pop(action.name, None)
                continue
            self.told.append((self.now_s, action.topic, action.payload))
            if action.topic.retained:
                address = action.topic.parse(action.name)
                assert address is not None
                self.retained[action.name] = Heard(action.topic, address, action.payload)

    def wait(self, seconds: int) -> None:
        """Let seconds pass, each with a tick and each tenth with a reading of the meter."""
        for _ in range(seconds):
            self.now_s += 1
            if self.now_s % 10 == 1:
                self.say(self.town.meter(after(self.now_s), kva=self.load_kw))
            self.say(Tick())

    def resize(self, n: int, rated_kw: float) -> None:
        """Another pile stands there."""
        pile = self.town.piles[f"p{n}"]
        guns = (msgspec.structs.replace(pile.guns[0], rated_kw=rated_kw),)
        self.town.piles[pile.pile] = msgspec.structs.replace(pile, rated_kw=rated_kw, guns=guns)
        self.say(self.town.config())

    def ask(self, n: int, id: str, **values: Any) -> None:
        self.say(self.town.request(f"p{n}", 1, after(self.now_s), id=id, **{"may_queue": True, **values}))

    def free(self) -> None:
        """The load falls, and the dwell of the band passes."""
        self.load_kw = FREE_KW
        self.wait(75)

    def restart(self, *, waiting: list[tuple[int, str, float]], answered: int, load_kw: float = BUSY_KW) -> None:
        """Another run of rules; the worker repeats who waits: pile, request, since."""
        since = SINCE_MS + 1
        town, now = self.town, after(self.now_s)
        self.load_kw = load_kw
        self.say(Began(since), *town.picture(now), *self.retained.values(), PictureComplete())
        self.say(town.meter(now, kva=load_kw))
        for pile, id, at in waiting:
            self.say(self.repeated(pile, id, at, rules_since_ms=since))
        self.say(town.answer(answered, since))

    def repeated(self, pile: int, id: str, at: float, **values: Any) -> Heard:
        until = after(at + 1800)
        values = {"may_queue": True, "queued_since": after(at), "queue_until": until, "expires_s": 1e5, **values}
        return self.town.request(f"p{pile}", 1, after(self.now_s), id=id, **values)

    def verdicts(self, id: str) -> list[Verdict]:
        return [said for _, _, said in self.told if isinstance(said, Verdict) and said.request == id]

    def kinds(self, id: str) -> list[str]:
        return [f"{said.kind.value}:{said.reason or ''}" for said in self.verdicts(id)]

    def started(self) -> list[str]:
        ids = [said.id.removeprefix("start-") for _, _, said in self.told if isinstance(said, Start)]
        return list(dict.fromkeys(ids))

    def queue(self) -> TransformerQueue:
        levels = [said for _, _, said in self.told if isinstance(said, TransformerQueue)]
        return levels[-1]

    def places(self) -> list[str]:
        """Who waits, as the engine has them."""
        (station,) = self.engine.stations()
        return [waiter.request.id for waiter in station.waiting]


def test_a_start_over_80_percent_waits_and_starts_when_the_band_opens() -> None:
    street = Street()
    street.ask(0, "a")
    (queued,) = street.verdicts("a")
    assert (queued.kind, queued.reason, queued.position) == (VerdictKind.QUEUED, Reason.BAND_BLOCKED, 1)
    assert queued.queue_until == queued.decided_at + timedelta(seconds=1800)
    assert "第 1 位" in queued.zh
    assert "85.0%" in queued.zh
    assert "12:30" in queued.zh
    assert "Place 1" in queued.en
    assert "12:30" in queued.en
    street.wait(30)
    assert not street.started()
    street.free()
    assert street.started() == ["a"]
    assert street.kinds("a") == ["queued:band_blocked", "admitted:"]
    assert len({said.id for said in street.verdicts("a")}) == 2, "two verdicts, two ids"
    street.wait(5)
    assert street.queue().waiting == ()


def test_a_start_that_may_not_wait_is_refused_as_before() -> None:
    street = Street()
    street.ask(0, "a", may_queue=False)
    assert street.kinds("a") == ["refused:band_blocked"]
    street.free()
    assert not street.started()


def test_who_waits_at_a_card_reader_and_two_guns_of_a_car_do_not_queue() -> None:
    street = Street()
    for id, extra in (
        ("card", {"card_request": "event-1"}),
        ("joint", {"joint": {"number": "261124160812", "role": "main"}}),
    ):
        message = street.town.request("p0", 1, after(street.now_s), id=id, may_queue=True)
        fields = {**msgspec.to_builtins(message.payload), **extra}
        street.say(heard(message.topic, msgspec.convert(fields, StartRequest, strict=False), **_levels(0)))
        assert street.kinds(id) == ["refused:band_blocked"]


def _levels(pile: int) -> dict[str, str | int]:
    return {"station": STATION, "pile": f"p{pile}", "gun": 1}


def test_a_silent_meter_is_nothing_to_wait_for_but_who_waits_goes_on_waiting() -> None:
    street = Street()
    street.ask(0, "a")
    street.now_s += 100
    street.say(Tick())
    street.ask(1, "b")
    assert street.kinds("b") == ["refused:band_unknown"]
    assert street.places() == ["a"]


def test_who_came_first_starts_first_and_one_a_second() -> None:
    street = Street()
    for n, id in enumerate("abcd"):
        street.wait(1)
        street.ask(n, id)
    assert [said.position for id in "abcd" for said in street.verdicts(id)] == [1, 2, 3, 4]
    street.free()
    assert street.started() == ["a", "b", "c", "d"]
    first = {said.id: at for at, _, said in reversed(street.told) if isinstance(said, Start)}
    assert len(set(first.values())) == 4


def test_a_start_behind_the_head_does_not_overtake_it_however_small() -> None:
    street = Street()
    street.resize(0, 200.0)
    street.ask(0, "big")
    street.ask(1, "small")
    street.load_kw = 740.0  # opens, but half of 200 kW more would be over 80 %; half of 100 kW would not
    street.wait(200)
    assert not street.started()
    assert street.places() == ["big", "small"]
    street.load_kw = 640.0
    street.wait(20)
    assert street.started() == ["big", "small"]


def test_a_new_start_that_may_wait_does_not_overtake_who_waits() -> None:
    street = Street()
    street.resize(0, 200.0)
    street.ask(0, "first")
    street.load_kw = 740.0
    street.wait(75)
    street.ask(1, "second")  # open, and there is room for its 5 %, but the first waits for its 10 %
    (queued,) = street.verdicts("second")
    assert (queued.kind, queued.reason, queued.position) == (VerdictKind.QUEUED, Reason.NO_HEADROOM, 2)
    assert "前面" in queued.zh
    assert not street.started()
    street.load_kw = 640.0
    street.wait(20)
    assert street.started() == ["first", "second"]


def test_a_start_that_cannot_wait_is_admitted_only_if_the_head_still_finds_room() -> None:
    street = Street()
    street.resize(0, 200.0)
    street.ask(0, "head")
    street.load_kw = 740.0
    street.wait(75)
    street.ask(1, "card", may_queue=False)  # 5 % would fit, but the head's 10 % would then wait even longer
    assert street.kinds("card") == ["refused:no_headroom"]
    street.say(street.town.ask("p1", 1, after(street.now_s), id="question"))
    assert street.verdicts("question")[0].would_admit is False
    street.load_kw = 640.0
    street.say(street.town.meter(after(street.now_s), kva=street.load_kw))
    street.ask(2, "another card", may_queue=False)  # 64 % and 10 % for the head and 5 %: it takes nothing from it
    assert street.started() == ["another card"]
    street.wait(1)
    assert street.started() == ["another card", "head"]


def test_a_full_queue_refuses() -> None:
    street = Street(queue_most=2)
    for n, id in enumerate("abc"):
        street.ask(n, id)
    assert street.kinds("c") == ["refused:queue_full"]
    assert street.places() == ["a", "b"]


def test_without_a_queue_the_gates_own_reason_is_said() -> None:
    street = Street(queue_most=0)
    street.ask(0, "a")
    assert street.kinds("a") == ["refused:band_blocked"]


def test_a_wait_expires() -> None:
    street = Street(queue_s=60)
    street.ask(0, "a")
    street.wait(59)
    assert street.places() == ["a"]
    street.wait(1)
    assert street.kinds("a") == ["queued:band_blocked", "refused:queue_expired"]
    assert "款项" in street.verdicts("a")[-1].zh


def test_what_ends_a_wait_at_once() -> None:
    street = Street()
    for n in range(5):
        street.ask(n, f"w{n}")
    street.say(street.town.level("p0", 1, "idle", after(street.now_s)))
    street.say(street.town.level("p1", 1, "faulted", after(street.now_s)))
    street.say(street.town.level("p2", 1, "charging", after(street.now_s), of="somebody at the pile"))
    street.say(street.town.leave_queue("p3", 1, after(street.now_s), of="w3"))
    street.say(street.town.pile("p4", tariff="another"))
    street.wait(1)
    ends = [street.kinds(f"w{n}")[-1] for n in range(5)]
    assert ends == [
        "refused:gun_not_plugged",
        "refused:gun_faulted",
        "refused:gun_busy",
        "refused:queue_left",
        "refused:tariff_differs",
    ]
    assert not street.places()


def test_a_lockout_and_a_station_stop_end_the_wait() -> None:
    for on, reason in (("lockout", "locked_out"), ("station_stop", "station_stopped")):
        street = Street()
        street.ask(0, "a")
        street.town.station_lockouts[on] = lockout()
        street.say(street.town.config())
        street.wait(1)
        assert street.kinds("a")[-1] == f"refused:{reason}"


def test_a_pile_that_is_away_keeps_its_place_for_two_minutes_and_blocks_nobody() -> None:
    street = Street()
    street.ask(0, "away")
    street.ask(1, "here")
    street.say(street.town.pile("p0", online=False))
    street.free()
    assert street.started() == ["here"]
    assert street.places() == ["away"]
    street.wait(int(AWAY_S))
    assert street.kinds("away")[-1] == "refused:pile_offline"


def test_a_pile_that_returns_in_time_starts() -> None:
    street = Street()
    street.ask(0, "a")
    street.say(street.town.pile("p0", online=False))
    street.free()
    assert not street.started()
    street.say(street.town.pile("p0", link="l2"), street.town.level("p0", 1, "plugged", after(street.now_s)))
    street.wait(2)
    assert street.started() == ["a"]


def test_a_pile_that_no_configuration_names_any_more_ends_the_wait() -> None:
    street = Street()
    street.ask(0, "a")
    del street.town.piles["p0"]
    street.say(street.town.config())
    street.wait(1)
    assert street.kinds("a")[-1] == "refused:station_unknown"


def test_a_repeated_request_hears_its_place_again_and_waits_once() -> None:
    street = Street()
    street.ask(0, "a")
    street.ask(1, "b")
    street.wait(5)
    street.ask(1, "b")
    first, again = street.verdicts("b")
    assert (first.id, first.decided_at, first.queue_until) == (again.id, again.decided_at, again.queue_until)
    assert again.position == 2
    assert street.places() == ["a", "b"]


def test_a_repetition_after_the_end_hears_the_end() -> None:
    street = Street()
    street.ask(0, "a")
    street.say(street.town.leave_queue("p0", 1, after(street.now_s), of="a"))
    street.say(street.repeated(0, "a", 1))
    assert street.kinds("a") == ["queued:band_blocked", "refused:queue_left", "refused:queue_left"]
    assert not street.places()


def test_a_restart_keeps_everybody_in_order_and_is_not_sure_before_they_are_here() -> None:
    street = Street()
    for n, id in enumerate("abc"):
        street.wait(1)
        street.ask(n, id)
    street.wait(3)
    assert [one.serial for one in street.queue().waiting] == [serial_of(id) for id in "abc"]
    street.restart(waiting=[(2, "c", 4), (0, "a", 2)], answered=3)
    assert not street.engine.is_sure
    street.ask(9, "new")
    assert street.kinds("new") == ["refused:engine_not_sure"]
    street.say(street.repeated(1, "b", 3, rules_since_ms=SINCE_MS + 1))
    assert street.engine.is_sure
    assert street.places() == ["a", "b", "c"]
    street.wait(3)
    assert [one.serial for one in street.queue().waiting] == [serial_of(id) for id in "abc"]
    street.free()
    assert street.started() == ["a", "b", "c"]


def test_a_restart_lets_nobody_in_whose_time_is_over() -> None:
    street = Street(queue_s=60)
    street.wait(100)
    since = SINCE_MS + 1
    street.restart(waiting=[], answered=1)
    street.say(street.repeated(0, "a", 2, rules_since_ms=since, queue_until=after(62)))
    assert street.engine.is_sure
    assert street.kinds("a") == ["refused:queue_expired"]


def test_a_restart_empties_the_level_where_nobody_waits_any_more() -> None:
    street = Street()
    street.ask(0, "a")
    street.wait(3)
    assert street.queue().waiting
    street.restart(waiting=[], answered=0)
    street.wait(1)
    assert street.queue().waiting == ()


def test_killed_between_reservation_and_start_the_repetition_of_a_waiting_order_starts_it() -> None:
    street = Street()
    street.ask(0, "a")
    street.free()
    starts = [said for _, _, said in street.told if isinstance(said, Start)]
    street.told.clear()
    street.restart(waiting=[(0, "a", 2)], answered=1, load_kw=FREE_KW)
    assert street.kinds("a") == ["admitted:"]
    again = [said for _, _, said in street.told if isinstance(said, Start)]
    assert [start.id for start in again] == [starts[0].id]
    assert not street.places()


def test_who_was_put_in_line_anew_after_a_restart_moves_up_to_the_old_place() -> None:
    """Its request came again before the worker knew that it waits."""
    street = Street()
    street.restart(waiting=[], answered=0)
    street.wait(5)
    street.ask(1, "b")
    street.wait(5)
    street.ask(0, "a")
    street.say(street.repeated(0, "a", 2))
    assert street.places() == ["a", "b"]
    street.say(street.repeated(0, "a", 2), street.repeated(1, "b", 900))
    assert street.places() == ["a", "b"]


def test_more_than_the_queue_takes_may_come_back() -> None:
    """Whoever waits keeps the place, also where the queue was made shorter meanwhile."""
    street = Street(queue_most=2)
    street.restart(waiting=[(n, f"w{n}", n + 1.0) for n in range(4)], answered=4)
    assert street.places() == ["w0", "w1", "w2", "w3"]


def test_the_level_tells_places_and_guesses_from_goals() -> None:
    street = Street()
    street.load_kw = FREE_KW
    street.wait(70)
    goal = Goal(kind=GoalKind.TIME, duration_s=600)
    street.ask(0, "running", goal=goal)
    street.say(street.town.level("p0", 1, "charging", after(street.now_s), of="running"))
    street.say(street.town.reading("p0", 1, after(street.now_s), of="running", kw=100.0, kwh="0"))
    begun = street.now_s
    street.load_kw = 810.0
    street.wait(11)
    street.ask(1, "a")
    street.ask(2, "b")
    street.ask(3, "c")
    street.say(street.town.reading("p0", 1, after(street.now_s), of="running", kw=100.0, kwh="0.3"))
    street.wait(2)
    level = street.queue()
    assert [(one.position, one.pile) for one in level.waiting] == [(1, "p1"), (2, "p2"), (3, "p3")]
    # At its end 10 % go free: enough for one more at 5 %, over 81 % not for two.
    left_s = 600 - (street.now_s - begun)
    guesses = [one.estimate_s for one in level.waiting]
    assert guesses[0] is not None
    assert abs(guesses[0] - left_s) <= 3
    assert guesses[1:] == [None, None]


def test_the_level_is_told_at_most_every_two_seconds_and_is_empty_in_the_end() -> None:
    street = Street()
    for n in range(8):
        street.ask(n, f"w{n}")
        street.wait(1)
    for n in range(8):
        street.say(street.town.leave_queue(f"p{n}", 1, after(street.now_s), of=f"w{n}"))
        street.wait(1)
    street.wait(5)
    times = [at for at, topic, _ in street.told if topic is QUEUE]
    assert all(after - before >= 2 for before, after in pairwise(times))
    versions = [said.version for _, topic, said in street.told if topic is QUEUE]
    assert versions == sorted(set(versions))
    assert street.queue().waiting == ()
