"""The visitor's choice of language, kept in a cookie for a year."""

from typing import Annotated

from litestar import get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, QueryParameter
from litestar.response import Response

from hub.web.kit.i18n import LANGUAGES
from hub.web.kit.requests import AnyRequest
from hub.web.kit.respond import local_path
from hub.web.kit.visitor import speak


@get("/language/{code:str}", sync_to_thread=False)
def choose_language(
    request: AnyRequest,
    code: FromPath[str],
    back: Annotated[str, QueryParameter(name="next")] = "/",
) -> Response[str]:
    if code not in LANGUAGES:
        raise NotFoundException
    response = Response("", status_code=303, headers={"Location": local_path(back)})
    speak(request, response, code)
    return response
