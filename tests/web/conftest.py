import pytest
from litestar import Litestar, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Response
from litestar.testing import TestClient
from pydantic import SecretStr
from web_samples import PAGES, shell

from hub.app import assemble
from hub.errors import LineDown, Missing
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
