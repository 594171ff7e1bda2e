"""Static files: content-hash names, held in memory, compressed once.

``assets.url("css/hub.css")`` gives an address that changes with the content and may be kept for
ever. A plain name answers too (fonts are named by the style sheet), for a day; the folder of a
vendored file already carries its version.
"""

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from litestar import get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Response

from hub.web.kit.requests import AnyRequest

BUNDLES: Mapping[str, tuple[str, ...]] = {
    "css/hub.css": tuple(
        f"css/{name}.css"
        for name in ("1-tokens", "2-base", "3-layout", "4-parts", "5-pages", "6-print")
    ),
}
COMPRESSIBLE = {"text/css", "text/javascript", "image/svg+xml", "application/json", "text/plain"}
FOREVER = "public, max-age=31536000, immutable"
A_DAY = "public, max-age=86400"
TYPES = {".js": "text/javascript", ".woff2": "font/woff2", ".svg": "image/svg+xml"}


def squeezed(css: bytes) -> bytes:
    """Drop comments and the white space that CSS does not need; our strings hold none of it."""
    css = re.sub(rb"/\*.*?\*/", b"", css, flags=re.DOTALL)
    css = re.sub(rb"\s+", b" ", css)
    css = re.sub(rb" ?([{};,]) ?", rb"\1", css)
    return re.sub(rb"([a-z]): ", rb"\1:", css).replace(b";}", b"}").strip()


@dataclass(frozen=True, slots=True)
class Asset:
    name: str
    body: bytes
    packed: bytes | None
    media_type: str
    digest: str

    @property
    def hashed(self) -> str:
        stem, dot, ending = self.name.rpartition(".")
        return f"{stem}.{self.digest}{dot}{ending}"


class Assets:
    """All static files of the package, by plain and by hashed name."""

    def __init__(self, root: Traversable | None = None) -> None:
        self.by_name: dict[str, Asset] = {}
        self.by_hashed: dict[str, Asset] = {}
        self._walk(root or files("hub.web").joinpath("static"), "")
        for name, parts in BUNDLES.items():
            self._add(name, squeezed(b"\n".join(self.by_name[part].body for part in parts)))

    def _walk(self, folder: Traversable, prefix: str) -> None:
        for entry in folder.iterdir():
            if entry.is_dir():
                self._walk(entry, f"{prefix}{entry.name}/")
            else:
                self._add(prefix + entry.name, entry.read_bytes())

    def _add(self, name: str, body: bytes) -> None:
        ending = f".{name.rpartition('.')[2]}"
        media_type = TYPES.get(ending) or mimetypes.guess_type(name)[0] or "text/plain"
        packed = gzip.compress(body, 9, mtime=0) if media_type in COMPRESSIBLE else None
        digest = hashlib.sha256(body).hexdigest()[:12]
        asset = Asset(name, body, packed, media_type, digest)
        self.by_name[name] = asset
        self.by_hashed[asset.hashed] = asset

    def url(self, name: str) -> str:
        """Give the address of a file; KeyError for a name that is not there."""
        return f"/static/{self.by_name[name].hashed}"

    def response(self, path: str, accept_encoding: str) -> Response[bytes]:
        name = path.lstrip("/")
        asset = self.by_hashed.get(name)
        cache = FOREVER
        if asset is None:
            asset = self.by_name.get(name)
            cache = FOREVER if name.startswith("vendor/") else A_DAY
        if asset is None:
            raise NotFoundException
        headers = {"Cache-Control": cache, "Vary": "Accept-Encoding"}
        body = asset.body
        if asset.packed is not None and "gzip" in accept_encoding:
            body = asset.packed
            headers["Content-Encoding"] = "gzip"
        return Response(body, media_type=asset.media_type, headers=headers)


@get("/static/{path:path}", sync_to_thread=False, name="static")
def static_file(request: AnyRequest, path: FromPath[str]) -> Response[bytes]:
    assets: Assets = request.app.state.assets
    return assets.response(path, request.headers.get("accept-encoding", ""))
