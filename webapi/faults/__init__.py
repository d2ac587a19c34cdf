"""Faults and warnings as alarms tell them."""
