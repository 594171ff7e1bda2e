from datetime import UTC, datetime, timedelta

import httpx
import pytest
from litestar import Litestar, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Response
from litestar.testing import TestClient
from portal import PASSWORD, Browser
from pydantic import SecretStr
from web_samples import PAGES, shell

from hub.app import assemble, create_app
from hub.errors import LineDown, Missing
from hub.plugins.manager import load_plugins
from hub.services.accounts import Accounts
from hub.services.exchange import Exchange
from hub.services.passwords import Passwords
from hub.settings import Settings
from hub.web.kit.i18n import language
from hub.web.kit.requests import AnyRequest
from hub.web.kit.respond import redirect, respond


@pytest.fixture(autouse=True)
def russian():
    token = language.set("ru")
    yield
    language.reset(token)


@get("/sample/{name:str}", sync_to_thread=True)
def sample(
    request: AnyRequest, name: FromPath[str], fragment: FromQuery[str] = ""
) -> Response[str]:
    page, context, section = PAGES[name]
    return respond(
        request,
        page,
        fragment=fragment or None,
        context=context,
        shell=None if section is None else lambda: shell(section),
    )


@post("/sample", sync_to_thread=True)
def write(request: AnyRequest) -> Response[str]:
    return redirect(request, "/sample/home")


@get("/fails/{kind:str}", sync_to_thread=True)
def fails(kind: FromPath[str]) -> None:
    raise {"missing": Missing, "down": LineDown}.get(kind, RuntimeError)("secret detail")


@pytest.fixture(scope="session")
def app() -> Litestar:
    return assemble(
        Settings(keys=(SecretStr("k" * 44),), metrics_token=SecretStr("token-of-metrics")),
        features=[sample, write, fails],
        shell_of=lambda _request: shell(),
    )


@pytest.fixture
def client(app: Litestar):
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


# -- the whole portal over a real store ----------------------------------------------------------


@pytest.fixture(scope="session")
def plugins():
    return load_plugins()


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(
        keys=(SecretStr("k" * 44),),
        data_dir=tmp_path,
        base_url="http://hub.test",
        demo=True,
        demo_login="anna@example.org Shown-1",
    )


@pytest.fixture
def portal(settings, store, plugins):
    """Make browsers, each with cookies of its own, before one running portal."""
    app = create_app(settings, store, plugins)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield lambda: Browser(httpx.Client(base_url=client.base_url, transport=client._transport))


@pytest.fixture
def guest(portal) -> Browser:
    return portal()


@pytest.fixture
def carry(store, plugins):
    """Let the exchange do what is due."""

    async def run() -> None:
        exchange = Exchange(store, plugins, Passwords())
        while await exchange.run_due():
            pass

    return run


@pytest.fixture
def clock(clock):
    """A little ahead of the clock on the wall, so that what the portal ordered just now is due."""
    clock.at = datetime.now(UTC) + timedelta(minutes=5)
    return clock


@pytest.fixture
def anna(store) -> int:
    """A confirmed user who has no contract yet."""
    return Accounts(store).add(
        email="anna@example.org", full_name="Ким Анна Сергеевна", password=PASSWORD
    )
