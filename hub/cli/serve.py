"""``hub serve``: the portal, and with ``--collect`` the collector beside it."""

import asyncio
import signal
import socket
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final

import click

from hub.cli import processes
from hub.errors import PortTaken, StoreError

if TYPE_CHECKING:
    from uvicorn import Server

    from hub.services.carrying import Carrier
    from hub.services.exchange import Exchange
    from hub.services.rule_runner import RuleRunner

CARRY_EVERY_S: Final = 1.0
EXCHANGE_EVERY_S: Final = 1.0
RULES_EVERY_S: Final = 2.0
COLLECTOR_AGAIN_S: Final = 5.0
WAITING: Final = 2048  # connections that may wait to be accepted
GRACE_S: Final = 5  # for requests that are being answered at the end


@click.command()
@click.option("--collect", is_flag=True, help="Read meters too: the small installation.")
@click.option("--host", help="Address to listen on; else HUB_HOST.")
@click.option("--port", type=click.IntRange(0, 65535), help="Else HUB_PORT; 0: any free one.")
def serve(*, collect: bool, host: str | None, port: int | None) -> None:
    """Serve the portal until ended by Ctrl-C or SIGTERM.

    Any number may serve one PostgreSQL database. With --collect the meters are read by a process
    of its own, started again should it end.
    """
    import uvicorn
    from pydantic import SecretStr

    from hub.app import create_app
    from hub.cli.notifiers import carriers
    from hub.cli.opening import open_plugins, open_store, read_keys, read_settings
    from hub.logs import log_to_stderr
    from hub.services.exchange import Exchange
    from hub.services.passwords import Passwords
    from hub.services.rule_runner import RuleRunner
    from hub.web.kit.patience import PatientProtocol
    from hub.wire.http import Web

    settings = read_settings()
    asked: dict[str, Any] = {"host": host, "port": port}
    settings = settings.model_copy(
        update={
            "keys": tuple(SecretStr(key) for key in read_keys(settings)),
            **{name: value for name, value in asked.items() if value is not None},
        }
    )
    log_to_stderr(settings.log_level)
    plugins = open_plugins(settings)
    with open_store(settings) as store, _listen(settings.host, settings.port) as listener:
        web = Web(settings.private_hosts)
        beside = [_exchange(Exchange(store, plugins, Passwords(), web=web))]
        beside.append(_look_at_rules(RuleRunner(store)))
        beside += [_carry(each) for each in carriers(settings, store, plugins, web)]
        if collect:
            beside.append(_collect())
        config = uvicorn.Config(
            create_app(settings, store, plugins),
            access_log=False,
            server_header=False,
            http=PatientProtocol,
            log_level="warning" if settings.log_level == "info" else settings.log_level,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies),
            timeout_graceful_shutdown=GRACE_S,
        )
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in str(host) else host
        click.echo(f"The portal listens on http://{shown}:{port}/", err=True)
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(_serve(uvicorn.Server(config), listener, beside))


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before anything else is started; connections wait until the portal is up."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=WAITING)
    except OSError as error:
        raise PortTaken(
            f"The portal can't listen on {host}:{port} ({error.strerror or error}); "
            "end the program that does, or give another --host or --port."
        ) from error


async def _serve(
    server: "Server", listener: socket.socket, beside: list[Coroutine[Any, Any, None]]
) -> None:
    """Serve until a signal comes; end also if something beside fails, and say what failed."""

    def stop(_number: int, _frame: object) -> None:
        server.should_exit = True

    # Uvicorn puts its own in their place while it serves, and raises the signal again at its
    # end: with these that does not cut off what has to be ended in order.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    tasks = [asyncio.create_task(each) for each in beside]
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await asyncio.wait([serving, *tasks], return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in ended:
        if isinstance(outcome, Exception):
            raise outcome


async def _carry(carrier: "Carrier") -> None:
    """Deliver messages of one kind as they fall due."""
    import structlog

    log = structlog.get_logger(f"hub.{carrier.kind}")
    while True:
        try:
            await carrier.deliver_due()
        except StoreError as error:
            log.warning("message.not_carried", code=error.code)
        await asyncio.sleep(CARRY_EVERY_S)


async def _exchange(exchange: "Exchange") -> None:
    """Carry messages to suppliers and ask for their news as they fall due."""
    import structlog

    while True:
        try:
            await exchange.run_due()
        except StoreError as error:
            structlog.get_logger("hub.exchange").warning("exchange.waits", code=error.code)
        await asyncio.sleep(EXCHANGE_EVERY_S)


async def _look_at_rules(runner: "RuleRunner") -> None:
    """Look at consumers' rules as data come and time passes."""
    import structlog

    while True:
        try:
            while await asyncio.to_thread(runner.run_due):
                pass
        except StoreError as error:
            structlog.get_logger("hub.rules").warning("rules.wait", code=error.code)
        await asyncio.sleep(RULES_EVERY_S)


async def _collect() -> None:
    """Keep a collector running beside the portal."""
    import structlog

    log = structlog.get_logger("hub.serve")
    while True:
        child = processes.start("collect")
        try:
            code = await asyncio.to_thread(child.wait)
        finally:
            processes.end([child])
        log.error("collector.ended", code=code, again_in_s=COLLECTOR_AGAIN_S)
        await asyncio.sleep(COLLECTOR_AGAIN_S)
