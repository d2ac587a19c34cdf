"""What is set aside holds no card password, also where it cannot be understood."""

from pathlib import Path

import msgspec
import pytest

from tests.webapi.books import BEGIN
from webapi.worker.rejects import Reject, RejectFile, without_secrets


@pytest.mark.parametrize(
    ("payload", "kept"),
    [
        (b'{"card_request":{"password":"49ba59abbe56e057","vin":""}}', b'{"card_request":{"password":"","vin":""}}'),
        (b'{"password" : "49ba59abbe56e057"', b'{"password" : ""'),
        (b'{"serial":"1"}', b'{"serial":"1"}'),
        (b"\xff\x00", b"\xff\x00"),
    ],
)
def test_a_password_is_left_out_and_everything_else_kept(tmp_path: Path, payload: bytes, kept: bytes) -> None:
    assert without_secrets(payload) == kept
    file = RejectFile(tmp_path)
    file.append(at=BEGIN, reason="not_handled", detail="", topic="t", payload=payload)
    line = msgspec.json.decode(file.path.read_bytes(), type=Reject)
    assert (bytes.fromhex(line.payload_hex), line.payload_bytes) == (kept, len(payload))
