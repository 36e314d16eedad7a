// Debian's Chromium, and the dashboard's pages, for the programs of this folder that look at them.

import { chromium } from "playwright-core";

export function launch() {
  return chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"], // in containers there is neither
  });
}

/// The way to each page, by its heading.
export function pagesOf(task, group) {
  return {
    Overview: "",
    Find: "find",
    Task: `task/${task}`,
    Groups: `groups/${group}`,
    Targets: "targets",
    Lanes: "lanes",
    "Dead letters": "dead",
    Forecast: "forecast",
    Nodes: "nodes",
    Audit: "audit",
  };
}
