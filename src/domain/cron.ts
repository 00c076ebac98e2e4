/**
 * When a cron job runs next, as its controller in Kubernetes decides: five fields (`*` or `?`, numbers, names, ranges, lists, steps), `@daily` and the
 * like, `@every 1h30m`. A day that both day fields restrict matches by either. What the clock of the time zone skips is not run; what it shows twice is
 * run twice.
 */

interface Field {
  readonly min: number;
  readonly max: number;
  /** Names of values, from `min` on. */
  readonly names: readonly string[];
}

const minuteField: Field = { min: 0, max: 59, names: [] };
const hourField: Field = { min: 0, max: 23, names: [] };
const dayField: Field = { min: 1, max: 31, names: [] };
const monthField: Field = {
  min: 1,
  max: 12,
  names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
};
const weekdayField: Field = { min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] };

/** Values that a field lets through, ascending. */
interface Values {
  readonly list: readonly number[];
  /** Written as `*`: of two day fields, one that is so leaves the day to the other. */
  readonly isStar: boolean;
}

interface Timetable {
  readonly minutes: Values;
  readonly hours: Values;
  readonly days: Values;
  readonly months: Values;
  readonly weekdays: Values;
}

const descriptors: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
]);

/** Longer than any timetable that means something. */
const maxScheduleLength = 1_024;
const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** No clock is put back by more; the calendar's jumps across the date line are long ago. */
const maxPutBackMs = 3 * hourMs;

/** Since when and from when on to look, in milliseconds since the epoch. */
export interface CronTimes {
  readonly nowMs: number;
  /** When it last ran, or was made: what `@every` counts from. */
  readonly sinceMs: number;
}

/**
 * The first run after `nowMs`, in milliseconds since the epoch.
 * @param timeZone Such as `Asia/Shanghai`; UTC where it is undefined.
 * @returns undefined for a schedule or time zone that Kubernetes does not take, and for one that never comes, such as the 30th of February.
 */
export function nextRun(schedule: string, timeZone: string | undefined, times: CronTimes): number | undefined {
  if (schedule.length > maxScheduleLength) return undefined;
  if (timeZone !== undefined && clockOf(timeZone) === undefined) return undefined;
  // A time zone that the schedule names itself goes before the field, which is how the controller has it.
  const spec = timeZone === undefined || schedule.includes('TZ') ? schedule : `TZ=${timeZone} ${schedule}`;
  const prefix = /^(?:CRON_)?TZ=([^ ]*) (.*)$/s.exec(spec);
  const clock = prefix === null ? utc : clockOf(prefix[1] ?? '');
  const text = prefix?.[2]?.trim() ?? spec;
  if (clock === undefined) return undefined;
  if (text.startsWith('@every ')) return nextOfInterval(text.slice('@every '.length), times);
  const timetable = parseTimetable(descriptors.get(text) ?? text);
  return timetable && nextOfTimetable(timetable, clock, times.nowMs);
}

const durationPattern = /^\+?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/;
const durationUnits: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: secondMs,
  m: minuteMs,
  h: hourMs,
};

/** @param text As Go writes durations. */
function nextOfInterval(text: string, { nowMs, sinceMs }: CronTimes): number | undefined {
  if (!durationPattern.test(text)) return undefined;
  let durationMs = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)([a-zµμ]+)/g)) durationMs += Number(amount) * (durationUnits[unit ?? ''] ?? 0);
  const periodMs = Math.max(secondMs, Math.floor(durationMs / secondMs) * secondMs);
  const startMs = Math.floor(sinceMs / secondMs) * secondMs;
  const nextMs = startMs + Math.max(1, Math.floor((nowMs - startMs) / periodMs) + 1) * periodMs;
  return nextMs <= maxInstantMs ? nextMs : undefined;
}

/** The last instant that JavaScript can write down. */
const maxInstantMs = 8.64e15;

function parseTimetable(text: string): Timetable | undefined {
  const [minute, hour, day, month, weekday, ...more] = text.trim().split(/\s+/);
  if (minute === undefined || hour === undefined || day === undefined || month === undefined || weekday === undefined || more.length > 0)
    return undefined;
  const minutes = parseField(minute, minuteField);
  const hours = parseField(hour, hourField);
  const days = parseField(day, dayField);
  const months = parseField(month, monthField);
  const weekdays = parseField(weekday, weekdayField);
  return minutes && hours && days && months && weekdays && { minutes, hours, days, months, weekdays };
}

function parseField(text: string, field: Field): Values | undefined {
  const values = new Set<number>();
  let isStar = false;
  for (const part of text.split(',')) {
    if (part === '') continue;
    const [range = '', step, ...more] = part.split('/');
    const [low = '', high, ...others] = range.split('-');
    const stepSize = step === undefined ? 1 : parseNumber(step);
    const isWild = low === '*' || low === '?';
    const start = isWild ? field.min : parseValue(low, field);
    // A step after a single number goes on to the end.
    const end = isWild || (high === undefined && step !== undefined) ? field.max : high === undefined ? start : parseValue(high, field);
    if (more.length > 0 || (others.length > 0 && !isWild) || stepSize === undefined || stepSize === 0) return undefined;
    if (start === undefined || end === undefined || start < field.min || end > field.max || start > end) return undefined;
    for (let value = start; value <= end; value += stepSize) values.add(value);
    isStar ||= isWild && stepSize === 1;
  }
  return { list: [...values].sort((a, b) => a - b), isStar };
}

