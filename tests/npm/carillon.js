// A real server and a receiver for the tests of this folder, on free ports, ended by the test.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const PATIENCE_MS = 60_000;

/// What answers `condition` with something true, asked again and again until then.
export async function until(what, condition) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await pause(10);
  }
}

/// A port that nobody listens on now.
export async function freePort() {
  const socket = createSocket().listen(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

/// A program that runs until `stop`; `log` is what it prints.
export class Program {
  constructor(program, args) {
    this.log = "";
    this.child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.child.stdout, this.child.stderr]) stream.on("data", (piece) => (this.log += piece));
    this.ended = new Promise((done) => {
      this.child.on("close", done);
      this.child.on("error", (error) => {
        this.log += `${program} cannot be run: ${error.message}; tools/setup.sh --tests installs it`;
        done();
      });
    });
  }

  async stop() {
    this.child.kill("SIGKILL");
    await this.ended;
  }
}

/// Runs a program to its end; answers what it printed. Throws where it is missing or fails.
export async function run(program, args, input = "") {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  let out = "";
  let errors = "";
  child.stdout.on("data", (piece) => (out += piece));
  child.stderr.on("data", (piece) => (errors += piece));
  child.stdin.on("error", () => {}); // it may end without having read
  child.stdin.end(input);
  const [code] = await Promise.race([
    once(child, "close"),
    once(child, "error").then(([error]) => {
      throw new Error(`${program} cannot be run: ${error.message}; tools/setup.sh --tests installs it`);
    }),
  ]);
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${errors}${out}`);
  return out;
}

/// carillond of the directory that the test was given, on a new data directory; it listens at `url`
/// and on a unix socket in `dir`. `config` is what its config file says, if anything; `listen` where, if that has
/// to be known before.
export class Server {
  static async start(bin, config = "", listen = "127.0.0.1:0") {
    const server = new Server();
    server.bin = bin;
    server.dir = mkdtempSync(join(tmpdir(), "carillon-npm-"));
    writeFileSync(join(server.dir, "config.toml"), config);
    await server.run(listen);
    return server;
  }

  async run(listen) {
    this.child = spawn(
      join(this.bin, "carillond"),
      ["--config", join(this.dir, "config.toml"), "--data-dir", join(this.dir, "data"), "--listen", listen,
        "--listen", `unix:${join(this.dir, "socket")}`],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    this.log = "";
    this.child.stderr.on("data", (piece) => (this.log += piece));
    this.child.on("error", (error) => (this.log += error.message));
    this.url = await until("carillond to listen", () => {
      if (this.child.exitCode !== null) throw new Error(`carillond ended: ${this.log}`);
      return this.log.match(/listening on (http\S+)/)?.[1];
    });
    await until("carillond to be ready", async () => (await fetch(`${this.url}/readyz`)).ok);
  }

  /// Ends it as a crash does; `again` starts it at the same address with what it kept.
  async kill() {
    this.child.kill("SIGKILL");
    await once(this.child, "close");
  }
  again() {
    return this.run(new URL(this.url).host);
  }

  /// A call with a JSON body, if any; answers {status, body}.
  async call(method, path, body) {
    const answer = await fetch(this.url + path, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
      headers: body === undefined ? {} : { "content-type": "application/json" },
    });
    const text = await answer.text();
    return { status: answer.status, body: text === "" ? null : JSON.parse(text) };
  }

  /// How many tasks wait, as the server says.
  async scheduled() {
    return (await this.call("GET", "/v1/stats")).body.counts.scheduled;
  }

  async stop() {
    if (this.child.exitCode === null) {
      this.child.kill("SIGTERM");
      await once(this.child, "close");
    }
    rmSync(this.dir, { recursive: true, force: true });
    if (this.child.exitCode !== 0) {
      throw new Error(`carillond ended with ${this.child.exitCode}: ${this.log}`);
    }
  }
}

/// Keeps each request that comes, as {headers, body}, and answers 200.
export class Receiver {
  static async start() {
    const receiver = new Receiver();
    receiver.pushes = [];
    receiver.server = createServer(async (request, response) => {
      const pieces = [];
      for await (const piece of request) pieces.push(piece);
      receiver.pushes.push({ headers: request.headers, body: Buffer.concat(pieces) });
      response.setHeader("content-type", "text/html");
      response.end("<!doctype html><title>a page of another origin</title>");
    });
    receiver.server.listen(0, "127.0.0.1");
    await once(receiver.server, "listening");
    receiver.url = `http://127.0.0.1:${receiver.server.address().port}/`;
    return receiver;
  }

  /// The push of the task `id`.
  push(id) {
    return until(`the push of ${id}`, () =>
      this.pushes.find((push) => push.headers["carillon-task-id"] === id),
    );
  }

  async stop() {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }
}

/// Runs `test` with a server and a receiver, which it ends however `test` comes out.
export async function withServer(test) {
  const server = await Server.start(process.argv[2]);
  const receiver = await Receiver.start();
  try {
    await test(server, receiver);
  } finally {
    await receiver.stop();
    await server.stop();
  }
}
