"""Signals to incidents: a false-alarm budget decides what is worth saying. Pure: no clock, no network, no broker."""
