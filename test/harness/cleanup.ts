export interface Closable {
  close(): Promise<void>
}

type Undo = () => unknown

/** Undoes what was started, last first; goes on when one step fails and throws the failures at the end. */
export class Cleanup implements Closable {
  readonly #undo: Undo[] = []

  defer(undo: Undo): void {
    this.#undo.push(undo)
  }

  async close(): Promise<void> {
    const failures: unknown[] = []
    for (let undo = this.#undo.pop(); undo; undo = this.#undo.pop()) {
      try {
        await undo()
      } catch (failure) {
        failures.push(failure)
      }
    }
    if (failures.length > 1) throw new AggregateError(failures, failures.map(String).join('\n'))
    if (failures.length === 1) throw failures[0]
  }
}

/**
 * Runs `start`, which defers the undoing of each of its steps, and returns what it made together with a
 * `close()`. When a step throws, the steps before it are undone first.
 */
export async function closable<T extends object>(
  start: (cleanup: Cleanup) => Promise<T>,
): Promise<T & Closable> {
  const cleanup = new Cleanup()
  try {
    return Object.assign(await start(cleanup), { close: () => cleanup.close() })
  } catch (failure) {
    // The first failure is the one to read; one while undoing is usually its echo.
    await cleanup.close().catch(() => {})
    throw failure
  }
}
