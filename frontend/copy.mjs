// Copies the assets named in package.json into hub/web/static/vendor/NAME-VERSION/, builds the
// icon sprite out of the icons used, and writes VENDOR.json. Run: npm ci --ignore-scripts && node copy.mjs
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import subsetFont from "subset-font";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "node_modules");
const out = join(here, "..", "hub", "web", "static");
const vendor = join(out, "vendor");

const packages = [
  { package: "htmx.org", name: "htmx", license: "0BSD", files: ["dist/htmx.min.js", "LICENSE"] },
  { package: "uplot", name: "uplot", license: "MIT",
    files: ["dist/uPlot.iife.min.js", "dist/uPlot.min.css", "LICENSE"] },
  { package: "@fontsource-variable/golos-text", name: "golos-text", license: "OFL-1.1",
    files: ["cyrillic", "latin", "latin-ext"].map((s) => `files/golos-text-${s}-wght-normal.woff2`)
      .concat("LICENSE"),
    // The sign of the rouble is on most pages, and the only one of its file there.
    parts: { "golos-text-rouble-wght-normal.woff2": ["files/golos-text-latin-ext-wght-normal.woff2", "\u20bd"] } },
  { package: "lucide-static", name: "lucide", license: "ISC", files: ["LICENSE"] },
];

const icons = `activity arrow-left arrow-right bell calendar chart-column check chevron-down
  chevron-left chevron-right chevrons-up-down circle-alert circle-check circle-x clock cloud-off database download droplet
  ellipsis-vertical external-link eye eye-off file-plus file-text flame gauge globe house inbox info key
  loader-circle log-out mail mail-check message-square monitor moon move-horizontal package-open pencil plus refresh-cw
  shield-check sliders-horizontal smartphone sun
  thermometer trending-down trending-up triangle-alert unlink unplug user x zap zoom-in zoom-out`.split(/\s+/);

const hash = (algorithm, bytes, form) => createHash(algorithm).update(bytes).digest(form);

rmSync(vendor, { recursive: true, force: true });
const entries = await Promise.all(packages.map(async (item) => {
  const root = join(modules, item.package);
  const read = (file) => readFileSync(join(root, file));
  const { version } = JSON.parse(read("package.json"));
  const folder = `${item.name}-${version}`;
  mkdirSync(join(vendor, folder), { recursive: true });
  const contents = item.files.map((file) =>
    [basename(file) === "LICENSE" ? "LICENSE.txt" : basename(file), read(file)]);
  for (const [name, [file, signs]] of Object.entries(item.parts || {}))
    contents.push([name, await subsetFont(read(file), signs, { targetFormat: "woff2" })]);
  const files = contents.map(([name, bytes]) => {
    writeFileSync(join(vendor, folder, name), bytes);
    return { path: `${folder}/${name}`, sha256: hash("sha256", bytes, "hex"),
      sri: `sha384-${hash("sha384", bytes, "base64")}` };
  });
  return { name: item.name, package: item.package, version, license: item.license, files };
}));
writeFileSync(join(vendor, "VENDOR.json"), `${JSON.stringify(entries, null, 2)}\n`);

const symbols = icons.map((icon) => {
  const source = readFileSync(join(modules, "lucide-static", "icons", `${icon}.svg`), "utf8");
  const body = source.replace(/<!--.*?-->/gs, "").match(/<svg[^>]*>(.*)<\/svg>/s)[1];
  return `<symbol id="${icon}" viewBox="0 0 24 24">${body.replace(/\s*\n\s*/g, "")}</symbol>`;
});
writeFileSync(join(out, "icons.svg"),
  '<svg xmlns="http://www.w3.org/2000/svg" fill="none" stroke="currentColor" ' +
  `stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">\n${symbols.join("\n")}\n</svg>\n`);

// The lock pins by version and integrity; addresses of registries have no place in it.
const lockPath = join(here, "package-lock.json");
const lock = JSON.parse(readFileSync(lockPath, "utf8"));
for (const entry of Object.values(lock.packages)) {
  delete entry.resolved;
  delete entry.funding;
}
writeFileSync(lockPath, `${JSON.stringify(lock, null, 2)}\n`);
