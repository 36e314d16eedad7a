// Debian's Prometheus on a loaded server and on a cluster: what they show is clean, the alert rules of
// tools/prometheus open and close when they should and know every alarm, and each query of the dashboard in
// tools/grafana has an answer.
// usage: node prometheus.js DIRECTORY-OF-CARILLOND

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { Program, Server, freePort, run, until } from "./carillon.js";
import { Cluster } from "./cluster.js";
import { Receivers, fill, keepAdding } from "./dashboard_load.js";

const bin = process.argv[2];
const file = (path) => fileURLToPath(new URL(`../../tools/${path}`, import.meta.url));
const RULES = file("prometheus/carillon.rules.yml");
const CONFIG = file("prometheus/prometheus.yml");
const BOARD = JSON.parse(readFileSync(file("grafana/carillon.json"), "utf8"));

/// A Prometheus with the config file of tools/prometheus, but that it looks at these servers, and each second.
class Prometheus {
  static async start(servers) {
    const prometheus = new Prometheus();
    prometheus.dir = mkdtempSync(join(tmpdir(), "carillon-npm-"));
    const hosts = servers.map(({ url }) => `"${new URL(url).host}"`).join(", ");
    const config = readFileSync(CONFIG, "utf8")
      .replaceAll("interval: 10s", "interval: 1s")
      .replace("carillon.rules.yml", RULES)
      .replace('"127.0.0.1:8080"', hosts);
    writeFileSync(join(prometheus.dir, "prometheus.yml"), config);
    const address = `127.0.0.1:${await freePort()}`;
    prometheus.url = `http://${address}/api/v1`;
    prometheus.program = new Program("prometheus", [
      `--config.file=${join(prometheus.dir, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(prometheus.dir, "data")}`,
      `--web.listen-address=${address}`,
    ]);
    await until("Prometheus to be ready", async () => {
      const answer = await fetch(`http://${address}/-/ready`).catch(() => ({ ok: false }));
      return answer.ok;
    });
    return prometheus;
  }

  async get(path) {
    const { status, data, error } = await (await fetch(this.url + path)).json();
    assert.equal(status, "success", `${path}: ${error}`);
    return data;
  }

  /// How many series answer, of those that are numbers.
  async series(query) {
    const { result } = await this.get(`/query?query=${encodeURIComponent(query)}`);
    return result.filter(({ value }) => value[1] !== "NaN").length;
  }

  async stop() {
    await this.program.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

async function checkRules() {
  await run("promtool", ["check", "config", CONFIG]);
  await run("promtool", ["check", "rules", RULES]);
  await run("promtool", ["test", "rules", fileURLToPath(new URL("prometheus_rules.yml", import.meta.url))]);
}

async function metricsOf(server) {
  return (await fetch(`${server.url}/metrics`)).text();
}

/// promtool ends with an error where it has anything to say.
async function checkMetrics(servers) {
  for (const server of servers) await run("promtool", ["check", "metrics"], await metricsOf(server));
}

/// Each alarm of the server is known to one alert, and nothing else is.
async function checkAlarms(prometheus, server) {
  const alarms = [...(await metricsOf(server)).matchAll(/^carillon_alarms_open\{alarm="(\w+)"\}/gm)].map(([, name]) => name);
  const { groups } = await prometheus.get("/rules");
  const rules = groups.flatMap((group) => group.rules);
  const known = rules.map(({ labels }) => labels.alarm).filter(Boolean);
  assert.deepEqual(known.sort(), alarms.sort());
  await until("the alert of the dead letters", async () => {
    const { alerts } = await prometheus.get("/alerts");
    return alerts.some(({ labels, state }) => labels.alertname === "CarillonDeadLetters" && state === "firing");
  });
  const { groups: looked } = await prometheus.get("/rules");
  for (const { name, health, lastError } of looked.flatMap((group) => group.rules))
    assert.equal(health, "ok", `${name}: ${lastError}`);
}

/// The queries of all panels, as Grafana asks them where every server is chosen.
function queries() {
  const filled = (expr) =>
    expr.replaceAll("$job", "carillon").replaceAll("$instance", ".*").replaceAll("$__rate_interval", "10s");
  return BOARD.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ title, query: filled(expr) })),
  );
}

async function checkBoard(prometheus, servers) {
  const all = queries();
  for (const { title, query } of all) {
    assert.ok(!query.includes("$"), `${title} has a variable that nobody fills: ${query}`);
    await until(`an answer to ${title}: ${query}`, () => prometheus.series(query));
  }
  const { length } = await prometheus.get("/label/instance/values?match[]=carillon_build_info");
  assert.equal(length, servers.length, "what the dashboard's variable offers");
  const ids = BOARD.panels.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length, "each panel has an id of its own");
  return all.length;
}

await checkRules();
const receivers = await Receivers.start();
const started = [receivers];
try {
  const server = await Server.start(bin);
  started.push(server);
  const cluster = await Cluster.start(bin);
  started.push(cluster);
  const servers = [server, ...cluster.nodes];
  await fill(server, receivers.url, 500);
  const stopAdding = keepAdding(server);
  started.push({ stop: stopAdding });
  const load = (to) =>
    new Program(join(bin, "carillon-load"), [
      "add", "--server", to.url, "--rate", "100", "--duration", "120s", "--delay", "1s..5s", "--receive", "-c", "4",
    ]);
  started.push(load(server), load(cluster.nodes[0]));
  const prometheus = await Prometheus.start(servers);
  started.push(prometheus);
  const count = await checkBoard(prometheus, servers);
  await checkAlarms(prometheus, server);
  await checkMetrics(servers);
  console.log(`[ figures  ] ${count} queries of the dashboard answered, over ${servers.length} servers`);
} finally {
  for (const one of started.reverse()) await one.stop();
}
