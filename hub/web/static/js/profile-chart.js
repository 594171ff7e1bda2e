// The load profile on a canvas: replaces the server's SVG, adds pointer, keyboard and speech.
// Colours come from the registered tokens of the style sheet; geometry rules are those of the SVG.
(() => {
  "use strict";
  const STRIP_LEFT = 44, STRIP_RIGHT = 6;   // the plot's own edges
  const MEASURED = 0, PARTIAL = 1, ESTIMATED = 2, MISSING = 3, FUTURE = 4;
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const el = (tag, text, cls) => {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (cls) node.className = cls;
    return node;
  };
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

  class ProfileChart {
    constructor(host) {
      this.host = host;
      this.strip = host.closest(".card").querySelector("#overview");
      this.svg = host.querySelector(".plot-svg");
      this.cursor = null;
      this.selection = null;
      this.card = host.closest(".card");
      this.bar = this.card.querySelector("#selection");
      const pressed = this.card.querySelectorAll('[data-series][aria-pressed="true"]');
      this.on = new Set(["p_plus", ...[...pressed].map((chip) => chip.dataset.series)]);
      this.card.addEventListener("click", (event) => this.clicked(event));
      this.load();
    }

    async load() {
      let answer;
      try {
        answer = await fetch(this.host.dataset.profile, { headers: { Accept: "application/json" } });
      } catch { return; }               // offline: the server's picture stays
      if (!answer.ok) return;
      const first = !this.data;
      this.data = await answer.json();
      if (!this.data.start.length) return;
      const seconds = this.data.minutes * 60;
      this.x = [...this.data.start, this.data.start.at(-1) + seconds];
      performance.mark("profile-data");
      this.words = this.data.words;
      const zone = this.data.timezone, lang = this.data.language;
      this.fmt = {
        day: new Intl.DateTimeFormat(lang, { timeZone: zone, day: "numeric", month: "long" }),
        time: new Intl.DateTimeFormat(lang, { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
        iso: new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }),
        money: new Intl.NumberFormat(lang, { minimumFractionDigits: 2, maximumFractionDigits: 2 }),
        n0: new Intl.NumberFormat(lang, { maximumFractionDigits: 1 }),
        n1: new Intl.NumberFormat(lang, { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
        n2: new Intl.NumberFormat(lang, { minimumFractionDigits: 2, maximumFractionDigits: 2 }),
      };
      this.clock = this.data.start.map((at) => this.fmt.time.format(at * 1000));
      if (first) { this.build(); this.restore(); } else this.draw();
    }

    build() {
      this.svg.hidden = true;
      this.plotBox = el("div", undefined, "plot live");
      this.plotBox.tabIndex = 0;
      this.plotBox.setAttribute("role", "application");
      this.plotBox.setAttribute("aria-roledescription", this.words.chart);
      this.plotBox.setAttribute("aria-label", this.words.label);
      this.tip = el("div", undefined, "chart-tip");
      this.tip.hidden = true;
      this.host.append(this.tip, this.plotBox);
      this.plotBox.addEventListener("keydown", (event) => this.key(event));
      this.plotBox.addEventListener("blur", () => { if (!this.selection) this.hover(null); });
      let width = 0;
      this.observer = new ResizeObserver(([entry]) => {
        const now = Math.floor(entry.contentRect.width);
        if (now && now !== width) { width = now; this.draw(); }
      });
      this.observer.observe(this.plotBox);
      this.plotBox.addEventListener("pointerup", () => { if (this.cursor !== null) this.follow(this.cursor); });
      this.buildStrip();
      const again = () => this.draw();
      this.theme = matchMedia("(prefers-color-scheme: dark)");
      this.theme.addEventListener("change", again);
      this.themeWatch = new MutationObserver(again);
      this.themeWatch.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
      this.again = again;
    }

    destroy() {
      clearTimeout(this.following);
      this.observer?.disconnect();
      this.themeWatch?.disconnect();
      this.theme?.removeEventListener("change", this.again);
      this.plot?.destroy();
    }

    get phone() { return innerWidth <= 900; }

    // uPlot draws axes and the cursor; areas and steps are drawn by us, so a gap can't be joined.
    draw() {
      const width = this.plotBox.clientWidth;
      if (!width) return;
      const range = this.plot ? [this.plot.scales.x.min, this.plot.scales.x.max] : null;
      this.plot?.destroy();
      this.host.classList.toggle("tip-fixed", this.phone);
      this.colors = Object.fromEntries(["z1", "z2", "z3", "z4", "p-plus", "p-minus", "q-plus", "q-minus", "compare", "gap",
        "line", "line-strong", "text", "text-3", "surface", "sunken", "bad", "accent"].map((n) => [n, css(n)]));
      const c = this.colors, font = `12px ${getComputedStyle(document.body).fontFamily}`;
      const pad = (values) => [...values, values.at(-1) ?? null];
      const shown = ["p_plus", "p_minus", "q_plus", "q_minus"].filter((k) => this.data[k] && this.on.has(k));
      const sign = (key, values) => (key.endsWith("minus") ? values.map((v) => (v === null ? null : -v)) : values);
      const columns = [this.x, ...shown.map((k) => pad(sign(k, this.data[k])))];
      if (this.data.compare) columns.push(pad(this.data.compare));
      const [x0, x1] = [this.x[0], this.x.at(-1)];
      const values = columns.slice(1).flat().filter((v) => v !== null);
      const limit = this.data.limit && Math.max(0, ...values) * 2 >= this.data.limit ? this.data.limit : null;
      const low = Math.min(0, ...values);
      const high = Math.max(0, ...values, limit ?? 0) || (low < 0 ? 0 : 1);   // nothing drawn: a plain axis
      const step = values.some((v) => v) || limit ? this.nice((high - low) / 5) : 0.5;
      const places = { minimumFractionDigits: 0, maximumFractionDigits: clamp(1 - Math.floor(Math.log10(step)), 1, 4) };
      const label = new Intl.NumberFormat(this.data.language, places);
      const top = Math.ceil(high / step - 1e-9) * step, bottom = Math.floor(low / step + 1e-9) * step;
      this.limit = limit;
      this.shown = shown;
      const days = () => (this.plot.scales.x.max - this.plot.scales.x.min) / 86400;
      const options = {
        width, height: this.phone ? 300 : 330, tzDate: (ts) => new Date(ts * 1000), legend: { show: false },
        padding: [26, 6, 0, 0],
        cursor: {
          y: false, points: { show: false }, drag: { x: true, y: false, setScale: false },
          dblclick: undefined, bind: { dblclick: () => () => { this.zoomTo(this.selection); return null; } },
        },
        select: { show: true },
        scales: { x: { time: false, range: (_u, min, max) => [min ?? x0, max ?? x1] }, y: { range: [bottom, top] } },
        axes: [
          { font, stroke: c["text-3"], grid: { show: false }, ticks: { show: false }, size: 26, gap: 6, border: { show: true, stroke: c["line-strong"], width: 1 },
            splits: () => this.splits(days(), width), values: (_u, splits) => splits.map((at) => this.tick(at)) },
          { font, stroke: c["text-3"], grid: { stroke: c.line, width: 1 }, ticks: { show: false }, size: 44, gap: 8,
            splits: () => Array.from({ length: Math.round((top - bottom) / step) + 1 }, (_, i) => bottom + i * step),
            values: (_u, splits) => splits.map((v) => label.format(Math.abs(v))) },
        ],
        series: [{}, ...columns.slice(1).map(() => ({ paths: () => null, points: { show: false } }))],
        hooks: {
          drawClear: [(u) => this.drawBack(u)],
          draw: [(u) => { this.drawFront(u, font); performance.mark("profile-drawn"); }],
          setScale: [(u, key) => { if (key === "x") this.moveStrip(u); }],
          setCursor: [(u) => { if (u.cursor.left >= 0 && !this.keyboard) this.hover(this.slotAt(u.posToVal(u.cursor.left, "x"))); }],
          setSelect: [(u) => {
            if (u.select.width < 3) { if (!this.keyboard) this.select(null); return; }
            if (this.keyboard) return;
            this.select([this.slotAt(u.posToVal(u.select.left, "x")), this.slotAt(u.posToVal(u.select.left + u.select.width, "x") - 1)]);
          }],
        },
      };
      this.plot = new uPlot(options, columns, this.plotBox);
      this.plot.over.addEventListener("pointermove", () => { this.keyboard = false; });
      this.plot.over.addEventListener("pointerleave", () => { if (!this.keyboard) this.hover(null); });
      this.plot.over.addEventListener("wheel", (event) => {
        if (!event.ctrlKey) return;
        event.preventDefault();
        this.zoom(event.deltaY < 0 ? 0.6 : 1 / 0.6, this.plot.posToVal(this.plot.cursor.left, "x"));
      }, { passive: false });
      if (range && range[0] >= x0 && range[1] <= x1) this.plot.setScale("x", { min: range[0], max: range[1] });
      if (this.selection) this.showSelection();
      this.drawStrip();
    }

    nice(raw) {
      const power = 10 ** Math.floor(Math.log10(raw));
      return [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.999);
    }

    splits(days, width) {
      const hours = [1, 3, 6, 12].find((h) => (width - 50) / Math.max(days, 0.04) * h / 24 >= 62) ?? 24;
      const every = Math.max(1, Math.ceil(62 / ((width - 50) / Math.max(days, 0.04))));
      const splits = [];
      let midnights = 0;
      for (const [i, at] of this.data.start.entries()) {
        if (at < this.plot.scales.x.min || at > this.plot.scales.x.max) continue;
        const [h, m] = this.clock[i].split(":").map(Number);
        if (m || h % hours) continue;
        if (hours === 24 && midnights++ % every) continue;
        splits.push(at);
      }
      return splits;
    }

    tick(at) {
      const time = this.fmt.time.format(at * 1000);
      if (time !== "00:00") return time;
      const parts = Object.fromEntries(this.fmt.day.formatToParts(at * 1000).map((part) => [part.type, part.value]));
      const month = parts.month.length > 4 ? `${parts.month.slice(0, 3)}.` : parts.month;
      return `${parts.day}\u00a0${month}`;
    }

    box(u, from, to) {
      const left = clamp(u.valToPos(from, "x", true), u.bbox.left, u.bbox.left + u.bbox.width);
      const right = clamp(u.valToPos(to, "x", true), u.bbox.left, u.bbox.left + u.bbox.width);
      return [left, right - left];
    }

    runs(test) {
      const found = [];
      for (let i = 0, from = -1, key = null; i <= this.data.start.length; i++) {
        const now = i < this.data.start.length ? test(i) : null;
        if (now !== key) {
          if (key !== null) found.push({ key, from, to: i });
          key = now;
          from = i;
        }
      }
      return found;
    }

    zoneColor(zone) { return zone ? this.colors[`z${zone}`] : this.colors["p-plus"]; }

    drawBack(u) {
      const g = u.ctx, { top, height } = u.bbox, r = devicePixelRatio;
      g.save();
      for (const run of this.runs((i) => (this.data.flag[i] === FUTURE ? true : null))) {
        const [x, w] = this.box(u, this.x[run.from], this.x[run.to]);
        g.fillStyle = this.colors.sunken; g.fillRect(x, top, w, height);
      }
      g.font = `${12 * r}px ${getComputedStyle(document.body).fontFamily}`;
      g.textAlign = "center";
      g.textBaseline = "alphabetic";
      for (const run of this.runs((i) => this.data.zone[i] || null)) {
        const [x, w] = this.box(u, this.x[run.from], this.x[run.to]);
        if (w <= 0) continue;
        g.fillStyle = this.zoneColor(run.key);
        g.globalAlpha = 0.055; g.fillRect(x, top, w, height);
        g.globalAlpha = 1; g.fillRect(x, top - 5 * r, w, 5 * r);
        const text = w / r >= 58 ? `T${run.key} ${this.data.zones[run.key] ?? ""}`.trim() : w / r >= 18 ? `T${run.key}` : "";
        g.fillStyle = this.colors["text-3"];
        if (text) g.fillText(text, x + w / 2, top - 10 * r);
      }
      g.textAlign = "right";
      g.fillStyle = this.colors["text-3"];
      g.fillText(this.words.kw, u.bbox.left - 8 * r, top - 10 * r);
      g.restore();
    }

    stepPath(u, values, from, to, joint) {
      const path = new Path2D();
      for (let i = from; i < to; i++) {
        const y = u.valToPos(values[i], "y", true), x = u.valToPos(this.x[i], "x", true), end = u.valToPos(this.x[i + 1], "x", true);
        if (i === from) path.moveTo(x, joint === null ? y : u.valToPos(joint, "y", true));
        path.lineTo(x, y);
        path.lineTo(end, y);
      }
      return path;
    }

    hatch(g, x, y, w, h, color, every, r) {
      g.save();
      g.beginPath(); g.rect(x, y, w, h); g.clip();
      g.strokeStyle = color; g.lineWidth = r; g.globalAlpha = 0.65; g.beginPath();
      for (let at = x - h; at < x + w; at += every * r) { g.moveTo(at, y + h); g.lineTo(at + h, y); }
      g.stroke();
      g.restore();
    }

    drawFront(u, font) {
      const g = u.ctx, r = devicePixelRatio, { left, top, width, height } = u.bbox, c = this.colors, d = this.data;
      g.save();
      g.beginPath(); g.rect(left, top, width, height); g.clip();
      g.lineJoin = "round";
      g.textBaseline = "alphabetic";
      const zero = u.valToPos(0, "y", true);
      for (let i = 1; i < d.start.length; i++) {
        if (this.clock[i] !== "00:00") continue;
        const x = Math.round(u.valToPos(this.x[i], "x", true)) + 0.5;
        g.strokeStyle = c["line-strong"]; g.lineWidth = 1; g.globalAlpha = 0.6;
        g.beginPath(); g.moveTo(x, top); g.lineTo(x, top + height); g.stroke(); g.globalAlpha = 1;
      }
      const known = (values, i) => values[i] !== null && values[i] !== undefined;
      if (d.compare) this.plain(u, d.compare, c.compare, 1.4 * r, [2 * r, 3 * r]);
      if (this.on.has("p_plus")) {
        let last = -1;
        for (const run of this.runs((i) => (known(d.p_plus, i) ? d.zone[i] * 10 + (d.flag[i] === ESTIMATED ? 2 : 0) : null))) {
          const color = this.zoneColor(Math.floor(run.key / 10)), estimated = run.key % 10 === 2;
          const joint = last === run.from ? d.p_plus[run.from - 1] : null;
          last = run.to;
          const line = this.stepPath(u, d.p_plus, run.from, run.to, joint);
          const shape = new Path2D();
          shape.moveTo(u.valToPos(this.x[run.from], "x", true), zero);
          shape.addPath(this.stepPath(u, d.p_plus, run.from, run.to, null));
          const area = new Path2D();
          for (let i = run.from; i < run.to; i++) {
            const x = u.valToPos(this.x[i], "x", true), y = u.valToPos(d.p_plus[i], "y", true);
            area.rect(x, y, u.valToPos(this.x[i + 1], "x", true) - x, zero - y);
          }
          g.fillStyle = color; g.globalAlpha = estimated ? 0.1 : 0.2; g.fill(area); g.globalAlpha = 1;
          if (estimated) {
            g.save(); g.clip(area);
            const [x, w] = this.box(u, this.x[run.from], this.x[run.to]);
            this.hatch(g, x, top, w, height, color, 5, r);
            g.restore();
          }
          g.strokeStyle = color; g.lineWidth = 2.2 * r; g.setLineDash(estimated ? [5 * r, 3 * r] : []);
          g.stroke(line); g.setLineDash([]);
          if (estimated) {
            const peak = Math.max(...d.p_plus.slice(run.from, run.to)), [x, w] = this.box(u, this.x[run.from], this.x[run.to]);
            this.plate(g, this.words.estimate, "", x + w / 2, u.valToPos(peak, "y", true) - 14 * r, r);
          }
        }
      }
      this.plain(u, this.on.has("p_minus") && d.p_minus?.map((v) => (v === null ? null : -v)), c["p-minus"], 2.2 * r, []);
      this.plain(u, this.on.has("q_plus") && d.q_plus, c["q-plus"], 1.8 * r, [7 * r, 3 * r]);
      this.plain(u, this.on.has("q_minus") && d.q_minus?.map((v) => (v === null ? null : -v)), c["q-minus"], 1.8 * r, [2 * r, 3 * r]);
      for (const run of this.runs((i) => (d.flag[i] === PARTIAL ? i : null))) {
        const [x, w] = this.box(u, this.x[run.from], this.x[run.to]);
        g.fillStyle = c.text; g.beginPath(); g.moveTo(x + w / 2 - 4 * r, zero); g.lineTo(x + w / 2 + 4 * r, zero); g.lineTo(x + w / 2, zero - 7 * r); g.fill();
      }
      for (const run of this.runs((i) => (d.flag[i] === MISSING || (d.flag[i] !== FUTURE && !known(d.p_plus, i)) ? true : null))) {
        const [x, w] = this.box(u, this.x[run.from], this.x[run.to]);
        g.fillStyle = c.sunken; g.globalAlpha = 0.7; g.fillRect(x, top, w, height); g.globalAlpha = 1;
        this.hatch(g, x, top, w, height, c.gap, 9, r);
        g.strokeStyle = c.gap; g.lineWidth = r; g.strokeRect(x, top + 0.5, w, height - 1);
        const long = this.length((run.to - run.from) * d.minutes);
        if (w / r >= Math.max(96, 7 * long.length)) this.plate(g, this.words.no_data, long, x + w / 2, top + height / 2, r);
      }
      if (this.limit) {
        const y = u.valToPos(this.limit, "y", true);
        g.strokeStyle = c.bad; g.lineWidth = r; g.setLineDash([7 * r, 4 * r]);
        g.beginPath(); g.moveTo(left, y); g.lineTo(left + width, y); g.stroke(); g.setLineDash([]);
        g.fillStyle = c.bad; g.textAlign = "right"; g.font = font.replace("12px", `${12 * r}px`);
        g.fillText(`${this.words.limit} ${this.fmt.n0.format(this.limit)}\u00a0${this.words.kw}`, left + width - 4 * r, y - 5 * r);
      }
      const values = d.p_plus.map((v) => v ?? -1), peak = values.indexOf(Math.max(...values));
      if (values[peak] > 0 && this.on.has("p_plus")) {
        const x = (u.valToPos(this.x[peak], "x", true) + u.valToPos(this.x[peak + 1], "x", true)) / 2;
        g.fillStyle = c.text; g.beginPath(); g.arc(x, u.valToPos(values[peak], "y", true), 3.2 * r, 0, 7); g.fill();
      }
      g.restore();
    }

    plain(u, values, color, width, dash) {
      if (!values) return;
      const g = u.ctx;
      g.strokeStyle = color; g.lineWidth = width; g.setLineDash(dash);
      for (const run of this.runs((i) => (values[i] === null || values[i] === undefined ? null : true))) {
        g.stroke(this.stepPath(u, values, run.from, run.to, null));
      }
      g.setLineDash([]);
    }

    length(minutes) {
      const parts = [["d", Math.floor(minutes / 1440)], ["h", Math.floor(minutes % 1440 / 60)], ["min", minutes % 60]];
      return parts.filter(([, count]) => count).map(([unit, count]) => this.words[unit].replace("%(n)s", count)).join(" ");
    }

    plate(g, title, note, x, y, r) {
      const family = getComputedStyle(document.body).fontFamily;
      g.textAlign = "center";
      g.font = `600 ${12 * r}px ${family}`;
      const w = Math.max(g.measureText(title).width, g.measureText(note).width) + 16 * r, h = (note ? 38 : 20) * r;
      const edge = this.plot.bbox;
      if (x - w / 2 < edge.left || x + w / 2 > edge.left + edge.width) return;
      g.fillStyle = this.colors.surface;
      g.beginPath(); g.roundRect(x - w / 2, y - h / 2, w, h, 6 * r); g.fill();
      g.fillStyle = this.colors.text;
      g.fillText(title, x, note ? y - 3 * r : y + 4 * r);
      if (note) { g.font = `${12 * r}px ${family}`; g.fillStyle = this.colors["text-3"]; g.fillText(note, x, y + 13 * r); }
    }

    // -- pointing -------------------------------------------------------------------------------
    slotAt(at) { return clamp(Math.floor((at - this.x[0]) / (this.data.minutes * 60)), 0, this.data.start.length - 1); }

    span(from, to) {
      const a = this.x[from] * 1000, b = this.x[to + 1] * 1000, end = this.fmt.time.format(b);
      const same = this.fmt.day.format(a) === this.fmt.day.format(b - 1);
      return same ? `${this.fmt.day.format(a)}, ${this.fmt.time.format(a)}–${end === "00:00" ? "24:00" : end}`
        : `${this.fmt.day.format(a)}, ${this.fmt.time.format(a)} – ${this.fmt.day.format(b)}, ${end}`;
    }

    rows(i) {
      const d = this.data, w = this.words, rows = [];
      const put = (label, value, unit) => { if (value !== null && value !== undefined) rows.push([label, `${this.fmt.n2.format(value)}\u00a0${unit}`]); };
      put(w.power, d.p_plus[i], w.kw);
      put(w.energy, d.kwh[i], w.kwh);
      if (d.p_minus?.[i]) put(w.returned, d.p_minus[i], w.kw);
      put(w.reactive, d.q_plus?.[i], w.kvar);
      const before = d.compare?.[i], now = d.p_plus[i];
      if (before !== null && before !== undefined) {
        const more = now === null ? "" : ` (${now < before ? "\u2212" : "+"}${this.fmt.n2.format(Math.abs(now - before))})`;
        rows.push([w.compare, `${this.fmt.n2.format(before)}\u00a0${w.kw}${more}`]);
      }
      if (d.zone[i]) rows.push([`T${d.zone[i]}`, d.zones[d.zone[i]] ?? ""]);
      if (d.flag[i] === ESTIMATED) rows.push([w.estimate, ""]);
      if (d.flag[i] === PARTIAL) rows.push([w.partial, ""]);
      return rows;
    }

    hover(i) {
      this.cursor = i;
      if (i === null) { this.tip.hidden = true; return; }
      const tip = this.tip, rows = this.data.flag[i] === FUTURE ? [] : this.rows(i);
      tip.replaceChildren(el("b", this.span(i, i)));
      if (this.data.p_plus[i] === null && this.data.flag[i] !== FUTURE) tip.append(el("p", this.words.no_data_why));
      else {
        const list = el("dl");
        for (const [name, value] of rows) { const row = el("div"); row.append(el("dt", name), el("dd", value)); list.append(row); }
        tip.append(list);
      }
      tip.hidden = false;
      if (this.phone) { tip.style.transform = ""; return; }
      const x = this.plot.valToPos(this.x[i], "x") + this.plot.over.offsetLeft + this.plotBox.offsetLeft;
      const step = this.plot.valToPos(this.x[i + 1], "x") - this.plot.valToPos(this.x[i], "x");
      const room = x - tip.offsetWidth - 14;
      this.host.classList.add("plot");
      tip.style.transform = `translate(${room > 0 ? room : x + step + 14}px, 52px)`;
    }

    // -- selection --------------------------------------------------------------------------------
    select(slots) {
      this.selection = slots && [Math.min(...slots), Math.max(...slots)];
      this.showSelection();
    }

    showSelection() {
      const bar = this.bar;
      if (!this.selection) { bar.hidden = true; bar.replaceChildren(); return; }
      const [from, to] = this.selection, d = this.data;
      let kwh = 0, known = 0, hours = 0, roubles = 0, all = 0;
      for (let i = from; i <= to; i++) {
        if (d.flag[i] !== FUTURE) all++;
        if (d.kwh[i] === null) continue;
        kwh += d.kwh[i];
        if (d.flag[i] !== PARTIAL) known++;
        hours += d.p_plus[i] ? d.kwh[i] / d.p_plus[i] : d.minutes / 60;
        roubles += d.kwh[i] * (d.prices[0] ?? d.prices[d.zone[i]] ?? NaN);
      }
      const left = this.plot.valToPos(this.x[from], "x"), right = this.plot.valToPos(this.x[to + 1], "x");
      this.plot.setSelect({ left, top: 0, width: right - left, height: this.plot.over.offsetHeight }, false);
      const text = [this.span(from, to), hours ? `${this.fmt.n1.format(kwh)}\u00a0${this.words.kwh}` : this.words.no_data];
      if (hours && known < all) text[1] += ` ${(d.minutes === 60 ? this.words.of_hours : this.words.of_slots).replace("{known}", known).replace("{all}", all)}`;
      if (hours && roubles) text.push(`${this.fmt.money.format(roubles)}\u00a0₽`);
      const mean = hours ? `${this.words.mean} ${this.fmt.n1.format(kwh / hours)}\u00a0${this.words.kw}` : "";
      const zoom = el("button", this.words.zoom, "btn quiet dense"), clear = el("button", this.words.clear, "btn quiet dense");
      zoom.type = clear.type = "button";
      zoom.addEventListener("click", () => this.zoomTo(this.selection));
      clear.addEventListener("click", () => { this.clear(); this.plotBox.focus(); });
      const push = el("span", undefined, "push actions");
      push.append(zoom, clear);
      bar.replaceChildren(...text.map((t) => el("b", t, "strong")), el("span", mean, "muted"), push);
      bar.hidden = false;
      this.remember({ sel: `${this.x[from]}-${this.x[to + 1]}` });
      window.hubSay?.(`${this.words.selected}: ${text.join(", ")}`);
    }

    // The selection belongs to the address, so that it can be sent to somebody.
    remember(changes) {
      const url = new URL(location.href);
      for (const [name, value] of Object.entries(changes)) {
        if (value) url.searchParams.set(name, value); else url.searchParams.delete(name);
      }
      if (url.href !== location.href) history.replaceState(history.state, "", url);
    }

    restore() {
      const found = /^(\d+)-(\d+)$/.exec(new URL(location.href).searchParams.get("sel") ?? "");
      if (!found) return;
      const [from, to] = [Number(found[1]), Number(found[2])];
      if (from < this.x[0] || to > this.x.at(-1) || from >= to) return;
      this.selection = [this.slotAt(from), this.slotAt(to - 1)];
      if (this.plot) this.showSelection();
    }

    // The table shows the day that the cursor is on, once it rests there.
    follow(i) {
      const day = this.fmt.iso.format(this.x[i] * 1000);
      clearTimeout(this.following);
      this.following = setTimeout(() => {
        const href = this.host.dataset.table;
        if (!href || !window.htmx || document.querySelector("#profile-table")?.dataset.day === day) return;
        this.remember({ day });
        htmx.ajax("GET", `${href}&day=${day}`, { target: "#profile-table", swap: "outerHTML" });
      }, 400);
    }

    clear() {
      this.selection = null;
      this.remember({ sel: "" });
      this.plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      this.showSelection();
    }

    // -- zoom -----------------------------------------------------------------------------------
    zoom(factor, around) {
      const { min, max } = this.plot.scales.x, x0 = this.x[0], x1 = this.x.at(-1);
      const middle = around ?? (this.cursor === null ? (min + max) / 2 : this.x[this.cursor]);
      const width = clamp((max - min) * factor, this.data.minutes * 60 * 4, x1 - x0);
      const from = clamp(middle - (middle - min) / (max - min) * width, x0, x1 - width);
      this.scale(from, from + width);
    }

    scale(min, max) {
      this.plot.setScale("x", { min, max });
      if (this.selection) this.showSelection();
    }

    // -- overview -------------------------------------------------------------------------------
    // The whole period under the plot. It is a second hand for the pointer; keys zoom on the plot.
    buildStrip() {
      if (!this.strip) return;
      this.whole = el("canvas");
      this.window = el("div", undefined, "window");
      this.window.hidden = true;         // until its place is known
      this.window.append(el("i", undefined, "from"), el("i", undefined, "to"));
      this.strip.replaceChildren(this.whole, this.window);
      const at = (event) => this.x[0] + (event.clientX - this.strip.getBoundingClientRect().left - STRIP_LEFT)
        / (this.strip.clientWidth - STRIP_LEFT - STRIP_RIGHT) * (this.x.at(-1) - this.x[0]);
      let held = null;
      this.strip.addEventListener("pointerdown", (event) => {
        if (!this.plot) return;
        const { min, max } = this.plot.scales.x, here = at(event);
        const edge = event.target.className;
        if (edge !== "from" && edge !== "to" && (here < min || here > max)) this.pan(here - (max - min) / 2);
        const now = this.plot.scales.x;
        held = { edge, here, min: now.min, max: now.max };
        this.strip.setPointerCapture(event.pointerId);
        event.preventDefault();
      });
      this.strip.addEventListener("pointermove", (event) => {
        if (!held) return;
        const least = this.data.minutes * 60 * 4, moved = at(event) - held.here;
        if (held.edge === "from") this.scale(clamp(held.min + moved, this.x[0], held.max - least), held.max);
        else if (held.edge === "to") this.scale(held.min, clamp(held.max + moved, held.min + least, this.x.at(-1)));
        else this.pan(held.min + moved);
      });
      for (const name of ["pointerup", "pointercancel"]) this.strip.addEventListener(name, () => { held = null; });
    }

    pan(from) {
      const { min, max } = this.plot.scales.x, wide = max - min;
      const start = clamp(from, this.x[0], this.x.at(-1) - wide);
      this.scale(start, start + wide);
    }

    drawStrip() {
      if (!this.strip) return;
      const wide = this.strip.clientWidth - STRIP_LEFT - STRIP_RIGHT, r = devicePixelRatio, high = 44, d = this.data;
      this.whole.width = wide * r; this.whole.height = high * r;
      const g = this.whole.getContext("2d"), c = this.colors, n = d.start.length;
      const most = d.p_plus.reduce((top, v) => (v > top ? v : top), 0) || 1, x = (i) => i / n * wide * r;
      g.fillStyle = c.sunken; g.fillRect(0, 0, wide * r, high * r);
      const line = new Path2D(), area = new Path2D();
      let drawn = false;
      for (let i = 0; i < n; i++) {
        const v = d.p_plus[i];
        if (v === null || v === undefined) { drawn = false; continue; }
        const y = (1 - v / most * 0.92) * high * r;
        if (drawn) line.lineTo(x(i), y); else line.moveTo(x(i), y);
        line.lineTo(x(i + 1), y);
        area.rect(x(i), y, x(i + 1) - x(i), high * r - y);
        drawn = true;
      }
      g.fillStyle = c["text-3"]; g.globalAlpha = 0.2; g.fill(area); g.globalAlpha = 1;
      g.strokeStyle = c["text-3"]; g.lineWidth = r; g.stroke(line);
      for (const run of this.runs((i) => (d.flag[i] === MISSING ? true : null))) {
        this.hatch(g, x(run.from), 0, x(run.to) - x(run.from), high * r, c.gap, 5, r);
      }
    }

    moveStrip(plot) {
      if (!this.strip) return;
      const { min, max } = plot.scales.x, x0 = this.x[0], all = this.x.at(-1) - x0;
      const wide = this.strip.clientWidth - STRIP_LEFT - STRIP_RIGHT;
      this.window.hidden = false;
      this.window.style.transform = `translateX(${STRIP_LEFT + (min - x0) / all * wide}px)`;
      this.window.style.inlineSize = `${Math.max(14, (max - min) / all * wide)}px`;
    }

    zoomTo(slots) {
      if (!slots) return;
      this.clear();
      this.scale(this.x[slots[0]], this.x[slots[1] + 1]);
    }

    clicked(event) {
      const zoom = event.target.closest("[data-zoom]"), chip = event.target.closest("[data-series]");
      if (zoom && this.plot) this.zoom(zoom.dataset.zoom === "in" ? 0.5 : 2);
      if (chip && this.plot) {
        const key = chip.dataset.series, on = !this.on.has(key);
        if (on) this.on.add(key); else this.on.delete(key);
        chip.setAttribute("aria-pressed", String(on));
        this.draw();
      }
    }

    key(event) {
      if (!this.plot) return;           // not laid out yet
      const d = this.data, last = d.start.length - 1, a_day = Math.round(1440 / d.minutes);
      const at = this.cursor ?? this.slotAt(this.plot.scales.x.min);
      const zoneEdge = (way) => {
        let i = at + way;
        while (i > 0 && i < last && d.zone[i] === d.zone[at]) i += way;
        return i;
      };
      const move = {
        ArrowLeft: event.ctrlKey ? zoneEdge(-1) : at - 1, ArrowRight: event.ctrlKey ? zoneEdge(1) : at + 1,
        PageUp: at - a_day, PageDown: at + a_day, Home: 0, End: last,
      }[event.key];
      if (move !== undefined) {
        event.preventDefault();
        this.keyboard = true;
        const next = this.cursor === null && event.key.startsWith("Arrow") ? at : clamp(move, 0, last);
        if (event.shiftKey) {
          const [from, to] = this.selection ?? [at, at];
          const anchor = this.selection ? (at === from ? to : from) : at;
          this.selection = [Math.min(anchor, next), Math.max(anchor, next)];
        }
        const { min, max } = this.plot.scales.x;
        if (this.x[next] < min || this.x[next + 1] > max) {
          this.pan(this.x[next] - (max - min) / 2);
        }
        this.plot.setCursor({ left: this.plot.valToPos((this.x[next] + this.x[next + 1]) / 2, "x"), top: 10 }, false);
        this.hover(next);
        if (this.selection) this.showSelection();
        if (!event.shiftKey) this.speak(next);
        this.follow(next);
        performance.mark("profile-answered");
      } else if (event.key === "+" || event.key === "=") { event.preventDefault(); this.zoom(0.5); }
      else if (event.key === "-") { event.preventDefault(); this.zoom(2); }
      else if (event.key === "Enter" && this.selection) { event.preventDefault(); this.zoomTo(this.selection); }
      else if (event.key === "Escape") {
        event.preventDefault();
        if (this.selection) this.clear();
        else { this.scale(this.x[0], this.x.at(-1)); this.hover(null); }
      }
    }

    speak(i) {
      const d = this.data, when = `${this.fmt.day.format(this.x[i] * 1000)}, ${this.fmt.time.format(this.x[i] * 1000)}`;
      const value = d.p_plus[i] === null ? this.words.no_data : `${this.fmt.n2.format(d.p_plus[i])} ${this.words.kw_spoken}`;
      const zone = d.zone[i] ? `. T${d.zone[i]}` : "";
      const flag = d.flag[i] === ESTIMATED ? `. ${this.words.estimate}` : d.flag[i] === PARTIAL ? `. ${this.words.partial}` : "";
      window.hubSay?.(`${when}. ${value}${zone}${flag}`);
    }
  }

  let chart = null;
  const attach = () => {
    const host = document.querySelector("#profile-plot[data-profile]");
    if (chart && chart.host !== host) { chart.destroy(); chart = null; }
    if (host && !chart && window.uPlot) chart = new ProfileChart(host);
  };
  document.addEventListener("DOMContentLoaded", attach);
  document.addEventListener("hub:swapped", attach);
  document.addEventListener("grown", () => chart?.load());
  if (document.readyState !== "loading") attach();
})();
