import { Buffer } from "node:buffer";

import { Calls, operations } from "./calls.js";
import { CarillonError, slugOf } from "./errors.js";
import type { BatchCancelled, BatchCreated, BatchItem, CancelTasksParams, NewTask } from "./models.js";
import {
  type Answer,
  backoff,
  type CallOptions,
  type Input,
  type Operation,
  sleep,
  Transport,
  withId,
} from "./transport.js";

export interface CarillonOptions {
  /** Sent as `Authorization: Bearer`, where the server has tokens. */
  token?: string;
  /** Milliseconds that each attempt may take; 30,000 if not given. */
  timeout?: number;
  /** How often a call is sent again, where that is safe; 6 if not given, 0 for never. */
  retries?: number;
  /** Milliseconds: where the server asks for a longer wait, the error is yours at once; 30,000 if not given. */
  retryAfterMax?: number;
  /** The largest part of a batch; set these where the server's limits are set. */
  batch?: { tasks?: number; bytes?: number };
  /** Instead of the global one: for a proxy, client certificates or a unix socket. */
  fetch?: typeof fetch;
}

/** Of `createTasks`: a task, or a line of `exportTasks`, which is passed on byte for byte. */
export type TaskOrLine = NewTask | string;

/**
 * A client of Carillon. It opens nothing until a call is made and needs no closing. Of several URLs, those of
 * the nodes of a cluster, it keeps to one until that fails.
 */
export class Carillon extends Calls {
  readonly #transport: Transport;
  readonly #tasksMax: number;
  readonly #bytesMax: number;

  constructor(url: string | string[] = "http://127.0.0.1:8080", options: CarillonOptions = {}) {
    super();
    this.#tasksMax = options.batch?.tasks ?? 10_000;
    this.#bytesMax = options.batch?.bytes ?? 16 * 1024 * 1024;
    this.#transport = new Transport({
      urls: [url].flat().map((one) => new URL(one).href.replace(/\/+$/, "")),
      token: options.token,
      timeout: options.timeout ?? 30_000,
      retries: options.retries ?? 6,
      retryAfterMax: options.retryAfterMax ?? 30_000,
      fetch: options.fetch ?? fetch,
    });
  }

  /**
   * Schedules any number of tasks, in as many requests as the limits of the server need, and answers for each
   * in order. A task without an id gets one here. Those that fail are in the results, and no error is thrown
   * for them. `POST /v1/tasks:batchCreate`
   */
  async createTasks(
    tasks: Iterable<TaskOrLine> | AsyncIterable<TaskOrLine>,
    options: CallOptions = {},
  ): Promise<BatchCreated> {
    const line = (task: TaskOrLine) => (typeof task === "string" ? task.trimEnd() : JSON.stringify(withId(task)));
    const send = (lines: string[]) =>
      this.#transport.send(
        operations.createTasks,
        { body: lines.join("\n"), contentType: "application/x-ndjson" },
        options,
      );
    const results = await this.#inParts(tasks, line, send, options);
    const failed = results.filter(({ status }) => status >= 400).length;
    return { results, created: results.filter(({ status }) => status === 201).length, failed };
  }

  /** Cancels any number of tasks, likewise. `POST /v1/tasks:batchCancel` */
  async cancelTasks(
    ids: Iterable<string> | AsyncIterable<string>,
    params: Omit<CancelTasksParams, "ids"> = {},
    options: CallOptions = {},
  ): Promise<BatchCancelled> {
    const send = (quoted: string[]) =>
      this.#transport.send(
        operations.cancelTasks,
        { body: { ...params, ids: quoted.map((id) => JSON.parse(id)) } },
        options,
      );
    const results = await this.#inParts(ids, (id: string) => JSON.stringify(id), send, options);
    const failed = results.filter(({ status }) => status >= 400).length;
    return { results, cancelled: results.length - failed, failed };
  }

  /**
   * Every pending task, a line of JSON each; `createTasks` takes the lines back. It is read from the server as
   * you take them. `GET /v1/export`
   */
  exportTasks(options?: CallOptions): AsyncGenerator<string, void, undefined> {
    return this.#transport.lines(operations.exportTasks, {}, options);
  }

  protected override async call<T>(operation: Operation, input: Input, options?: CallOptions): Promise<T> {
    return (await this.#transport.send(operation, input, options)).data as T;
  }

  protected override async *items<T>(
    page: (cursor: string | undefined) => Promise<{ items: T[]; next_cursor?: string; silent_shards?: number[] }>,
  ): AsyncGenerator<T, void, undefined> {
    let cursor: string | undefined;
    do {
      const { items, next_cursor, silent_shards } = await page(cursor);
      if (silent_shards?.length) {
        throw new CarillonError(
          `the list is not whole, shards ${silent_shards.join(", ")} did not answer; begin again`,
        );
      }
      yield* items;
      cursor = next_cursor;
    } while (cursor !== undefined);
  }

  /** Sends items in parts; what is 503 in an answer is sent again. Answers a result for each item, in order. */
  async #inParts<T>(
    items: Iterable<T> | AsyncIterable<T>,
    encode: (item: T) => string,
    send: (part: string[]) => Promise<Answer>,
    { signal }: CallOptions,
  ): Promise<BatchItem[]> {
    const results: BatchItem[] = [];
    try {
      for await (const part of this.#parts(items, encode)) {
        const first = results.length;
        let pending = part.map((_, at) => at);
        for (let attempt = 0; pending.length > 0; ++attempt) {
          if (attempt > 0) await sleep(backoff(attempt - 1), signal);
          const { data, perhapsBefore } = await send(pending.map((at) => part[at]!));
          const answered = (data as { results: BatchItem[] }).results;
          pending.forEach((at, i) => (results[first + at] = settled(answered[i]!, perhapsBefore || attempt > 0)));
          pending = pending.filter(
            (at) => results[first + at]!.status === 503 && attempt < this.#transport.options.retries,
          );
        }
      }
    } catch (error) {
      if (error instanceof CarillonError) error.results = results;
      throw error;
    }
    return results;
  }

  async *#parts<T>(items: Iterable<T> | AsyncIterable<T>, encode: (item: T) => string): AsyncGenerator<string[]> {
    let part: string[] = [];
    let bytes = 0;
    for await (const item of items) {
      const text = encode(item);
      const size = Buffer.byteLength(text) + 1;
      if (part.length === this.#tasksMax || (part.length > 0 && bytes + size > this.#bytesMax - 64)) {
        yield part;
        part = [];
        bytes = 0;
      }
      part.push(text);
      bytes += size;
    }
    if (part.length > 0) yield part;
  }
}

/** In a batch that was sent again, a task that is cancelled by now was cancelled by it. */
function settled(item: BatchItem, again: boolean): BatchItem {
  if (!again || slugOf(item.type ?? "") !== "task_finished" || item.state !== "cancelled") return item;
  return { id: item.id, status: 200, state: "cancelled", attempts: item.attempt ?? 0 };
}
