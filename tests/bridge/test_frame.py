"""`python -m bridge.frame` on recorded frames."""

import io
import json
from decimal import Decimal
from pathlib import Path

from bridge.frame import main
from bridge.protocols.ykc.framing import pack

FRAMES = Path(__file__).parent / "frames" / "ykc"


def recorded(name: str) -> dict[str, object]:
    """The recorded frame whose file name begins so."""
    found: dict[str, object] = json.loads(next(iter(sorted(FRAMES.glob(f"{name}*")))).read_text("utf-8"))
    return found


def run(*arguments: str, given: str = "") -> tuple[int, str]:
    out = io.StringIO()
    return main(list(arguments), io.StringIO(given), out), out.getvalue()


def test_a_frame_becomes_a_json_line_with_exact_decimals() -> None:
    vector = recorded("transaction_record_bill_ykc16")
    code, text = run("--json", str(vector["hex"]))
    shown = json.loads(text)
    assert code == 0
    assert (shown["type"], shown["from"], shown["message"]) == ("0x3B", "pile", "TransactionRecord")
    stated = vector["fields"]
    assert isinstance(stated, dict)
    assert Decimal(shown["fields"]["total_kwh"]) == Decimal(str(stated["total_kwh"]))
    assert shown["fields"]["stop_reason"] == stated["stop_reason"]


def test_a_frame_over_two_lines_of_standard_input_is_one_frame() -> None:
    text = str(recorded("heartbeat_ykc16")["hex"])
    code, shown = run(given=f"{text[:10]}\n{text[10:]}\n")
    assert code == 0
    assert "Heartbeat" in shown
    assert "gun_no" in shown


def test_what_is_no_frame_is_said_and_gives_code_1() -> None:
    assert run("--json", "zz") == (1, '{"error": "not hex: zz"}\n')
    code, text = run("--json", "00ff68")
    assert code == 1
    assert json.loads(text) == {"dropped": {"noise": 2, "abandoned": 1}}


def test_a_type_that_is_not_declared_keeps_its_body() -> None:
    code, text = run("--json", pack(0x71, 1, b"\x55\x03").hex())
    assert code == 0
    assert json.loads(text)["body"] == "5503"
