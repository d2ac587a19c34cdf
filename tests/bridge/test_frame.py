"""`evcs frame` on the recorded frames, on damaged ones and on what is none."""

import io
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from bridge.frame import LONGEST_LINE, main
from bridge.protocols.ykc.crc import crc16
from bridge.protocols.ykc.framing import pack
from bridge.protocols.ykc.messages import NO_TRADE, Heartbeat, RecordConfirmation

ROOT = Path(__file__).parents[2]
VECTORS: list[dict[str, Any]] = [
    json.loads(path.read_text("utf-8"), parse_float=Decimal)
    for path in sorted((Path(__file__).parent / "frames" / "ykc").glob("*.json"))
]
HEARTBEAT = pack(0x03, 1, Heartbeat(pile_no="55031412000001", gun_no="01", gun_state=0).encode())
KEYS = ("frame_type", "seq", "encrypt", "crc_order", "fields")


def recorded(number: str) -> dict[str, Any]:
    return next(vector for vector in VECTORS if vector["id"] == number)


def command(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The command as a person calls it."""
    return subprocess.run(
        [sys.executable, "-m", "evcs", "frame", *arguments], cwd=ROOT, input=given, capture_output=True, check=False
    )


def run(*arguments: str, given: bytes = b"") -> tuple[int, str]:
    out = io.StringIO()
    return main(list(arguments), io.BytesIO(given), out), out.getvalue()


def shown(*arguments: str, given: bytes = b"") -> list[dict[str, Any]]:
    """The lines of `decode --jsonl`."""
    code, text = run("decode", "--jsonl", *arguments, given=given)
    assert code == 0
    return [json.loads(line, parse_float=Decimal) for line in text.splitlines()]


def test_every_recorded_frame_becomes_the_stated_object_and_its_bytes_again() -> None:
    done = command("decode", "--jsonl", given="\n".join(vector["hex"] for vector in VECTORS).encode())
    assert (done.returncode, done.stderr) == (0, b"")
    lines = done.stdout.decode().splitlines()
    assert len(lines) == len(VECTORS) == 95
    for vector, line in zip(VECTORS, lines, strict=True):
        got = json.loads(line, parse_float=Decimal)
        assert {key: got.get(key) for key in KEYS} == {key: vector[key] for key in KEYS}, vector["id"]
        assert got.get("extra_bytes") == vector.get("extra_bytes"), vector["id"]
        # The one whose length byte is wrong reads too, and says so.
        assert ("error" in got) is not vector["length_ok"], vector["id"]

    back = command("encode", "--jsonl", given=done.stdout)
    assert (back.returncode, back.stderr) == (0, b"")
    made = back.stdout.decode().splitlines()
    for vector, line in zip(VECTORS, made, strict=True):
        if vector["crc_order"] == "invalid":
            assert "crc_order" in json.loads(line)["error"], vector["id"]
        elif vector["length_ok"] and vector.get("reencode_exact", True):
            assert line == vector["hex"], vector["id"]


def test_the_published_objects_themselves_can_be_encoded() -> None:
    good = [v for v in VECTORS if v["conforms"] and v.get("reencode_exact", True)]
    given = "\n".join(json.dumps(vector, default=float) for vector in good)
    code, text = run("encode", "--jsonl", given=given.encode())
    assert code == 0
    assert text.splitlines() == [vector["hex"] for vector in good]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"", "empty"),
        (b"zz", "not hex"),
        (b"\xff\xfe", "not hex"),
        (b"680", "odd number"),
        (b"68", "cut off"),
        (b"00" * 20, "0x00"),
        (HEARTBEAT.hex()[:-2].encode(), "cut off"),
        (HEARTBEAT[:9].hex().encode(), "cut off"),
        (b"6803" + b"00" * 12, "length byte of 3"),
        (b"68" * LONGEST_LINE, "a line of more than"),
    ],
)
def test_what_is_no_frame_is_one_error_line_and_the_next_line_still_reads(line: bytes, error: str) -> None:
    first, second = shown(given=line + b"\n" + HEARTBEAT.hex().encode() + b"\n")
    assert error in first["error"]
    assert first.keys() == {"error"}
    assert second["fields"]["pile_no"] == "55031412000001"


@pytest.mark.parametrize("text", [HEARTBEAT.hex(" "), HEARTBEAT.hex(":").upper(), "0x" + HEARTBEAT.hex("-")])
def test_hex_is_read_as_loggers_print_it(text: str) -> None:
    assert shown(text) == shown(HEARTBEAT.hex())


def test_a_wrong_crc_is_reported_with_the_fields() -> None:
    broken = HEARTBEAT[:-1] + bytes([HEARTBEAT[-1] ^ 1])
    (line,) = shown(broken.hex())
    assert line["crc_order"] == "invalid"
    assert line["fields"]["gun_state"] == 0
    code, text = run("decode", broken.hex())
    assert code == 1
    assert "校验错误 invalid" in text


def test_bytes_behind_a_frame_are_an_error_of_its_line_and_frames_of_their_own_in_the_table() -> None:
    (line,) = shown((HEARTBEAT + HEARTBEAT).hex())
    assert line["fields"]["gun_no"] == "01"
    assert line["error"].startswith(f"{len(HEARTBEAT)} bytes behind the frame")
    code, text = run("decode", (HEARTBEAT + HEARTBEAT).hex())
    assert code == 0
    assert text.count("充电桩心跳包 heartbeat") == 2


def test_an_unknown_type_and_an_encrypted_body_stay_hex_and_go_back() -> None:
    unknown = pack(0x71, 0x1234, b"\x55\x03")
    (line,) = shown(unknown.hex())
    assert (line["frame_type"], line["body"], "error" in line) == ("0x71", "5503", False)
    assert run("encode", json.dumps(line)) == (0, unknown.hex() + "\n")
    assert "消息体 body: 5503" in run("decode", unknown.hex())[1]
    inner = b"\0\0\x01\x03" + b"\xaa\xbb"
    (line,) = shown((b"\x68\x06" + inner + crc16(inner).to_bytes(2, "little")).hex())
    assert (line["encrypt"], line["body"], line["error"]) == (1, "aabb", "the body is encrypted")


def test_a_body_shorter_than_its_table_says_so() -> None:
    (line,) = shown(pack(0x03, 0, b"\x55").hex())
    assert (line["body"], line["error"]) == ("55", "Heartbeat: 1 bytes, the table has 9")


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ("", "not a frame object"),
        ("[]", "not a frame object"),
        ("{", "not a frame object"),
        ("[" * 50_000, "not a frame object"),
        ('{"frame_type": "0x03", "fields": {"gun_state": ' + "9" * 5000 + "}}", "not a frame object"),
        ("{}", "frame_type"),
        ('{"frame_type": "0x103"}', "frame_type"),
        ('{"frame_type": "0x03"}', "neither fields nor body"),
        ('{"frame_type": "0x03", "body": "5"}', "body"),
        ('{"frame_type": "0x71", "fields": {}}', "no declared type"),
        ('{"frame_type": "0x02", "fields": {"pile_no": "1"}}', "LoginAnswer lacks result"),
        ('{"frame_type": "0x02", "fields": {"pile_no": "1", "result": 0, "x": 1}}', "no field x"),
        ('{"frame_type": "0x02", "fields": {"pile_no": 1, "result": 0}}', "LoginAnswer.pile_no"),
        ('{"frame_type": "0x02", "fields": {"pile_no": "1", "result": 256}}', "LoginAnswer.result"),
        ('{"frame_type": "0x02", "fields": {"pile_no": "1", "result": true}}', "LoginAnswer.result"),
        ('{"frame_type": "0x02", "fields": {"pile_no": "1", "result": null}}', "LoginAnswer.result"),
        ('{"frame_type": "0x02", "seq": 65536, "fields": {"pile_no": "1", "result": 0}}', "seq"),
        ('{"frame_type": "0x02", "encrypt": 1, "fields": {"pile_no": "1", "result": 0}}', "no cipher"),
        ('{"frame_type": "0x02", "crc_order": "mixed", "fields": {"pile_no": "1", "result": 0}}', "crc_order"),
        ('{"frame_type": "0x56", "fields": {"pile_no": "1", "time": "noon"}}', "TimeSync.time"),
        ('{"frame_type": "0x42", "fields": {"pile_no": "1", "gun_no": "1", "physical_card": "0000000000000000",'
         ' "balance": 1e999999}}', "BalanceUpdate.balance"),
        ('{"frame_type": "0x42", "fields": {"pile_no": "1", "gun_no": "1", "physical_card": "0000000000000000",'
         ' "balance": 0.001}}', "BalanceUpdate.balance"),
        ('{"frame_type": "0x44", "fields": {"pile_no": "1", "count": 2, "cards": []}}', "OfflineCardSync.count"),
        ('{"frame_type": "0x46", "fields": {"pile_no": "1", "count": 1, "cards": ["55"]}}', "OfflineCardClear.cards"),
        ('{"frame_type": "0x71", "body": "' + "00" * 197 + '"}', "more than a frame may carry"),
        ('{"error": "not hex: zz"}', "not hex: zz"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_frame_is_an_error_object(given: str, error: str) -> None:
    code, text = run("encode", "--jsonl", given=given.encode() + b"\n")
    assert code == 0
    said = json.loads(text)
    assert said.keys() == {"error"}
    assert error in said["error"]
    assert run("encode", given=given.encode() + b"\n")[0] == 1


def test_the_table_has_both_languages_units_meanings_and_times() -> None:
    code, text = run("decode", recorded("D058")["hex"])
    assert code == 0
    for part in (
        "0x3B 交易记录 transaction record",
        "桩 → 平台 pile → platform",
        "低字节在前 low-first",
        "电表总起值",
        "meter at the start",
        "12345.6789 kWh",
        "1.10001 yuan/kWh",
        "2026-11-24 16:08:15.000 UTC+8",
        "APP 远程停止",
        "app / remote stop",
    ):
        assert part in text
    assert "恒流充电" in run("decode", recorded("D042")["hex"])[1]
    assert "other charger error" not in run("decode", recorded("D039")["hex"])[1]
    assert "接收 BMS 充电统计报文超时" in run("decode", recorded("D039")["hex"])[1]
    assert "00:00-07:00 谷" in run("decode", recorded("D079")["hex"])[1]


def test_the_columns_of_the_table_stand_below_each_other() -> None:
    """Chinese letters are two columns wide; where a column begins is the same in every row."""
    _, text = run("decode", recorded("D042")["hex"])
    rows = [line for line in text.splitlines() if "BMS 电压需求" in line or "BMS 充电模式" in line]
    assert len(rows) == 2
    assert len({cell_len(row) for row in rows}) == 1
    starts = {cell_len(row[: row.index("BMS")]) for row in rows}
    assert len(starts) == 1


def test_bytes_given_apart_are_one_frame_and_whole_frames_one_each() -> None:
    assert run("decode", *HEARTBEAT.hex(" ").split()) == run("decode", HEARTBEAT.hex())
    other = pack(0x40, 2, RecordConfirmation(trade_no=NO_TRADE, result=0).encode())
    text = run("decode", HEARTBEAT.hex(), other.hex())[1]
    assert text.index("0x03") < text.index("0x40")


def test_each_line_is_answered_before_the_next_is_read() -> None:
    """A script may hold the command as a partner: it must not wait for the end of its input."""
    with subprocess.Popen(
        [sys.executable, "-m", "bridge.frame", "decode", "--jsonl"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(3):
            process.stdin.write(HEARTBEAT.hex().encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["frame_type"] == "0x03"
        process.stdin.close()
        assert process.wait(timeout=20) == 0


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "bridge.frame", "decode", "--jsonl"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(HEARTBEAT.hex().encode() + b"\n")
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write(HEARTBEAT.hex().encode() + b"\n")
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=20) == 0


def test_a_wrong_argument_is_refused_with_the_usage() -> None:
    done = command("explain")
    assert done.returncode == 2
    assert b"usage: evcs frame" in done.stderr


def test_a_frame_too_short_for_its_table_still_has_its_name() -> None:
    code, text = run("decode", pack(0x0A, 1, bytes(86)).hex())
    assert code == 1
    assert "计费模型请求应答" in text
    assert "未知类型" not in text
