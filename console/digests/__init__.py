"""Digests: what whoever comes on duty should know, and what those who go hand over."""
