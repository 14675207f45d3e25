"""Live: what changes while people look, and the latest of what posts say; in memory, filled again at each start."""
