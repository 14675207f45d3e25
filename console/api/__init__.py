"""API: what programs ask of the console, in JSON, and the description of it."""
