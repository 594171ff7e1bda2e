// What the walk asks of a page as it stands in the browser; each answers a list of findings.
window.looks = {
  // What runs out of a box that hides it, and words that lie on other words.
  cut() {
    const found = [], seen = [], words = (node) => node.data.trim().slice(0, 40);
    const root = document.querySelector("dialog[open]") || document.body;
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node; (node = walker.nextNode());) {
      const at = node.parentElement;
      if (!node.data.trim() || !at.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
      if (at.closest("svg, .vh, .pop, option, [aria-hidden=true], script, noscript, .uplot")) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const box of range.getClientRects()) {
        if (box.width < 2 || box.height < 2) continue;
        let apart = false; // over the page, or scrolled
        for (let up = at; up; up = up.parentElement) {
          const style = getComputedStyle(up);
          if (["fixed", "sticky"].includes(style.position) || style.clipPath !== "none") apart = true;
          const hides = /hidden|clip/.test(style.overflowX + style.overflowY);
          const says = style.textOverflow === "ellipsis" || style.webkitLineClamp !== "none";
          if (!apart && hides && !says) {
            const edge = up.getBoundingClientRect();
            if (box.right > edge.right + 2 || box.left < edge.left - 2) found.push(`cut: ${words(node)}`);
          }
          if (/auto|scroll/.test(style.overflowX)) apart = true;
        }
        if (!apart) seen.push([box, words(node)]);
      }
    }
    seen.forEach(([a, text], at) => {
      for (const [b, other] of seen.slice(at + 1)) {
        const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (across > 3 && down > a.height / 2) found.push(`overlap: ${text} / ${other}`);
      }
    });
    return [...new Set(found)];
  },

  // What moves for longer than a blink.
  moving() {
    const long = document.getAnimations().filter((each) => each.effect.getComputedTiming().activeDuration > 100);
    return long.map((each) => each.animationName || each.transitionProperty);
  },

  // Ids that more than one element has.
  twice() {
    const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
    return [...new Set(ids.filter((id, at) => ids.indexOf(id) !== at))];
  },

  // What kinds of elements the page shows: by name, class, role, state, words or none, and what is
  // around them; and the order of its headings and landmarks.
  kinds() {
    const of = (node) => `${node.tagName}.${node.getAttribute("class") || ""}`;
    const said = ["role", "type", "aria-current", "aria-expanded", "aria-invalid", "disabled", "open"];
    const found = new Set(), order = [];
    for (const node of document.body.querySelectorAll("*")) {
      if (!node.checkVisibility({ visibilityProperty: true })) continue;
      const own = [...node.childNodes].some((each) => each.nodeType === 3 && each.data.trim());
      const named = node.hasAttribute("aria-label") || node.hasAttribute("aria-labelledby");
      const up = node.parentElement, state = said.map((name) => node.hasAttribute(name) && name + node.getAttribute(name)).join();
      found.add([of(node), state, own, named, of(up), of(up.parentElement)].join(" "));
      if (/^(H[1-6]|NAV|MAIN|ASIDE|HEADER|FOOTER)$/.test(node.tagName)) order.push(node.tagName);
    }
    found.add(order.join().replace(/\b(H\d)(,\1)+\b/g, "$1"));
    return [...found];
  },
};
