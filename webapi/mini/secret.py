"""The secret that signs the QR codes of guns: from the settings, else kept in a file that the first start makes."""

import os
from pathlib import Path
from secrets import token_hex

FILE = "qr-secret"


def qr_secret(given: str | None, folder: Path) -> str:
    """The given one, or that of the folder; several processes that start at once agree on one.

    Raises OSError where the folder cannot be written.
    """
    if given is not None:
        return given
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    if not path.exists():
        made = folder / f".{FILE}.{token_hex(8)}"
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token_hex(32))
        try:
            os.link(made, path)  # whole or not at all, and never over another's
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return path.read_text(encoding="ascii").strip()
