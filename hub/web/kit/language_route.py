"""The visitor's choice of language, kept in a cookie for a year."""

from typing import Annotated

from litestar import get
from litestar.datastructures import Cookie
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, QueryParameter
from litestar.response import Response

from hub.web.kit.i18n import LANGUAGE_COOKIE, LANGUAGES
from hub.web.kit.requests import AnyRequest
from hub.web.kit.respond import local_path

A_YEAR = 31_536_000


@get("/language/{code:str}", sync_to_thread=False, include_in_schema=False)
def choose_language(
    request: AnyRequest,
    code: FromPath[str],
    back: Annotated[str, QueryParameter(name="next")] = "/",
) -> Response[str]:
    if code not in LANGUAGES:
        raise NotFoundException
    response = Response("", status_code=303, headers={"Location": local_path(back)})
    response.set_cookie(
        Cookie(
            LANGUAGE_COOKIE,
            value=code,
            max_age=A_YEAR,
            samesite="lax",
            secure=request.app.state.secure,
        )
    )
    return response
