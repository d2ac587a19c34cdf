"""Asking the gate of a transformer whether a start would be admitted now, without starting anything."""
