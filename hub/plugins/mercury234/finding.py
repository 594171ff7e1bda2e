"""Who is there? Asked without a password, in one exchange where that is enough.

A meter tells its serial number (08 00) on a closed channel. Its address (08 05) it tells, by the
documents, only on an open one; where it refuses, the address it was delivered with is tried: the
last three digits of the serial number, or two if that is 240 and more.
"""

from hub.plugins.api import FrameGarbled, Identity, Probed, Reply, ReplyTimeout, WrongDevice, ask
from hub.plugins.mercury234.driver import SERIAL, parse_facts
from hub.plugins.mercury234.frames import OVERHEAD, data_of, reply_rule, request
from hub.plugins.mercury234.session import other_protocol

GROUP = 0
OWN_ADDRESS = b"\x08\x05"
SERIAL_BYTES, ADDRESS_BYTES = 7, 2
LAST_ADDRESS = 0xF0


async def probe(address: int | None) -> Probed:
    """Ask one address who is there; None: whoever is alone on the line.

    ``Probed.address`` is 0 if the one who is alone did not tell its address.
    """
    if address is not None:
        return Probed(address=address, identity=_identity(await _serial(address)))
    alone = await _serial(GROUP)
    identity = _identity(alone)
    reply = await ask(request(GROUP, OWN_ADDRESS), reply_rule(GROUP, ADDRESS_BYTES))
    told = data_of(reply.frame)
    if len(told) == ADDRESS_BYTES and told[0] == 0 and 0 < told[1] <= LAST_ADDRESS:
        return Probed(address=told[1], identity=identity)
    if identity is not None:
        guess = delivered_address(identity.serial)
        try:
            if data_of((await _serial(guess)).frame) == data_of(alone.frame):
                return Probed(address=guess, identity=identity)
        except ReplyTimeout:
            pass
    return Probed(address=GROUP, identity=identity)


def delivered_address(serial: str) -> int:
    """Return the address that a meter leaves the factory with."""
    last = int(serial[-3:])
    return (last if last < 240 else last % 100) or 1


async def _serial(address: int) -> Reply:
    try:
        return await ask(request(address, SERIAL), reply_rule(address, SERIAL_BYTES))
    except FrameGarbled as error:
        raise other_protocol(error) from error


def _identity(reply: Reply) -> Identity | None:
    """Read who it is; None: a refusal, which is a meter all the same."""
    if len(reply.frame) != SERIAL_BYTES + OVERHEAD:
        return None
    try:
        return parse_facts(data_of(reply.frame)).identity({})
    except ValueError as error:
        raise WrongDevice(
            f"Somebody answers whose serial number makes no sense ({error}); it is another model, "
            "or two meters have one address."
        ) from error
