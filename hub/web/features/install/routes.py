"""Manifest, service worker and the page for when there is no connection.

The worker answers navigations that fail with a page of its own, and keeps nothing else: what a
person was shown does not stay on the device.
"""

import json
from importlib.resources import files

from litestar import Router, get
from litestar.response import Response

from hub.web.kit.assets import Assets
from hub.web.kit.requests import AnyRequest
from hub.web.kit.respond import respond

WORKER = files("hub.web.features.install").joinpath("worker.js").read_text("utf-8")
A_DAY = {"Cache-Control": "public, max-age=86400"}
ACCENT, GROUND = "#0a6670", "#f3f6f6"  # --accent and --bg of the light theme


@get("/manifest.webmanifest", sync_to_thread=False)
def manifest(request: AnyRequest) -> Response[str]:
    """Describe the app to the browser (W3C Web Application Manifest)."""
    assets: Assets = request.app.state.assets
    brand = str(request.app.state.brand)
    icons = [
        {
            "src": assets.url(f"app/{name}.png"),
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": purpose,
        }
        for name, size, purpose in (
            ("icon-192", 192, "any"),
            ("icon-512", 512, "any"),
            ("icon-maskable-512", 512, "maskable"),
        )
    ]
    text = json.dumps(
        {
            "name": brand,
            "short_name": brand[:12].strip(),
            "id": "/",
            "start_url": "/",
            "scope": "/",
            "display": "standalone",
            "background_color": GROUND,
            "theme_color": ACCENT,
            "icons": icons,
        },
        ensure_ascii=False,
    )
    return Response(text, media_type="application/manifest+json", headers=A_DAY)


@get("/worker.js", sync_to_thread=False)
def worker(request: AnyRequest) -> Response[str]:
    """Give the service worker; a new style sheet makes it a new one."""
    assets: Assets = request.app.state.assets
    kept = ["/offline", assets.url("css/hub.css"), assets.url("icons.svg")]
    name = "offline-" + assets.by_name["css/hub.css"].digest
    text = f"const NAME = {json.dumps(name)};\nconst KEPT = {json.dumps(kept)};\n{WORKER}"
    return Response(text, media_type="text/javascript", headers={"Cache-Control": "no-cache"})


@get("/offline", sync_to_thread=True)
def offline(request: AnyRequest) -> Response[str]:
    """Say that there is no connection; the worker keeps this page, so nobody's name is on it."""
    return respond(request, "install/offline.html")


router = Router("/", route_handlers=[manifest, worker, offline])
