"""`paragone verify`."""

import click


@click.command(short_help="Check.")
def verify() -> None:
    """X"""
