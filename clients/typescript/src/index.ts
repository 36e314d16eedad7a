export { Carillon, type CarillonOptions, type TaskOrLine } from "./client.js";
export {
  CarillonError,
  ConflictError,
  NoAnswerError,
  NotFoundError,
  ProblemError,
  SignatureError,
} from "./errors.js";
export * from "./models.js";
export type { CallOptions } from "./transport.js";
export { type Push, type PushHeaders, WebhookVerifier } from "./webhooks.js";
