// A form that is being written: kept on the server, characters counted, files attached when chosen.
(() => {
  "use strict";
  const EVERY = 20000, LARGEST = 10 * 1024 * 1024;
  const form = () => document.querySelector("form[data-writing]");
  let timer = null, kept = null, sending = false;

  const words = (from) => {
    const data = new FormData(from);
    data.delete("files");
    data.set("act", "save");
    return new URLSearchParams(data).toString();
  };
  const save = async () => {
    clearTimeout(timer);
    timer = null;
    const from = form();
    if (!from || sending) return;
    const body = words(from);
    if (body === kept) return;
    kept = body;
    let well = false;
    try {
      const answer = await fetch(from.action, {
        method: "POST", body, keepalive: true, headers: { "Content-Type": "application/x-www-form-urlencoded" },
      });
      well = answer.status === 204;
    } catch { /* said below */ }
    if (!well) { kept = null; timer = timer || setTimeout(save, EVERY); }
    const sign = form()?.querySelector("[data-saved]");
    const now = new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    if (sign) sign.textContent = well ? sign.dataset.saved.replace("#", now) : sign.dataset.unsaved;
  };
  const count = (from) => {
    for (const left of from.querySelectorAll("[data-counter]")) {
      const area = document.getElementById(left.dataset.counter);
      const number = (area.maxLength - area.value.length).toLocaleString(document.documentElement.lang);
      left.textContent = left.dataset.words.replace("#", number);
    }
  };

  document.addEventListener("input", (event) => {
    const from = event.target.closest("form[data-writing]");
    if (!from || event.target.type === "file") return;
    count(from);
    timer = timer || setTimeout(save, EVERY);
  });
  document.addEventListener("change", (event) => {
    const room = event.target.dataset?.attach;
    if (!room || !event.target.files.length) return;
    const files = [...event.target.files], block = event.target.closest(".field");
    const wrong = files.length > Number(room) || files.some((file) => file.size > LARGEST);
    block.querySelector("[data-refused]").hidden = !wrong;
    if (wrong) { event.target.value = ""; window.hubSay(block.querySelector("[data-refused]").textContent); return; }
    block.querySelector('button[value="attach"]').click();
  });
  document.addEventListener("submit", (event) => {
    if (event.target.matches("form[data-writing]")) { sending = true; clearTimeout(timer); timer = null; }
  });
  document.addEventListener("htmx:finally:request", () => { sending = false; });
  document.addEventListener("hub:swapped", () => { const from = form(); if (from) count(from); });
  addEventListener("pageshow", () => { sending = false; const from = form(); if (from) { kept = words(from); count(from); } });
  document.addEventListener("visibilitychange", () => { if (document.hidden) save(); });
  addEventListener("pagehide", save);
})();
