"""Pile TCP ⇄ MQTT: the only room that knows the bytes of piles."""
