import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Carillon } from "./client.js";
import type { Duration } from "./models.js";
import { sleep } from "./transport.js";

export interface TestServerOptions {
  /** The program; if not given `CARILLOND` of the environment, else `carillond` of the PATH. */
  binary?: string;
  /** More arguments, such as `["--config", "carillon.toml"]`. */
  args?: string[];
}

/** Longer than a push may take by default. */
const PATIENCE_MS = 30_000;

/**
 * A real server for your tests, with nothing in it, on a free port. Its clock stands still until you move it:
 * a month takes as long as the pushes that fall due in it.
 */
export class TestServer {
  readonly client: Carillon;
  readonly #killed = () => void this.child.kill("SIGKILL");

  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
    private readonly dir: string,
  ) {
    this.client = new Carillon(url);
    child.unref();
    process.on("exit", this.#killed);
  }

  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const binary = options.binary ?? process.env["CARILLOND"] ?? "carillond";
    const dir = await mkdtemp(join(tmpdir(), "carillon-client-"));
    const child = spawn(
      binary,
      ["--clock", "manual", "--listen", "127.0.0.1:0", "--data-dir", join(dir, "data"), ...(options.args ?? [])],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    let log = "";
    const url = await new Promise<string>((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`${binary} did not start: ${why}\n${log}`));
      child.on("error", (error) => fail(error.message));
      child.on("exit", (code) => fail(`it ended with ${code}`));
      child.stderr!.on("data", (piece) => {
        log = (log + piece).slice(-10_000);
        const found = /listening on (http\S+)/.exec(log)?.[1];
        if (found && /\bready took/.test(log)) resolve(found);
      });
    }).catch(async (error) => {
      await rm(dir, { recursive: true, force: true });
      throw error;
    });
    (child.stderr as unknown as { unref?: () => void }).unref?.(); // so that it alone keeps no test program going
    return new TestServer(url, child, dir);
  }

  /**
   * Moves the clock, and answers once every push that fell due has been answered by its receiver. What failed
   * waits for its next attempt until the clock is moved again. Answers the server's time.
   */
  async advance(by: Duration): Promise<Date> {
    const { now } = await this.client.advanceClock({ by });
    let backlog = -1;
    for (const end = Date.now() + PATIENCE_MS; ; await sleep(5)) {
      const stats = await this.client.getStats();
      // What a paused target holds back stays in the backlog: it does not move.
      if (stats.counts.firing === 0 && (stats.backlog === 0 || stats.backlog === backlog)) return new Date(now);
      backlog = stats.backlog;
      if (Date.now() > end) throw new Error(`${stats.counts.firing} pushes have had no answer for ${PATIENCE_MS} ms`);
    }
  }

  /** The server's time, which is not this machine's. */
  async now(): Promise<Date> {
    return new Date((await this.client.getStats()).now);
  }

  /** Ends the server and removes its data. */
  async stop(): Promise<void> {
    process.off("exit", this.#killed);
    this.child.ref();
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, "exit");
      this.child.kill("SIGTERM");
      await ended;
    }
    await rm(this.dir, { recursive: true, force: true });
  }
}
