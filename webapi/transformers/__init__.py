"""Transformers: what feeds a station's piles and must never be overloaded."""
