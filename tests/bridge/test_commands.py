"""Command ids: carried out once, answered once, late ones not at all."""

from datetime import timedelta

from bridge.actions import Publish
from bridge.commands import Commands, Fresh, Late, Repeated
from tests.bridge.kit import NOON

IN_20_S = NOON + timedelta(seconds=20)
REPLY = Publish("topic", b"reply")


def test_a_command_is_fresh_once_and_its_reply_is_remembered_beyond_its_expiry() -> None:
    commands = Commands()
    assert commands.take("a", IN_20_S, NOON) == Fresh()
    assert commands.take("a", IN_20_S, NOON) == Repeated(None)
    commands.answered("a", REPLY)
    assert commands.take("a", IN_20_S, NOON) == Repeated(REPLY)
    assert commands.take("a", IN_20_S, NOON + timedelta(hours=1)) == Repeated(REPLY)


def test_the_first_reply_stands() -> None:
    commands = Commands()
    commands.take("a", IN_20_S, NOON)
    commands.answered("a", REPLY)
    commands.answered("a", Publish("topic", b"another"))
    assert commands.take("a", IN_20_S, NOON) == Repeated(REPLY)


def test_a_late_command_is_late_at_its_very_expiry() -> None:
    commands = Commands()
    assert commands.take("a", IN_20_S, IN_20_S) == Late()
    assert commands.take("b", IN_20_S, IN_20_S - timedelta(milliseconds=1)) == Fresh()


def test_memory_is_bounded_oldest_first() -> None:
    commands = Commands(remembered=2)
    for name in "abc":
        commands.take(name, IN_20_S, NOON)
    assert commands.take("c", IN_20_S, NOON) == Repeated(None)
    assert commands.take("a", IN_20_S, NOON) == Fresh()
