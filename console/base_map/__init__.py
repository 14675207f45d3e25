"""The base map that comes with Vigie, and the boundaries that a user lays over it."""
