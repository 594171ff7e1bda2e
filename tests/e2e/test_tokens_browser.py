"""A token for a program, made and taken back in a real browser."""

import httpx
import pytest
from browsers import complaints
from browsing import sign_in
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e


@pytest.mark.clause("P4.tokens")
def test_a_program_reads_with_a_token_until_it_is_revoked(browser, demo):
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="ru-RU")
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=demo.url)
    page = context.new_page()
    said = complaints(page)
    sign_in(page, demo.url, "orlova@example.org", "Zarechye-2026")
    page.goto(f"{demo.url}/account/security")
    page.get_by_role("link", name="Токены доступа").click()
    page.get_by_role("link", name="Создать токен").click()
    page.get_by_label("Название").fill("Умный дом")
    page.get_by_label("Профиль мощности").check()
    page.get_by_label("Текущий пароль").fill("Zarechye-2026")
    page.get_by_role("button", name="Создать токен").click()
    secret = page.locator("#secret").inner_text()
    page.get_by_role("button", name="Скопировать").click()
    expect(page.get_by_role("button", name="Скопировано")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret

    api = httpx.Client(base_url=f"{demo.url}/api/v1", headers={"Authorization": f"Bearer {secret}"})
    contract = api.get("/contracts").json()["contracts"][0]
    points = api.get(f"/contracts/{contract['id']}/points").json()["points"]
    point = next(each for each in points if each["reports"])
    assert api.get(f"/points/{point['id']}/profile").status_code == httpx.codes.OK
    assert api.get(f"/points/{point['id']}/journal").status_code == httpx.codes.FORBIDDEN

    page.get_by_role("link", name="Токен сохранен").click()
    expect(page.get_by_text(secret)).to_have_count(0)
    page.get_by_role("link", name="Отозвать: Умный дом").first.click()
    page.get_by_role("button", name="Отозвать").click()
    expect(page.get_by_text("Токен отозван")).to_be_visible()
    assert api.get("/contracts").status_code == httpx.codes.UNAUTHORIZED
    api.close()
    assert said == []
    context.close()
