"""Scenarios: stretches of time told as data files, with the truth about them, and the library of those that ship."""
