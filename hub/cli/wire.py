"""``hub wire``: what passes between masters and meters."""

from collections.abc import Mapping

import click

from hub.cli.kit import pairs, say_facts, say_json
from hub.cli.wire_log import log
from hub.cli.wire_record import record, replay


@click.group()
def wire() -> None:
    """Explain, keep and play exchanges with meters."""


wire.add_command(log)
wire.add_command(record)
wire.add_command(replay)


def _bytes(ctx: click.Context, parameter: click.Parameter, text: str | None) -> bytes | None:
    del ctx
    if text is None:
        return None
    try:
        return bytes.fromhex(text.replace(":", " ").replace("-", " "))
    except ValueError as error:
        raise click.BadParameter(
            f"'{text}' is not hex; write pairs of 0-9 and A-F, with spaces or without",
            param=parameter,
        ) from error


@wire.command()
@click.argument("request", metavar="REQUEST_HEX", callback=_bytes)
@click.argument("response", metavar="[RESPONSE_HEX]", required=False, callback=_bytes)
@click.option("--driver", required=True, metavar="NAME", help="See 'hub plugin list'.")
@click.option("--firmware", metavar="V", help="Of the meter, where the meaning depends on it.")
@click.option("--constant", metavar="IMP", help="Impulses a kilowatt-hour, for the same reason.")
@click.option("--hint", "hints", multiple=True, metavar="KEY=VALUE", help="The driver's own.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def decode(
    *,
    request: bytes,
    response: bytes | None,
    driver: str,
    firmware: str | None,
    constant: str | None,
    hints: tuple[str, ...],
    as_json: bool,
) -> None:
    """Explain a request and its response, as hex with spaces or without."""
    if not request:
        raise click.UsageError("The request is empty")
    own = pairs(hints, "--hint")
    named = {"firmware": firmware, "constant": constant}
    own |= {name: value for name, value in named.items() if value is not None}

    from hub.errors import NotSupported
    from hub.plugins.manager import load_plugins

    spec = load_plugins().driver(driver)
    if spec.explain is None:
        raise NotSupported(f"The driver '{driver}' explains no exchanges.")
    try:
        explained = spec.explain(request, response, own)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    shown = {
        "request": explained.request,
        "response": explained.response,
        "decoded": explained.decoded,
    }
    if as_json:
        say_json(shown)
    elif "says" in explained.request:
        _say("Request", explained.request)
        _say("Response", explained.response)
    else:
        say_facts(shown)


def _say(which: str, part: Mapping[str, object]) -> None:
    """Print the sentences of one direction."""
    says = part.get("says")
    if isinstance(says, list):
        click.echo(f"{which}: {says[0] if says else 'nothing is told.'}")
        for sentence in says[1:]:
            click.echo(f"  {sentence}")
