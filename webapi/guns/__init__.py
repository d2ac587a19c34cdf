"""Guns: what is plugged into a car."""
