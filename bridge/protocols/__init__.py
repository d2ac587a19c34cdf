"""Pile protocols: bytes of the field ⇄ declared messages; nothing outside the bridge sees them."""
