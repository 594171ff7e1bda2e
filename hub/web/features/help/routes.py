"""«Помощь»: the list of tasks, and one page a task; open to everybody, signed in or not."""

from struct import unpack

from litestar import Router, get
from litestar.params import FromPath
from litestar.response import Response

from hub.errors import Missing
from hub.web.features.help.articles import ARTICLES, BY_SLUG
from hub.web.kit.assets import Assets
from hub.web.kit.i18n import language
from hub.web.kit.requests import AnyRequest
from hub.web.kit.respond import respond
from hub.web.kit.visitor import frame_of


@get("/help", sync_to_thread=True)
def contents(request: AnyRequest) -> Response[str]:
    """List the tasks."""
    return respond(
        request, "help/contents.html", context={"articles": ARTICLES}, shell=frame_of(request)
    )


@get("/help/{slug:str}", sync_to_thread=True)
def article(request: AnyRequest, slug: FromPath[str]) -> Response[str]:
    """Show how one task is done."""
    found = BY_SLUG.get(slug)
    if found is None:
        raise Missing
    at = ARTICLES.index(found)
    assets: Assets = request.app.state.assets
    picture = f"help/{slug}.{language.get()}.png"
    return respond(
        request,
        "help/article.html",
        context={
            "article": found,
            "picture": picture,
            "size": unpack(">II", assets.by_name[picture].body[16:24]),  # of PNG: IHDR comes first
            "following": ARTICLES[at + 1] if at + 1 < len(ARTICLES) else None,
        },
        shell=frame_of(request),
    )


router = Router("/", route_handlers=[contents, article])
