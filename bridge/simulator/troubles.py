"""What goes wrong at a simulated pile: switched while it runs, or by seeded chance. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random


class Trouble(StrEnum):
    """A kind of trouble, named like its switch in `Troubles`; behind it the occasion at which its chance is drawn."""

    BAD_CRC = "bad_crc"  # each frame
    SWAPPED_CRC = "swapped_crc"  # each frame
    WRONG_LENGTH = "wrong_length"  # each frame
    NOISE = "noise"  # each frame
    WRONG_PILE = "wrong_pile"  # each frame but the login
    SPLIT = "split"  # each write to the socket
    MERGE = "merge"  # each write to the socket
    SLOW_ANSWERS = "slow_answers"  # each command
    SILENT_STARTS = "silent_starts"  # each 0x34
    SILENT_STOPS = "silent_stops"  # each 0x36
    REFUSE_CAPS = "refuse_caps"  # each 0x52
    SILENT_CAPS = "silent_caps"  # each 0x52
    DISOBEY_CAPS = "disobey_caps"  # each 0x52
    UPDATE_FAILS = "update_fails"  # each 0x94
    LOCK_STUCK = "lock_stuck"  # each movement of a ground lock
    WRONG_LOGIN = "wrong_login"  # each login
    START_FAILS = "start_fails"  # each start
    DROP = "drop"  # each charge
    HALF_OPEN = "half_open"  # each charge
    VANISH = "vanish"  # each charge
    POWER_LOSS = "power_loss"  # each charge
    BMS_ERROR = "bms_error"  # each charge
    FAULT = "fault"  # each charge
    RECORD_TWICE = "record_twice"  # each sending of a record
    LOSE_RECORD = "lose_record"  # each record
    RECORD_LATE = "record_late"  # each record
    RECORD_REORDERED = "record_reordered"  # each record
    RECORD_SUMS = "record_sums"  # each record
    RECORD_TIERS = "record_tiers"  # each record
    RECORD_TIMES = "record_times"  # each record
    RECORD_CHANGED = "record_changed"  # each confirmed record
    IGNORE_CONFIRMATION = "ignore_confirmation"  # each 0x40


MID_CHARGE = (
    Trouble.DROP,
    Trouble.HALF_OPEN,
    Trouble.VANISH,
    Trouble.POWER_LOSS,
    Trouble.BMS_ERROR,
    Trouble.FAULT,
)
"""Drawn when current begins to flow; they come a little later."""
UNSETTLING = frozenset(
    {
        Trouble.LOSE_RECORD,
        Trouble.RECORD_SUMS,
        Trouble.RECORD_TIERS,
        Trouble.RECORD_TIMES,
        Trouble.RECORD_CHANGED,
        Trouble.DISOBEY_CAPS,
    }
)
"""What needs a person's hand afterwards; the word "all" in the options leaves these out."""


@dataclass(slots=True)
class Troubles:
    """The switches of one pile, which a test turns while the pile runs, and the chances of a fleet."""

    bad_crc: bool = False
    """Frames go out with a CRC that is wrong in both orders."""
    swapped_crc: bool = False
    """Frames go out with the CRC bytes in the other order."""
    wrong_length: bool = False
    """The length byte counts the body alone, 4 too small."""
    noise: bool = False
    """Random bytes stand before frames."""
    wrong_pile: bool = False
    """Frames carry the number of another pile."""
    split: bool = False
    """What is written goes out in several TCP segments."""
    merge: bool = False
    """What is written waits for what comes next and goes out in one TCP segment."""
    slow_answers: bool = False
    """Answers to commands come 5 to 40 s late."""
    silent_starts: bool = False
    """0x34 is read and nothing follows."""
    silent_stops: bool = False
    """0x36 is neither answered nor obeyed."""
    refuse_caps: bool = False
    """0x52 is answered 0x51 result 0 and not obeyed."""
    silent_caps: bool = False
    """0x52 is neither answered nor obeyed."""
    disobey_caps: bool = False
    """0x52 is confirmed and not obeyed."""
    update_fails: bool = False
    """The download of 0x94 times out."""
    lock_stuck: bool = False
    """The arm of a ground lock does not reach its position."""
    wrong_login: bool = False
    """The login carries a number that nobody knows, and is refused."""
    start_fails: bool = False
    """The start sequence ends with a BMS time-out or an insulation fault."""
    drop: bool = False
    """The connection is reset in the middle of a charge."""
    half_open: bool = False
    """The connection stands and nothing goes over it any more, until heartbeats are missed."""
    vanish: bool = False
    """The pile is gone without a word for minutes, and goes on charging."""
    power_loss: bool = False
    """The pile loses power in the middle of a charge and comes back with its record (0x83)."""
    bms_error: bool = False
    """The car's BMS falls silent: 0x1B, and the charge ends."""
    fault: bool = False
    """A hardware fault ends the charge; it is repaired after a while."""
    record_twice: bool = False
    """Each sending of a record is two frames at once."""
    lose_record: bool = False
    """No 0x3B is made at all."""
    record_late: bool = False
    """0x3B comes hours after the end."""
    record_reordered: bool = False
    """0x3B waits until that of the next charge has gone out."""
    record_sums: bool = False
    """The sums of 0x3B do not fit its parts."""
    record_tiers: bool = False
    """0x3B has its energy under wrong tariff bands."""
    record_times: bool = False
    """0x3B ends before it starts."""
    record_changed: bool = False
    """After 0x40 another record comes under the same number."""
    ignore_confirmation: bool = False
    """0x40 is not understood: records go on being repeated."""
    fail_start_reason: int | None = None
    """A stop reason 0x4A … 0x69: the start sequence ends in it, with 0x33 result 0 and a record without energy."""
    mute: bool = False
    """Nothing is sent at all while the connection stands."""
    answer_delay_s: float = 0.0
    """Every answer to a command comes this much later."""
    chances: Mapping[Trouble, float] = field(default_factory=dict)
    """0 … 1 for each occasion; what is not named does not happen by itself."""
    dice: Random = field(default_factory=lambda: Random(0))
    """Apart from all other chance, so that a trouble more or less changes nothing else."""
    happened: Counter[Trouble] = field(default_factory=Counter)

    def happens(self, trouble: Trouble) -> bool:
        """Whether it does on this occasion: it is switched on, or chance has it."""
        chance = self.chances.get(trouble, 0.0)
        if getattr(self, trouble.value) or (chance > 0 and self.dice.random() < chance):
            self.happened[trouble] += 1
            return True
        return False


def chances(text: str) -> dict[Trouble, float]:
    """ "kind=chance,kind=chance" → chances; "all=" is every kind that the platform gets over by itself.

    ValueError for an unknown kind and for what is no chance between 0 and 1. Later words win.
    """
    found: dict[Trouble, float] = {}
    for word in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = word.partition("=")
        try:
            chance = float(number)
        except ValueError:
            raise ValueError(f'"{word}" is not "kind=chance"') from None
        if not 0 <= chance <= 1:
            raise ValueError(f'"{word}": a chance is between 0 and 1')
        if name == "all":
            found |= {trouble: chance for trouble in Trouble if trouble not in UNSETTLING}
        elif name in set(Trouble):
            found[Trouble(name)] = chance
        else:
            raise ValueError(f'"{name}" is no trouble; there are: all, {", ".join(Trouble)}')
    return found
