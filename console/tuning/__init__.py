"""Tuning: a candidate profile is edited, tried on the past, watched beside the live one, and promoted by two people."""
