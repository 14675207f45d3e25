"""Text to meaning: what danger a post speaks of, whether the author lives it, when, and where."""