function parseValue(text: string, { names, min }: Field): number | undefined {
  const named = names.indexOf(text.toLowerCase());
  return named < 0 ? parseNumber(text) : named + min;
}

function parseNumber(text: string): number | undefined {
  return /^\+?\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/**
 * Times of the clock on the wall are counted in milliseconds, as if they were UTC. Where the clock is put back, later times on the wall may come
 * first: the search begins early enough for the hour that comes twice, and goes on until nothing earlier can come.
 */
function nextOfTimetable(timetable: Timetable, clock: Clock, nowMs: number): number | undefined {
  const fromMs = (Math.floor(nowMs / minuteMs) + 1) * minuteMs;
  if (!(Math.abs(fromMs) < maxInstantMs - 10 * 366 * dayMs)) return undefined;
  const offsetMs = clock.offsetMs(fromMs);
  const soonOffsetMs = clock.offsetMs(fromMs + maxPutBackMs);
  let found: number | undefined;
  for (const wallMs of wallTimes(timetable, fromMs + Math.min(offsetMs, soonOffsetMs))) {
    if (found !== undefined && wallMs >= found + Math.max(offsetMs, soonOffsetMs)) return found;
    for (const instant of instantsOf(wallMs, clock)) {
      if (instant >= fromMs && (found === undefined || instant < found)) found = instant;
    }
  }
  return found;
}

/** None where the clock skips the time, two where it shows it twice. */
function instantsOf(wallMs: number, clock: Clock): readonly number[] {
  const [before, after] = [clock.offsetMs(wallMs - dayMs), clock.offsetMs(wallMs + dayMs)];
  const candidates = before === after ? [wallMs - before] : [wallMs - before, wallMs - after];
  return before === after ? candidates : candidates.filter((instant) => instant + clock.offsetMs(instant) === wallMs);
}

/** Ascending, from a whole minute on, for as long as Kubernetes looks ahead. */
function* wallTimes({ minutes, hours, days, months, weekdays }: Timetable, fromMs: number): Generator<number, void, undefined> {
  const lastYear = new Date(fromMs).getUTCFullYear() + 5;
  const eitherDay = !days.isStar && !weekdays.isStar;
  for (let dayStartMs = Math.floor(fromMs / dayMs) * dayMs; ; dayStartMs += dayMs) {
    const date = new Date(dayStartMs);
    const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + 1];
    if (year > lastYear) return;
    if (!months.list.includes(month)) {
      dayStartMs = Date.UTC(year, month) - dayMs;
      continue;
    }
    const [isDay, isWeekday] = [days.list.includes(date.getUTCDate()), weekdays.list.includes(date.getUTCDay())];
    if (!(eitherDay ? isDay || isWeekday : isDay && isWeekday)) continue;
    for (const hour of hours.list) {
      for (const minute of minutes.list) {
        const wallMs = dayStartMs + hour * hourMs + minute * minuteMs;
        if (wallMs >= fromMs) yield wallMs;
      }
    }
  }
}

interface Clock {
  /** What the clock is ahead of UTC at an instant. */
  offsetMs(instantMs: number): number;
}

const utc: Clock = { offsetMs: () => 0 };

/** A clock of the time zone database. Asking for it is slow: what is known of whole days is kept. */
class ZoneClock implements Clock {
  readonly #format: Intl.DateTimeFormat;
  readonly #maxDays = 4_000;
  /** By day since the epoch, at its start in UTC. */
  readonly #offsets = new Map<number, number>();

  /** @throws RangeError for a name that is none. */
  constructor(timeZone: string) {
    const numeric = 'numeric';
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: numeric,
      month: numeric,
      day: numeric,
      hour: numeric,
      minute: numeric,
    });
  }

  offsetMs(instantMs: number): number {
    const day = Math.floor(instantMs / dayMs);
    const offset = this.#offsetOfDay(day);
    // No clock changes twice in a day.
    return offset === this.#offsetOfDay(day + 1) ? offset : this.#look(instantMs);
  }

  #offsetOfDay(day: number): number {
    let offset = this.#offsets.get(day);
    if (offset === undefined) {
      offset = this.#look(day * dayMs);
      if (this.#offsets.size >= this.#maxDays) this.#offsets.clear();
      this.#offsets.set(day, offset);
    }
    return offset;
  }

  #look(instantMs: number): number {
    const [month = 1, day = 1, year = 1970, hour = 0, minute = 0] = this.#format.format(instantMs).split(/\D+/).map(Number);
    return Date.UTC(year, month - 1, day, hour, minute) - Math.floor(instantMs / minuteMs) * minuteMs;
  }
}

/** There are some 600 names, and some of them in other spellings. */
const maxClocks = 1_000;
const clocks = new Map<string, Clock>([
  ['', utc],
  ['UTC', utc],
]);

/** Undefined for a name that is none of the time zone database. */
function clockOf(timeZone: string): Clock | undefined {
  let clock = clocks.get(timeZone);
  // Not the offsets that JavaScript takes beside names, such as `+08:00`.
  if (clock !== undefined || !/^[A-Za-z]/.test(timeZone)) return clock;
  try {
    clock = new ZoneClock(timeZone);
  } catch {
    return undefined;
  }
  if (clocks.size < maxClocks) clocks.set(timeZone, clock);
  return clock;
}
