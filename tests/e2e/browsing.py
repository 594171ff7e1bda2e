"""How a browser signs in to a portal."""

from playwright.sync_api import Page


def sign_in(page: Page, url: str, email: str, password: str) -> None:
    """Fill the sign-in form in and send it, as a person does."""
    page.goto(f"{url}/login")
    page.fill("#email", email)
    page.fill("#password", password)
    page.click("#login-form button[type=submit]")
    page.wait_for_url(lambda address: "/login" not in address)
