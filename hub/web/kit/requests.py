"""The request type of every handler, what a form sends, and where a request comes from."""

from typing import Annotated, Any, TypeAlias
from urllib.parse import parse_qsl

from anyio import to_thread
from litestar import Request
from litestar.datastructures import FormMultiDict
from litestar.enums import RequestEncodingType
from litestar.exceptions import ClientException, NotAuthorizedException
from litestar.params import Body
from litestar.types import Empty
from litestar.utils.scope.state import ScopeState
from typing_extensions import override

AnyRequest: TypeAlias = Request[Any, Any, Any]

# One sent twice is refused.
Typed: TypeAlias = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]

LARGEST_BODY = 64 * 1024  # our forms are short; those with files name their own limit
MOST_FIELDS = 50
FORMS = {RequestEncodingType.URL_ENCODED, RequestEncodingType.MULTI_PART}
WHITE = frozenset("\t\r\n")


class PortalRequest(Request[Any, Any, Any]):
    """Reads forms itself: Litestar keeps the last 1024 bodies, passwords in them, in a cache."""

    @override
    async def form(self) -> FormMultiDict:
        state = ScopeState.from_scope(self.scope)
        if state.form is not Empty:
            return await super().form()
        if self.content_type[0] == RequestEncodingType.URL_ENCODED:
            state.form = parse_form(await self.body())
        elif self.content_type[0] == RequestEncodingType.MULTI_PART:
            # Files are written to this machine while they come, so strangers send none.
            known = self.app.state.get("may_send_files")
            if known is None or not await to_thread.run_sync(known, self):
                raise NotAuthorizedException
            found = await super().form()
            _check([(name, text) for name, text in found.multi_items() if isinstance(text, str)])
        return await super().form()


async def read_form(request: AnyRequest) -> None:
    """Read the form before the handler's parameters are made, which would ask Litestar's parser."""
    if request.method == "POST" and request.content_type[0] in FORMS:
        await request.form()


def parse_form(body: bytes) -> dict[str, Any]:
    """Give each field's text, or its texts where it was sent more than once.

    Refused (400): what is no UTF-8, more fields than any form has, and control characters, which
    no field of ours takes and PostgreSQL can't keep.
    """
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError as error:
        raise ClientException("The form can't be read.") from error
    _check(pairs)
    fields: dict[str, Any] = {}
    for name, text in pairs:
        if name not in fields:
            fields[name] = text
        elif isinstance(fields[name], list):
            fields[name].append(text)
        else:
            fields[name] = [fields[name], text]
    return fields


def _check(pairs: list[tuple[str, str]]) -> None:
    if any(char < " " and char not in WHITE for _, text in pairs for char in text):
        raise ClientException("A field of the form holds control characters.")


def client_address(request: AnyRequest) -> str:
    """Give the asker's address; behind a trusted proxy the server has put the real one there."""
    return request.client.host if request.client else ""
