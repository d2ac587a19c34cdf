"""An owner brings the broker back to the newest; a reader acts on nothing older than it has seen."""

from evcs.runtime.clock import ManualClock
from evcs.runtime.mqtt import LevelKeeper, Newest, Versions, matches


class Told:
    """A session that only notes what is published."""

    def __init__(self) -> None:
        self.published: list[tuple[str, bytes, bool]] = []

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, droppable: bool = False
    ) -> None:
        self.published.append((topic, payload, retain))


def test_versions_are_wall_time_kept_above_what_was_seen() -> None:
    clock = ManualClock()
    versions = Versions(clock)
    first = versions.next("a")
    assert first == clock.now_ms()
    assert versions.next("a") == first + 1
    assert versions.next("b") == first
    versions.seen("a", first + 5000)
    versions.seen("a", first)
    assert versions.next("a") == first + 5001
    clock.advance(60)
    assert versions.next("a") == clock.now_ms()


def test_owner_publishes_all_again_and_answers_an_older_level() -> None:
    session = Told()
    levels = LevelKeeper(session)
    levels.set("a", 1, b"1")
    levels.set("a", 2, b"2")
    levels.set("b", 1, b"x")
    session.published.clear()
    levels.publish_all()
    assert session.published == [("a", b"2", True), ("b", b"x", True)]
    session.published.clear()
    assert levels.seen("a", 1)
    assert levels.seen("a", 0)
    assert not levels.seen("a", 2)
    assert not levels.seen("unknown", 9)
    assert session.published == [("a", b"2", True)] * 2
    assert levels.corrected == 2


def test_the_late_echo_of_an_own_level_is_not_answered_until_a_reconnect() -> None:
    session = Told()
    levels = LevelKeeper(session)
    for version in range(1, 4):
        levels.set("a", version, b"%d" % version)
    levels.set("a", 3, b"3")
    assert not levels.seen("a", 1)
    assert not levels.seen("a", 2)
    assert levels.corrected == 0
    levels.publish_all()
    assert levels.seen("a", 2)


def test_cleared_level_is_gone_and_strays_are_named() -> None:
    session = Told()
    levels = LevelKeeper(session)
    levels.set("a", 1, b"1")
    levels.set("b", 1, b"1")
    levels.clear("a")
    assert session.published[-1] == ("a", b"", True)
    assert levels.get("a") is None
    assert list(levels.topics()) == ["b"]
    assert levels.strays(["a", "b", "c"]) == ["a", "c"]


def test_reader_acts_only_on_what_is_newer() -> None:
    newest = Newest()
    assert [newest.is_newer("a", version) for version in (5, 5, 4, 6, 5)] == [True, False, False, True, False]
    assert newest.is_newer("b", 0)
    assert newest.is_current("a", 6)
    assert not newest.is_current("a", 5)
    newest.cleared("a")
    assert newest.is_newer("a", 1)


def test_reader_learns_what_a_new_picture_lacks() -> None:
    gone: list[str] = []
    newest = Newest(gone.append)
    newest.is_newer("a", 1)
    newest.is_newer("b", 1)
    newest.begin()
    newest.is_newer("a", 1)
    assert newest.gone() == ["b"]
    assert gone == ["b"]
    assert newest.is_newer("b", 1)


def test_filters_match_as_the_standard_says() -> None:
    table = [
        ("a/b", "a/b", True),
        ("a/+", "a/b", True),
        ("a/+", "a/b/c", False),
        ("a/#", "a/b/c", True),
        ("a/#", "a", True),
        ("+/+", "a", False),
        ("a/b", "a", False),
        ("a", "a/b", False),
    ]
    for filter, topic, expected in table:
        assert matches(filter.split("/"), topic.split("/")) is expected, (filter, topic)
