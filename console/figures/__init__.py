"""Figures: what is counted and shown as a table, a share or a bar, and the words for it."""
