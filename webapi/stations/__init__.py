"""Stations: the places where piles stand."""
