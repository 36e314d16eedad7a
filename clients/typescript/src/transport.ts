import { Buffer } from "node:buffer";
import { randomFillSync } from "node:crypto";

import { type CarillonError, NoAnswerError, ProblemError, problemError, slugOf } from "./errors.js";
import type { Problem } from "./models.js";

/** What is to be known of an operation of the API. */
export interface Operation {
  name: string;
  method: string;
  path: string;
  /** Sent again although it may have been done, it does no more than once. */
  repeatable: boolean;
  /** The member by which the server knows a repeated call. */
  names?: "id" | "operation";
}

export interface Input {
  path?: string[];
  query?: object;
  body?: object | string;
  contentType?: string;
}

export interface CallOptions {
  /** Ends the call, also between two attempts; it then rejects with the signal's reason. */
  signal?: AbortSignal;
}

export interface TransportOptions {
  urls: string[];
  token: string | undefined;
  timeout: number;
  retries: number;
  retryAfterMax: number;
  fetch: typeof fetch;
}

/** An answer, and whether an earlier attempt of the same call may have been done. */
export interface Answer {
  data: unknown;
  perhapsBefore: boolean;
}

const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 5_000;

/** The kinds of 503 that say that nothing was done. */
const NOTHING_DONE = new Set([
  "moved",
  "log_away",
  "shard_silent",
  "not_ready",
  "overloaded",
  "too_many_connections",
]);
/** Why a connection was not made, so that nothing can have been done. */
const NOT_CONNECTED = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Sends requests, and sends them again where that is safe. */
export class Transport {
  #at = 0; // of the URLs: the one that answered last

  constructor(readonly options: TransportOptions) {}

  async send(
    operation: Operation,
    input: Input,
    call: CallOptions = {},
    use: (answer: Response) => Promise<unknown> = read,
  ): Promise<Answer> {
    const named = withName(operation, input);
    let perhaps = false;
    for (let attempt = 0; ; ++attempt) {
      try {
        return { data: await this.#exchange(operation, named, call.signal, use), perhapsBefore: perhaps };
      } catch (error) {
        if (!isRefusal(error)) throw error;
        const before = perhaps && error instanceof ProblemError && doneBefore(operation, named, error);
        if (before) return { data: before.data, perhapsBefore: true };
        const pause = this.#pauseAfter(error, operation, attempt);
        perhaps ||= error.outcomeUnknown;
        error.outcomeUnknown = perhaps;
        if (pause === undefined) throw error;
        await sleep(pause, call.signal);
      }
    }
  }

  /** The lines of an answer, as they come. */
  async *lines(operation: Operation, input: Input, call: CallOptions = {}): AsyncGenerator<string, void, undefined> {
    const { data } = await this.send(operation, input, call, async (answer) => answer.body);
    const decoder = new TextDecoder();
    let rest = "";
    try {
      for await (const piece of data as AsyncIterable<Uint8Array>) {
        call.signal?.throwIfAborted();
        const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
        rest = lines.pop()!;
        yield* lines;
      }
    } catch (cause) {
      if (call.signal?.aborted) throw call.signal.reason;
      throw new NoAnswerError(`${operation.name} broke off`, { outcomeUnknown: false, cause });
    }
  }

  /** How long to wait before the next attempt; undefined where there is none. */
  #pauseAfter(error: CarillonError, operation: Operation, attempt: number): number | undefined {
    const again = error.outcomeUnknown
      ? operation.repeatable
      : error instanceof NoAnswerError || isNotDone(error as ProblemError);
    const wanted = error instanceof ProblemError ? (error.retryAfter ?? 0) * 1000 : 0;
    if (!again || attempt >= this.options.retries || wanted > this.options.retryAfterMax) return undefined;
    return Math.max(backoff(attempt), wanted);
  }

  async #exchange<T>(
    operation: Operation,
    input: Input,
    signal: AbortSignal | undefined,
    use: (answer: Response) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const { urls, timeout, token } = this.options;
    const at = this.#at;
    const ended = new AbortController();
    const timer = setTimeout(
      () => ended.abort(new DOMException(`no answer within ${timeout} ms`, "TimeoutError")),
      timeout,
    );
    const end = () => ended.abort(signal!.reason);
    signal?.addEventListener("abort", end);
    const headers: Record<string, string> = {};
    if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
    if (input.body !== undefined) headers["content-type"] = input.contentType ?? "application/json";
    try {
      const answer = await this.options.fetch(urls[at]! + pathOf(operation, input), {
        method: operation.method,
        headers,
        body: typeof input.body === "object" ? JSON.stringify(input.body) : input.body,
        redirect: "manual",
        signal: ended.signal,
      });
      if (answer.ok) return await use(answer);
      throw await readProblem(answer);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (error instanceof ProblemError && error.status < 500) throw error;
      if (this.#at === at) this.#at = (at + 1) % urls.length;
      if (error instanceof ProblemError) throw error;
      if (error instanceof TypeError || ended.signal.aborted) throw noAnswer(error, urls[at]!);
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
    }
  }
}

