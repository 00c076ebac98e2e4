/**
 * Resolves to what `probe` gives once that is neither undefined nor false; fails with its last error, or after the time, which is longer than anything takes
 * on a slow machine: nothing waits for it to pass.
 */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  { timeoutMs = 45_000, intervalMs = 50 } = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    let failure: unknown;
    try {
      const found = await probe();
      if (found !== undefined && found !== null && found !== false) return found as NonNullable<Exclude<T, false>>;
    } catch (error) {
      failure = error;
    }
    if (performance.now() > end) throw new Error(`${what} did not come to be within ${timeoutMs} ms`, { cause: failure });
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}
