import type { BatchItem, Problem } from "./models.js";

/** What every error of this package is. */
export class CarillonError extends Error {
  override name = "CarillonError";

  /**
   * Whether the call may have been done although it failed: its answer was lost, or the server does not
   * know. Look, or send the same again under the same id or operation.
   */
  outcomeUnknown = false;

  /** Of `createTasks` and `cancelTasks`: the results of the parts that were answered before this error. */
  results: BatchItem[] = [];
}

/** The server refused: an RFC 9457 problem. `title` and `detail` are for people. */
export class ProblemError extends CarillonError {
  override name = "ProblemError";
  /** As the server says it: `/problems/task_exists`. */
  readonly type: string;
  /** The last part of the type, as the table of problems has it: `task_exists`. */
  readonly slug: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string | undefined;
  /** The field or parameter at fault. */
  readonly field: string | undefined;
  /** Seconds after which the server wants to be asked again. */
  readonly retryAfter: number | undefined;
  /** All members; `state`, `attempt` and `at` say more where a task was in the way. */
  readonly problem: Problem;

  constructor(problem: Problem, options: { outcomeUnknown?: boolean; retryAfter?: number } = {}) {
    super(`${problem.status} ${slugOf(problem.type)}: ${problem.detail ?? problem.title}`);
    this.type = problem.type;
    this.slug = slugOf(problem.type);
    this.status = problem.status;
    this.title = problem.title;
    this.detail = problem.detail;
    this.field = problem.field;
    this.problem = problem;
    this.outcomeUnknown = options.outcomeUnknown ?? false;
    this.retryAfter = options.retryAfter;
  }
}

/** 404: never there, or finished and forgotten. */
export class NotFoundError extends ProblemError {
  override name = "NotFoundError";
}

/** 409: another task has the id, or it is being pushed, or finished. */
export class ConflictError extends ProblemError {
  override name = "ConflictError";
}

/** No answer came: no connection, a broken one, or the time was up. `cause` says which. */
export class NoAnswerError extends CarillonError {
  override name = "NoAnswerError";

  constructor(message: string, options: { outcomeUnknown: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.outcomeUnknown = options.outcomeUnknown;
  }
}

/** A push that was not signed with one of your secrets, or not of late: answer it with 400 and do nothing. */
export class SignatureError extends CarillonError {
  override name = "SignatureError";
}

export function slugOf(type: string): string {
  return type.slice(type.lastIndexOf("/") + 1);
}

export function problemError(...given: ConstructorParameters<typeof ProblemError>): ProblemError {
  const kind = { 404: NotFoundError, 409: ConflictError }[given[0].status] ?? ProblemError;
  return new kind(...given);
}
