// Makes the calls of clients/contract/run.py with the TypeScript client: a JSON line for each in, and out.
// usage: node driver.mjs PACKAGE-DIRECTORY

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { Carillon, ConflictError, NoAnswerError, NotFoundError, ProblemError, SignatureError, WebhookVerifier } =
  await import(pathToFileURL(`${process.argv[2]}/dist/index.js`));

const clients = new Map();

function clientOf(settings) {
  const key = JSON.stringify(settings);
  if (!clients.has(key)) {
    const { url, timeout, retry_after_max, ...same } = settings;
    const ms = (seconds) => (seconds === undefined ? undefined : seconds * 1000);
    clients.set(key, new Carillon(url, { ...same, timeout: ms(timeout), retryAfterMax: ms(retry_after_max) }));
  }
  return clients.get(key);
}

async function all(items) {
  const list = [];
  for await (const item of items) list.push(item);
  return list;
}

async function perform({ client: settings, call, path = [], params }) {
  if (call === "verify") {
    const { secrets, body, headers, tolerance } = params;
    const push = new WebhookVerifier(secrets, { toleranceSeconds: tolerance }).verify(body, headers);
    return {
      webhook_id: push.webhookId,
      timestamp: push.timestamp,
      task_id: push.taskId,
      due_at: push.dueAt,
      attempt: push.attempt,
    };
  }
  const client = clientOf(settings);
  if (call === "cancelTasks") {
    const { ids, ...rest } = params;
    return client.cancelTasks(ids, rest);
  }
  const given = params === undefined ? path : [...path, params];
  const answer = client[call](...given);
  return call.startsWith("iterate") || call === "exportTasks" ? all(answer) : answer;
}

function describe(error) {
  const kinds = [
    [NotFoundError, "not_found"],
    [ConflictError, "conflict"],
    [ProblemError, "problem"],
    [NoAnswerError, "no_answer"],
    [SignatureError, "signature"],
  ];
  const kind = kinds.find(([type]) => error instanceof type)?.[1] ?? "other";
  const { type, slug, status, field, retryAfter, outcomeUnknown, results, message } = error;
  return {
    kind,
    type,
    slug,
    status,
    field,
    retry_after: retryAfter,
    outcome_unknown: outcomeUnknown,
    results,
    message,
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await perform(JSON.parse(line)).then(
    (result) => ({ result }),
    (error) => ({ error: describe(error) }),
  );
  console.log(JSON.stringify(answer));
}
