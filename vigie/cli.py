"""The command `vigie`: one subcommand a job, in `commands/`."""

from itertools import chain

import click

from vigie.commands import in_force, keeping, models, running, telling, trying


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vigie")
def main() -> None:
    """Vigie reads public posts, finds danger in them early, and tells people, with the evidence in hand."""


for command in chain.from_iterable(room.COMMANDS for room in (running, telling, in_force, keeping, trying, models)):
    main.add_command(command)
