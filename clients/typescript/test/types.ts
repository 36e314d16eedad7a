// What the compiler accepts and refuses. It is compiled, and does nothing when it is run.
import type { Carillon, NewTask, Task } from "carillon-client";

export async function uses(carillon: Carillon): Promise<void> {
  const task: Task = await carillon.createTask({ target: "shop", delay: 5_000, payload: { at: new Date() } });
  task.due_at.startsWith("2026");
  const tasks: NewTask[] = [{ target: "shop", due_at: new Date(), retry: { backoff_min: "1s" } }];
  await carillon.createTasks(tasks);

  // What GET gives, PUT takes.
  await carillon.putTarget("shop", { ...(await carillon.getTarget("shop")), timeout: "2s" });
  await carillon.changeTarget("shop", { timeout: null });
  await carillon.changeTask("a", { group: null });

  // @ts-expect-error a member that there is not
  await carillon.createTask({ target: "shop", delay: 5, grup: "a" });
  // @ts-expect-error a value that there is not
  await carillon.listTasks({ state: "sleeping" });
  // @ts-expect-error a target is required
  await carillon.createTask({ delay: 5 });
}
