"""The command `vigie`: settings, processes and every subcommand."""
