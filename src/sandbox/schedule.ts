import { CronExpressionParser } from 'cron-parser';

const names: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const fieldPattern = /^(?:[\d*/,?-]|[A-Za-z]{3})+$/;
const unitsMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000 };

/** The times of a cron job, in milliseconds since the epoch. */
export interface Schedule {
  /** The first after that moment; Infinity where there is none. */
  next(afterMs: number): number;
  /** The last up to that moment, it included; -Infinity where there is none. @param sinceMs Where `@every` counts from. */
  last(upToMs: number, sinceMs: number): number;
}

/** @param timeZone Of the IANA's list; default UTC. @returns undefined where it is no schedule. */
export function parseSchedule(text: string, timeZone = 'UTC'): Schedule | undefined {
  const every = /^@every ((?:\d+(?:\.\d+)?[hms])+)$/.exec(text);
  if (every !== null) return everySchedule(every[1] ?? '');
  const fields = (names[text] ?? text).trim().split(/\s+/);
  if (fields.length !== 5 || !fields.every((field) => fieldPattern.test(field)) || !isTimeZone(timeZone)) return undefined;
  const expression = fields.join(' ');
  if (canParse(expression, timeZone)) return new CronSchedule(expression, timeZone);
  // The 31st of February is a schedule; it only never comes.
  return canParse([...fields.slice(0, 3), '*', fields[4]].join(' '), timeZone) ? never : undefined;
}

/** Whether it is a time zone of the IANA's list. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name) || name.toLowerCase() === 'local') return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const never: Schedule = { next: () => Infinity, last: () => -Infinity };

function canParse(expression: string, tz: string): boolean {
  try {
    CronExpressionParser.parse(expression, { tz });
    return true;
  } catch {
    return false;
  }
}

class CronSchedule implements Schedule {
  readonly #expression: string;
  readonly #tz: string;
  /** Times next to each other: what lies between them need not be computed again. */
  #fromMs = 0;
  #toMs = 0;

  constructor(expression: string, tz: string) {
    this.#expression = expression;
    this.#tz = tz;
  }

  next(afterMs: number): number {
    this.#find(afterMs);
    return this.#toMs;
  }

  last(upToMs: number): number {
    this.#find(upToMs);
    return this.#fromMs;
  }

  #find(atMs: number): void {
    if (this.#fromMs <= atMs && atMs < this.#toMs) return;
    this.#fromMs =
      atMs === this.#toMs
        ? atMs
        : this.#at(atMs + 1)
            .prev()
            .getTime();
    this.#toMs = this.#at(atMs).next().getTime();
  }

  #at(ms: number): ReturnType<typeof CronExpressionParser.parse> {
    return CronExpressionParser.parse(this.#expression, { currentDate: new Date(ms), tz: this.#tz });
  }
}

function everySchedule(text: string): Schedule {
  let stepMs = 0;
  for (const [, number, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)([hms])/g)) stepMs += Number(number) * (unitsMs[unit] ?? 0);
  stepMs = Math.max(1_000, Math.floor(stepMs / 1_000) * 1_000);
  return {
    next: (afterMs) => Math.floor(afterMs / 1_000) * 1_000 + stepMs,
    last: (upToMs, sinceMs) => (upToMs - sinceMs < stepMs ? -Infinity : sinceMs + Math.floor((upToMs - sinceMs) / stepMs) * stepMs),
  };
}
