/** Waits until `check` returns something; for what announces nothing by itself. */
export async function until<T>(
  what: string,
  check: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 10_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const found = await check()
    if (found) return found
    if (Date.now() > deadline) throw new Error(`${what}: not seen in ${timeoutMs} ms`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
