"""How a browser signs in to a portal."""

from playwright.sync_api import Page

_COOKIES: dict[tuple[str, str], list] = {}  # of whoever has signed in, by portal and e-mail


def sign_in(page: Page, url: str, email: str, password: str, *, anew: bool = False) -> None:
    """Fill the sign-in form in and send it, as a person does; later pages take that session on.

    How often an address may sign in is limited. ``anew``: for a test that ends the session.
    """
    known = None if anew else _COOKIES.get((url, email))
    if known is not None:
        page.context.add_cookies(known)
        page.goto(url)
        return
    page.goto(f"{url}/login")
    page.fill("#email", email)
    page.fill("#password", password)
    page.click("#login-form button[type=submit]")
    page.wait_for_url(lambda address: "/login" not in address)
    if not anew:
        _COOKIES[url, email] = page.context.cookies()
