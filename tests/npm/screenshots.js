// Pictures of the dashboard's pages, from a real server under load and from an empty one.
// usage: node screenshots.js DIRECTORY-OF-CARILLOND DIRECTORY [--docs]
//   without --docs: every page, at three widths, light and dark, with load and empty
//   with --docs: the few that the documents show, as docs/images/NAME.png

import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { Server } from "./carillon.js";
import { launch } from "./chromium.js";
import { Receivers, fill, keepAdding } from "./dashboard_load.js";

const PAGES = {
  overview: "",
  find: "find",
  task: "task/cart-7",
  groups: "groups",
  group: "groups/spring-coupon",
  targets: "targets",
  target: "targets/partner",
  lanes: "lanes",
  dead: "dead",
  forecast: "forecast",
  nodes: "nodes",
  audit: "audit",
};
const WIDTHS = [1440, 900, 360];
const SETTLE_MS = 1200; // until what a page asks for is there

async function shoot(
  browser,
  url,
  path,
  file,
  { width, height = 900, scheme, scale = 1, whole = true, settle = SETTLE_MS },
) {
  const page = await browser.newPage({
    viewport: { width, height },
    colorScheme: scheme,
    deviceScaleFactor: scale,
  });
  await page.goto(`${url}/ui/#/${path}`);
  await page.waitForTimeout(settle);
  await page.screenshot({ path: file, fullPage: whole });
  await page.close();
}

async function shootAll(browser, server, dir, state) {
  for (const [name, path] of Object.entries(PAGES))
    for (const width of WIDTHS)
      for (const scheme of ["light", "dark"])
        await shoot(browser, server.url, path, join(dir, `${state}-${name}-${width}-${scheme}.png`), {
          width,
          scheme,
        });
}

/// Small ones: the documents are read on the web too.
async function shootDocs(browser, server, dir) {
  const view = { width: 1180, height: 800, scale: 0.75, whole: false };
  const at = (name) => join(dir, `${name}.png`);
  await shoot(browser, server.url, "", at("overview"), { ...view, scheme: "light", settle: 130_000 });
  await shoot(browser, server.url, "forecast", at("forecast"), { ...view, scheme: "light" });
  await shoot(browser, server.url, "dead", at("dead"), { ...view, scheme: "dark" });
}

const [bin, dir, docs] = process.argv.slice(2);
mkdirSync(dir, { recursive: true });
const browser = await launch();
const receivers = await Receivers.start();
try {
  for (const state of docs ? ["load"] : ["empty", "load"]) {
    const server = await Server.start(bin);
    try {
      if (state === "load") await fill(server, receivers.url, 60_000);
      const stop = state === "load" ? keepAdding(server) : async () => {};
      await (docs ? shootDocs(browser, server, dir) : shootAll(browser, server, dir, state));
      await stop();
    } finally {
      await server.stop();
    }
  }
} finally {
  await browser.close();
  await receivers.stop();
}
