/** Milliseconds of CPU that this process has used: what others take of a busy machine is none of it. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/**
 * Runs something and watches the loop.
 * @returns what came of it, the work in all, and the most of it in which nobody else had a turn, both in milliseconds of CPU; and how many turns others had.
 */
export async function watchLoop<T>(
  run: () => Promise<T>,
): Promise<{ readonly result: T; readonly wholeMs: number; readonly longestMs: number; readonly turns: number }> {
  const startedAtMs = cpuMs();
  let longestMs = 0;
  let lastAtMs = startedAtMs;
  let isOver = false;
  let turns = 0;
  const tick = (): void => {
    const nowMs = cpuMs();
    longestMs = Math.max(longestMs, nowMs - lastAtMs);
    lastAtMs = nowMs;
    turns += 1;
    if (!isOver) setImmediate(tick);
  };
  tick();
  const result = await run();
  isOver = true;
  return { result, wholeMs: cpuMs() - startedAtMs, longestMs, turns };
}

/**
 * Watches the loop while the same is done up to five times, and no more once others had their turn as often as they should.
 * A collection of garbage, or another program on the machine, makes one time long; work that keeps the loop makes all of them long.
 * @returns the longest that nobody else had a turn, in milliseconds of CPU, at the best time.
 */
export async function longestTurn(run: () => Promise<unknown>, maxMs: number): Promise<number> {
  let bestMs = Infinity;
  for (let attempt = 0; attempt < 5 && bestMs >= maxMs; attempt += 1) bestMs = Math.min(bestMs, (await watchLoop(run)).longestMs);
  return bestMs;
}
