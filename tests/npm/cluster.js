// A cluster of two nodes over one server of NATS, for tests that want to see what only a cluster shows.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { Program, Server, freePort, run, until } from "./carillon.js";

const FIND_NATS = fileURLToPath(new URL("../../tools/nats-server.sh", import.meta.url));

export class Cluster {
  static async start(bin) {
    const cluster = new Cluster();
    cluster.dir = mkdtempSync(join(tmpdir(), "carillon-npm-"));
    cluster.nodes = [];
    try {
      const nats = await cluster.startNats();
      const secret = join(cluster.dir, "secret");
      writeFileSync(secret, "a secret of this test alone, thirty-two bytes", { mode: 0o600 });
      // At once, as each waits for the other.
      cluster.nodes = await Promise.all(["a", "b"].map((name) => startNode(bin, name, nats, secret)));
      await until("each node to own and to follow shards", async () => {
        const { body } = await cluster.nodes[0].call("GET", "/v1/cluster");
        return body.nodes.every(({ owns }) => owns > 0) && body.shards.every(({ followers }) => followers.length > 0);
      });
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  async startNats() {
    const port = await freePort();
    const config = join(this.dir, "nats.conf");
    writeFileSync(config, `listen: 127.0.0.1:${port}\nmax_payload: 4MB\njetstream { store_dir: "${this.dir}" }\n`);
    this.nats = new Program((await run(FIND_NATS, [])).trim(), ["--config", config]);
    await until("the server of NATS", () => this.nats.log.includes("Server is ready"));
    return `nats://127.0.0.1:${port}`;
  }

  async stop() {
    for (const node of this.nodes) await node.stop();
    await this.nats?.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

async function startNode(bin, name, nats, secret) {
  const address = `127.0.0.1:${await freePort()}`;
  const config = `
    [cluster]
    name = "npm"
    node = "${name}"
    nats = ["${nats}"]
    advertise = "http://${address}"
    shards = 4
    stream_replicas = 1
    stream_bytes_max = "16MiB"
    secret_file = "${secret}"`;
  return Server.start(bin, config, address);
}
