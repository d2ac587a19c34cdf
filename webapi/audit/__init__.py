"""Audit: who did what, when, from where."""
