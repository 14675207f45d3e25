"""Deciding: what people decide of an incident: how it is typed, what it changes, and what has changed since."""
