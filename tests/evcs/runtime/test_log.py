"""Logs are one JSON line per event with fields, and secrets never stand in them."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator

import pytest
import structlog

from evcs.runtime import log

Written = Callable[[], str]


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Written]:
    """What stands on standard error since the last look; the logging of the other tests is put back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield lambda: capsys.readouterr().err
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(written: Written) -> list[dict[str, object]]:
    return [json.loads(line) for line in written().splitlines()]


def test_an_event_is_one_json_line_with_its_fields(written: Written) -> None:
    log.setup("bridge", "info")
    logger = log.get_logger(part="server")
    logger.debug("not_shown")
    logger.info("pile_online", station="深圳", firmware=3)
    (line,) = lines(written)
    at = line.pop("at")
    assert str(at).endswith("Z")
    assert line == {
        "event": "pile_online",
        "station": "深圳",
        "firmware": 3,
        "level": "info",
        "service": "bridge",
        "part": "server",
    }


@pytest.mark.parametrize(
    ("field", "shown"),
    [
        ("password", "[redacted]"),
        ("mqtt_password", "[redacted]"),
        ("api_key", "[redacted]"),
        ("start_token", "[redacted]"),
        ("card_no", "…4321"),
        ("physical_card", "…4321"),
        ("phone", "…4321"),
        ("station", "987654321"),
    ],
)
def test_secrets_are_redacted_by_the_table(written: Written, field: str, shown: str) -> None:
    log.setup("webapi", "info")
    log.get_logger().info("event", **{field: "987654321"})
    assert lines(written)[0][field] == shown


def test_lines_go_where_standard_error_goes_now(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    """The live status of `evcs up` stands in for standard error, so that a line does not tear it."""
    log.setup("bridge", form="json")
    drawn = io.StringIO()
    with monkeypatch.context() as screen:
        screen.setattr(sys, "stderr", drawn)
        log.get_logger().warning("mqtt_lost")
    assert json.loads(drawn.getvalue())["event"] == "mqtt_lost"
    assert written() == ""


def test_libraries_log_in_the_same_form(written: Written) -> None:
    log.setup("webapi", "info")
    logging.getLogger("some.library").warning("slow %s", "query")
    (line,) = lines(written)
    assert (line["event"], line["service"]) == ("slow query", "webapi")


def test_an_exception_stays_on_one_line(written: Written) -> None:
    log.setup("rules", "info")
    try:
        raise ValueError("why")
    except ValueError:
        log.get_logger().exception("failed")
    (line,) = lines(written)
    assert "ValueError: why" in str(line["exception"])


def test_console_form_is_for_people(written: Written) -> None:
    log.setup("rules", "info", "console")
    log.get_logger().info("started", version=1)
    text = written()
    assert "started" in text
    assert not text.startswith("{")


def test_console_form_tells_no_local_variable(written: Written) -> None:
    log.setup("rules", "info", "console")
    secret = "".join(("hun", "ter", "2"))  # spelt so that the source line in the traceback does not show it
    try:
        raise ValueError(f"{len(secret)} letters")
    except ValueError:
        log.get_logger().exception("failed")
    text = written()
    assert "letters" in text
    assert secret not in text
