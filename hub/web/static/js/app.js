// Small conveniences of every page. Everything here shortens a way that also works without it.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");
  const $ = (selector, from = document) => from.querySelector(selector);

  addEventListener("load", () => navigator.serviceWorker?.register("/worker.js"));

  // -- announcements ------------------------------------------------------------------------
  let timer;
  window.hubSay = (text) => {
    clearTimeout(timer);
    timer = setTimeout(() => { const live = $("#live"); if (live) live.textContent = text; }, 500);
  };

  // -- menus: <details> with links; arrows, Esc and a click outside close or move ---------------
  const items = (menu) => [...menu.querySelectorAll(":scope > .pop :is(a, button, summary)")]
    .filter((item) => item.checkVisibility());
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    const eye = event.target.closest("[data-eye]");
    if (eye) {
      const input = document.getElementById(eye.dataset.eye);
      const shown = input.type === "password";
      input.type = shown ? "text" : "password";
      eye.setAttribute("aria-pressed", String(shown));
      eye.setAttribute("aria-label", shown ? eye.dataset.hide : eye.dataset.show);
      const use = $("use", eye);
      use.setAttribute("href", use.getAttribute("href").replace(/#.*/, shown ? "#eye-off" : "#eye"));
      input.focus();
    }
    if (event.target.closest("[data-print]")) window.print();
    const say = event.target.closest("[data-say]");
    if (say) window.hubSay(document.getElementById(say.dataset.say).textContent);
    const shut = event.target.closest("[data-shut]")?.closest("details.menu");
    if (shut) { shut.open = false; $("summary", shut).focus(); }
    const close = event.target.closest("dialog [data-close]");
    if (close) { event.preventDefault(); close.closest("dialog").close(); }
    if (event.target.closest('[aria-disabled="true"]')) event.preventDefault();
    if (event.target instanceof HTMLDialogElement) event.target.close();
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.("details.menu");
    if (!menu) return;
    if (event.key === "Escape" && menu.open) {
      menu.open = false;
      $("summary", menu).focus();
    } else if (["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) {
      if (event.target.matches("input")) return;
      event.preventDefault();
      menu.open = true;
      const all = items(menu);
      const at = all.indexOf(document.activeElement);
      const next = { ArrowDown: at + 1, ArrowUp: at < 0 ? all.length - 1 : at - 1, Home: 0, End: all.length - 1 };
      all[(next[event.key] + all.length) % all.length]?.focus();
    }
  });

  // -- forms: busy while sent, a second send ignored --------------------------------------------
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.getAttribute("aria-busy") === "true") { event.preventDefault(); event.stopPropagation(); return; }
    if ("download" in form.dataset) return; // its answer is a file; the page stays
    form.setAttribute("aria-busy", "true");
    const button = $("button[data-busy] span", form);
    if (button) { button.dataset.label = button.textContent; button.textContent = button.parentNode.dataset.busy; }
  }, true);
  const idle = () => {
    for (const form of document.querySelectorAll('form[aria-busy="true"]')) {
      form.removeAttribute("aria-busy");
      const label = $("button[data-busy] span[data-label]", form);
      if (label) label.textContent = label.dataset.label;
    }
  };
  addEventListener("pageshow", idle);
  document.addEventListener("htmx:finally:request", idle);
  document.addEventListener("focusout", (event) => {
    const id = event.target.dataset?.strength;
    if (!id) return;
    const value = event.target.value;
    const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\d/, /[^\p{L}\d]/u].filter((kind) => kind.test(value)).length;
    const score = value.length < 8 ? (value ? 1 : 0) : Math.min(4, 1 + (value.length > 11) + (value.length > 15) + (kinds > 2));
    document.getElementById(id).dataset.score = String(score);
    const words = document.getElementById(id.replace(/strength$/, "words"));
    words.textContent = words.dataset[score] || "";
  });

  // -- a form that opens under its row; the button that opened it folds it up --------------------
  const folds = () => {
    for (const opener of document.querySelectorAll("[data-opens]")) {
      const open = Boolean(document.getElementById(opener.dataset.opens)?.firstElementChild);
      opener.setAttribute("aria-controls", opener.dataset.opens);
      opener.setAttribute("aria-expanded", String(open));
      const label = $("[data-open]", opener);
      label.textContent = open ? label.dataset.shut : label.dataset.open;
    }
  };
  document.addEventListener("click", (event) => {
    const within = event.target.closest("[data-fold-close]")?.closest(".fold");
    const opener = within ? $(`[data-opens="${within.id}"]`) : event.target.closest('[data-opens][aria-expanded="true"]');
    if (!opener) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    document.getElementById(opener.dataset.opens).replaceChildren();
    folds();
    opener.focus();
  }, true);

  // -- after a swap: focus where the page asks for it -------------------------------------------
  let lastFocus = null;
  document.addEventListener("focusin", (event) => { lastFocus = event.target; });
  const settle = (region) => {
    const wanted = $('[role="alert"][tabindex="-1"]', region) || $("[data-autofocus]", region);
    if (wanted) wanted.focus();
    else if (lastFocus && !lastFocus.isConnected) {
      const same = [...region.querySelectorAll("a[href]")].find((link) => link.href === lastFocus.href);
      ($('h1[tabindex="-1"], h2[tabindex="-1"]', region) || same || $("a[href], button, input:not([type=hidden])", region))?.focus();
    }
    for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
      const bar = tab.parentNode;
      bar.scrollLeft = tab.offsetLeft - (bar.clientWidth - tab.offsetWidth) / 2;
    }
    countdowns();
    rove();
    folds();
  };

  // -- the dialog opens itself when a fragment arrives in it --------------------------------------
  function watchDialog() {
    const dialog = $("#dialog");
    if (!dialog) return;
    let opener = null;
    new MutationObserver(() => {
      if (!dialog.open && dialog.firstElementChild) {
        opener = document.activeElement;
        dialog.showModal();
        ($('[role="alert"]', dialog) || $("select, input:not([type=hidden])", dialog))?.focus();
      }
    }).observe(dialog, { childList: true });
    dialog.addEventListener("close", () => {
      dialog.replaceChildren();
      // What opened it may lie in a menu that has closed since.
      const shown = opener?.closest("details.menu:not([open])")?.querySelector("summary") || opener;
      if (shown?.isConnected) shown.focus();
    });
  }

  // -- «send again in 0:42» ------------------------------------------------------------------------
  function countdowns() {
    for (const button of document.querySelectorAll("[data-countdown]:not([data-ticking])")) {
      button.dataset.ticking = "1";
      const until = Date.now() + Number(button.dataset.countdown) * 1000;
      const text = button.textContent;
      const tick = () => {
        if (!button.isConnected) return;
        const left = Math.max(0, Math.round((until - Date.now()) / 1000));
        if (!left) { button.removeAttribute("aria-disabled"); button.textContent = button.dataset.ready; return; }
        button.textContent = text.replace(/\d+:\d\d/, `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`);
        setTimeout(tick, 1000);
      };
      tick();
    }
  }

  // -- what asks again by itself rests while nobody looks ------------------------------------------
  document.addEventListener("visibilitychange", () => { if (document.hidden) $("[data-when-hidden]")?.click(); });

  // -- calendar: one tab stop, arrows by day, PageUp and PageDown by month ---------------------------
  let wantedDay = null;
  const rove = () => {
    for (const calendar of document.querySelectorAll("[data-calendar]")) {
      const days = [...calendar.querySelectorAll("a.d")];
      const wanted = wantedDay && days[Math.min(wantedDay, days.length) - 1];
      const stop = wanted || days.find((day) => day.matches('[aria-current="true"]')) || days.at(-1);
      for (const day of days) day.tabIndex = day === stop ? 0 : -1;
      wanted?.focus();
    }
    wantedDay = null;
  };
  document.addEventListener("keydown", (event) => {
    const calendar = event.target.closest?.("[data-calendar]");
    if (!calendar) return;
    const days = [...calendar.querySelectorAll("a.d")], at = days.indexOf(event.target);
    const month = { PageUp: "previous", PageDown: "following" }[event.key];
    if (month) {
      const link = calendar.parentNode.querySelector(`[data-month="${month}"]`);
      event.preventDefault();
      if (link) { wantedDay = at + 1; link.click(); }
      return;
    }
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - 7, ArrowDown: at + 7, Home: 0, End: days.length - 1 }[event.key];
    const next = days[to];
    if (!next) return;
    event.preventDefault();
    for (const day of days) day.tabIndex = day === next ? 0 : -1;
    next.focus();
  });

  // -- notifications that come, or are read elsewhere, while the page is open ---------------------
  // Only a page that is looked at holds a stream: browsers have few connections to one host.
  function watchEvents() {
    const frame = $("[data-events]");
    if (!frame) return;
    let source = null, shown = null;
    const tell = async (event) => {
      const unread = JSON.parse(event.data);
      for (const row of document.querySelectorAll("[data-notice]")) {
        const ids = unread[row.dataset.contract] || [];
        if (ids.includes(Number(row.dataset.notice))) continue;
        row.classList.remove("new");
        $("[data-unread]", row)?.remove();
        row.removeAttribute("data-notice");
      }
      const news = $("#news");
      if (news && Math.max(0, ...(unread[news.dataset.contract] || [])) > Number(news.dataset.newest)) $(".note", news).hidden = false;
      const counts = Object.entries(unread).map(([id, ids]) => [id, ids.length]).filter(([, count]) => count);
      const known = shown === null && JSON.stringify(Object.fromEntries(counts)) === JSON.stringify(JSON.parse(frame.dataset.counts));
      if (known || shown === event.data) { shown = event.data; return; }
      shown = event.data;
      const answer = await fetch(frame.dataset.signs, { headers: { "HX-Request": "true" } });
      if (!answer.ok || answer.redirected) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const id of ["contracts", "switcher", "sections"]) {
        const old = document.getElementById(id), next = fresh.getElementById(id);
        if (!old || !next || old.textContent === next.textContent) continue;
        if (old.open) next.open = true;
        const focused = old.contains(document.activeElement) && document.activeElement.getAttribute("href");
        old.replaceWith(document.adoptNode(next));
        window.htmx?.process(next);
        if (focused) next.querySelector(`[href="${focused}"]`)?.focus();
      }
    };
    const turn = () => {
      if (document.hidden) { source?.close(); source = null; }
      else if (!source || source.readyState === EventSource.CLOSED) {
        source = new EventSource(frame.dataset.events);
        source.addEventListener("unread", tell);
      }
    };
    document.addEventListener("visibilitychange", turn);
    addEventListener("pagehide", () => { source?.close(); source = null; });
    addEventListener("pageshow", turn);
    turn();
  }

  document.addEventListener("DOMContentLoaded", () => { watchDialog(); settle(document); watchEvents(); });
  document.addEventListener("htmx:after:swap", (event) => {
    const target = event.detail?.ctx?.target;
    settle(target?.isConnected ? target : (target?.id && document.getElementById(target.id)) || document);
    document.dispatchEvent(new CustomEvent("hub:swapped"));
  });
})();
