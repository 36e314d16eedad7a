import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";

import { SignatureError } from "./errors.js";

/** The headers of a push, as `fetch` or Node's `http` have them. */
export type PushHeaders = Headers | Record<string, string | string[] | undefined>;

/** What the headers of a push say. Only `webhookId` and `timestamp` are signed, with the body. */
export interface Push {
  /** The same over all attempts of a task: the key to recognise a repeated push by. */
  webhookId: string;
  /** When this attempt was sent. */
  timestamp: Date;
  taskId: string | undefined;
  dueAt: Date | undefined;
  /** From 1. */
  attempt: number | undefined;
}

/** Checks the signatures of pushes (Standard Webhooks 1.0). */
export class WebhookVerifier {
  readonly #keys: Buffer[];
  readonly #tolerance: number;

  /**
   * @param secrets `whsec_...`; while they are rotated, the old and the new one.
   * @param options.toleranceSeconds How far the timestamp may be off this machine's clock; 300 if not given.
   */
  constructor(secrets: string | string[], options: { toleranceSeconds?: number } = {}) {
    this.#keys = [secrets].flat().map((secret) => Buffer.from(secret.replace(/^whsec_/, ""), "base64"));
    if (this.#keys.length === 0 || this.#keys.some((key) => key.length === 0))
      throw new TypeError("a secret is whsec_ and base64");
    this.#tolerance = options.toleranceSeconds ?? 300;
  }

  /** Throws a SignatureError unless the push is genuine. The body is what came, before any parsing. */
  verify(body: string | Uint8Array, headers: PushHeaders): Push {
    const id = header(headers, "webhook-id");
    const timestamp = header(headers, "webhook-timestamp");
    const signatures = header(headers, "webhook-signature");
    if (!id || !timestamp || !signatures)
      throw new SignatureError("a push without webhook-id, webhook-timestamp or webhook-signature");
    if (!/^\d{1,15}$/.test(timestamp)) throw new SignatureError("webhook-timestamp is no number");
    const sent = Number(timestamp) * 1000;
    if (Math.abs(Date.now() - sent) > this.#tolerance * 1000)
      throw new SignatureError("webhook-timestamp is too far from now");
    const given = signatures
      .split(" ")
      .flatMap((one) => (one.startsWith("v1,") ? [Buffer.from(one.slice(3), "base64")] : []));
    const genuine = this.#keys.some((key) => {
      const wanted = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
      return given.some((one) => one.length === wanted.length && timingSafeEqual(one, wanted));
    });
    if (!genuine) throw new SignatureError("no signature fits");
    const task = header(headers, "carillon-task-id");
    const due = header(headers, "carillon-due-at");
    const attempt = header(headers, "carillon-attempt");
    return {
      webhookId: id,
      timestamp: new Date(sent),
      taskId: task && decodeURIComponent(task),
      dueAt: due ? new Date(due) : undefined,
      attempt: attempt ? Number(attempt) : undefined,
    };
  }
}

function header(headers: PushHeaders, name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const value = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return Array.isArray(value) ? value[0] : value;
}