async function read(answer: Response): Promise<unknown> {
  const text = await answer.text();
  return answer.headers.get("content-type")?.startsWith("application/json") ? JSON.parse(text) : text || undefined;
}

async function readProblem(answer: Response): Promise<ProblemError> {
  const text = await answer.text();
  let problem: Problem = {
    type: "about:blank",
    title: answer.statusText,
    status: answer.status,
    detail: text.slice(0, 200),
  };
  if (answer.headers.get("content-type")?.startsWith("application/problem+json")) {
    problem = { ...problem, detail: undefined, ...(JSON.parse(text) as Partial<Problem>) };
  }
  const seconds = Number(answer.headers.get("retry-after") ?? NaN);
  const retryAfter = Number.isFinite(seconds) ? seconds : undefined;
  return problemError(problem, { retryAfter, outcomeUnknown: problem.status >= 500 && !isNotDone(problem) });
}

/** Whether a problem says that nothing was done, and that another attempt may go better. */
export function isNotDone({ status, type }: { status: number; type?: string }): boolean {
  return (
    status === 429 || status === 408 || status === 507 || (status === 503 && NOTHING_DONE.has(slugOf(type ?? "")))
  );
}

function isRefusal(error: unknown): error is ProblemError | NoAnswerError {
  return error instanceof ProblemError || error instanceof NoAnswerError;
}

function noAnswer(cause: unknown, url: string): NoAnswerError {
  const code = (cause as { cause?: { code?: string } }).cause?.code ?? "";
  const why = (cause as { cause?: Error }).cause?.message || (cause as Error).message;
  return new NoAnswerError(`no answer from ${url}: ${why}`, { outcomeUnknown: !NOT_CONNECTED.has(code), cause });
}

/** What a second attempt was told means that the first one, whose answer was lost, had done it. */
function doneBefore(operation: Operation, input: Input, error: ProblemError): { data: unknown } | undefined {
  const { state, attempt } = error.problem;
  if (operation.name === "cancelTask" && error.slug === "task_finished" && state === "cancelled") {
    return { data: { id: input.path![0], state, attempts: attempt ?? 0 } };
  }
  return operation.method === "DELETE" && operation.name !== "cancelTask" && error.status === 404
    ? { data: undefined }
    : undefined;
}

/** Gives a call the name by which the server knows it again; a task of ours can only be there by ourselves. */
function withName({ names }: Operation, input: Input): Input {
  const body = (input.body ?? {}) as Record<string, unknown>;
  if (names === undefined || (body[names] ?? undefined) !== undefined) return input;
  if (names === "operation") return { ...input, body: { ...body, operation: uuid() } };
  return { ...input, body: withId(body) };
}

/** A task with an id: its own, or one that is made here. */
export function withId<T extends { id?: unknown; if_exists?: unknown }>(task: T): T {
  return (task.id ?? undefined) === undefined ? { ...task, id: uuid(), if_exists: task.if_exists ?? "once" } : task;
}

function pathOf(operation: Operation, input: Input): string {
  const names = [...(input.path ?? [])];
  const path = operation.path.replace(/{\w+}/g, () => encodeURIComponent(names.shift()!));
  const query = Object.entries(input.query ?? {}).filter(([, value]) => value !== undefined && value !== null);
  if (query.length === 0) return path;
  return `${path}?${new URLSearchParams(query.map(([name, value]) => [name, value instanceof Date ? value.toISOString() : String(value)]))}`;
}

/** Doubles from attempt to attempt, and is drawn between half and all of that. */
export function backoff(attempt: number): number {
  return Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** attempt) * (0.5 + Math.random() / 2);
}

export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      resolve();
    }, ms);
    if (signal?.aborted) end();
    else signal?.addEventListener("abort", end, { once: true });
  });
}

/** A UUIDv7: ids that are made later sort later. */
export function uuid(): string {
  const bytes = randomFillSync(Buffer.alloc(16));
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
