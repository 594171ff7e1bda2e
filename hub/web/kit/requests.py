"""The request type of every handler, what a form sends, and where a request comes from."""

from typing import Annotated, Any, TypeAlias

from litestar import Request
from litestar.enums import RequestEncodingType
from litestar.params import Body

AnyRequest: TypeAlias = Request[Any, Any, Any]

# A field that was left empty is absent; one sent twice is refused.
Typed: TypeAlias = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


def client_address(request: AnyRequest) -> str:
    """Give the asker's address; behind a trusted proxy the server has put the real one there."""
    return request.client.host if request.client else ""
