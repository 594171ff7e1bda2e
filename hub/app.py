"""The only place where the web application is put together."""

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from typing import Any, Final

from litestar import Litestar, Router
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import State
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ControllerRouterHandler
from typing_extensions import override

from hub.plugins.manager import Plugins
from hub.services.accounts import Accounts
from hub.services.appeals import Appeals
from hub.services.channels import Channels
from hub.services.contracts import Contracts
from hub.services.drafts import Drafts
from hub.services.home import Home
from hub.services.leaving import Leaving
from hub.services.line_figures import line_figures as figures_of_lines
from hub.services.live import Live
from hub.services.notices import Notices
from hub.services.pages import PointPages
from hub.services.passwords import Passwords
from hub.services.persons import Persons
from hub.services.phones import Phones
from hub.services.processing import read_text
from hub.services.recovery import Recovery
from hub.services.rules import Rules
from hub.services.second_factor import SecondFactors
from hub.services.shell import Shell as ShellService
from hub.services.submissions import Submissions
from hub.services.tokens import Tokens
from hub.services.watch import Watch
from hub.settings import Settings
from hub.store.unit import Store
from hub.web.features.access import routes as access
from hub.web.features.account import routes as account
from hub.web.features.api import routes as api
from hub.web.features.appeals import routes as appeals
from hub.web.features.contracts import routes as contracts
from hub.web.features.demo import routes as demo
from hub.web.features.help import routes as help_pages
from hub.web.features.home import routes as home
from hub.web.features.install import routes as install
from hub.web.features.journal import routes as journal
from hub.web.features.live import routes as live
from hub.web.features.load_profile import routes as load_profile
from hub.web.features.notifications import routes as notifications
from hub.web.features.points import routes as points
from hub.web.features.registers import routes as registers
from hub.web.features.submissions import routes as submissions
from hub.web.features.transformers import routes as transformers
from hub.web.kit import language_route, probes
from hub.web.kit.assets import Assets, static_file
from hub.web.kit.edge import CSRF_COOKIE, Edge, cookie_name
from hub.web.kit.failures import ShellOf, on_error
from hub.web.kit.i18n import gettext
from hub.web.kit.probes import LineFiguresNow, Probe
from hub.web.kit.rendering import environments
from hub.web.kit.requests import LARGEST_BODY, MOST_FIELDS, PortalRequest, read_form
from hub.web.kit.services import Services
from hub.web.kit.typed import last_user
from hub.web.kit.visitor import frame_of, visitor
from hub.wire.http import Web

FEATURES: Final[tuple[Router, ...]] = (
    access.router,
    account.router,
    contracts.router,
    home.router,
    points.router,
    registers.router,
    load_profile.router,
    journal.router,
    transformers.router,
    live.router,
    submissions.router,
    notifications.router,
    appeals.router,
    help_pages.router,
    install.router,
    demo.router,
    api.router,
)


class BrandName:
    """The product's name in the visitor's language, unless the installation has its own."""

    def __init__(self, name: str) -> None:
        self.name = name

    @override
    def __str__(self) -> str:
        return self.name or gettext("Metering hub")


def csrf_secret(settings: Settings) -> str:
    """Derive the secret from the newest key; without keys it lives as long as the process."""
    if not settings.keys:
        return secrets.token_hex(32)
    newest = settings.keys[0].get_secret_value().encode()
    return hashlib.sha256(b"csrf:" + newest).hexdigest()


def create_app(settings: Settings, store: Store, plugins: Plugins) -> Litestar:
    """Make the portal over an open store; the store stays the caller's to close."""
    passwords = Passwords()
    web = Web(settings.private_hosts)
    sends_sms = settings.demo or settings.sms_url is not None
    sms = plugins.notifiers.get("sms") if sends_sms else None
    phones = Phones(store, sms.check_address) if sms else None
    persons, factors = Persons(store, passwords), SecondFactors(store)
    made = Services(
        store=store,
        accounts=Accounts(store, passwords),
        recovery=Recovery(store, passwords),
        persons=persons,
        leaving=Leaving(store, persons),
        second_factors=factors,
        channels=Channels(store),
        contracts=Contracts(store, plugins, passwords, web=web),
        drafts=Drafts(store),
        notices=Notices(store),
        appeals=Appeals(store),
        rules=Rules(store),
        tokens=Tokens(store, persons, factors),
        submissions=Submissions(store),
        home=Home(store),
        pages=PointPages(store),
        live=Live(store, plugins.drivers),
        shell=ShellService(store),
        watch=Watch(store),
        terms=plugins.drivers,
        phones=phones,
    )
    return assemble(
        settings,
        features=FEATURES,
        state={
            "services": made,
            "processing": read_text(settings.processing_text),
            "may_send_files": lambda request: visitor(request) or last_user(request),
        },
        shell_of=frame_of,
        ready={"store": store.check_schema},
        on_shutdown=(web.close,),
        line_figures=partial(figures_of_lines, store, with_meters=False),
    )


def assemble(
    settings: Settings,
    *,
    features: Sequence[ControllerRouterHandler] = (),
    state: Mapping[str, Any] | None = None,
    shell_of: ShellOf,
    ready: Mapping[str, Probe] | None = None,
    on_shutdown: Sequence[Callable[[], Awaitable[None]]] = (),
    line_figures: LineFiguresNow | None = None,
) -> Litestar:
    """Put the portal together from parts.

    ``features`` are the slices' routers, ``state`` the services they find in ``app.state``,
    ``shell_of`` the frame of a signed-in visitor (for error pages), ``ready`` the probes of
    ``/health/ready`` by name: each raises a HubError when its thing is not usable;
    ``line_figures`` is for ``/metrics``.
    """
    assets = Assets()
    secret = csrf_secret(settings)
    token = settings.metrics_token
    app = Litestar(
        route_handlers=[static_file, language_route.choose_language, probes.router, *features],
        csrf_config=CSRFConfig(
            secret=secret,
            cookie_name=cookie_name(CSRF_COOKIE, secure=settings.cookies_secure),
            cookie_secure=settings.cookies_secure,
            cookie_httponly=True,
            cookie_samesite="lax",
        ),
        openapi_config=OpenAPIConfig(
            title="Metering hub",
            version=version("metering-hub"),
            path="/schema",
            render_plugins=[probes.SchemaPage(), JsonRenderPlugin()],
            components=Components(
                security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}
            ),
        ),
        include_in_schema=False,  # but for what programs may rely on, which says so itself
        exception_handlers={Exception: on_error(shell_of)},
        request_class=PortalRequest,
        on_shutdown=list(on_shutdown),
        before_request=read_form,
        request_max_body_size=LARGEST_BODY,
        multipart_form_part_limit=MOST_FIELDS,
        debug=False,  # whatever LITESTAR_DEBUG says: its pages show the inside
        pdb_on_exception=False,
        logging_config=None,  # hub.logs decides; Litestar's would take over the root logger
        state=State(
            {
                "assets": assets,
                "templates": environments(assets),
                "settings": settings,
                "brand": BrandName(settings.brand),
                "csrf_secret": secret,
                "secure": settings.cookies_secure,
                "metrics_token": token.get_secret_value() if token else None,
                "probes": dict(ready or {}),
                "line_figures": line_figures,
                **(state or {}),
            }
        ),
    )
    app.asgi_handler = Edge(
        app.asgi_handler,
        csrf_secret=secret,
        secure=settings.cookies_secure,
        base_url=settings.base_url,
    )
    return app
