"""The page for people: what the crisis cell looks at and decides on, and the archive behind it."""
