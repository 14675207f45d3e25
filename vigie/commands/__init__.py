"""The subcommands of `vigie`, each a few lines."""
