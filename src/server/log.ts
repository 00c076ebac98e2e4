import { pino, type Logger } from 'pino';

export type { Logger } from 'pino';

/**
 * JSON lines on standard output. Messages are constant; what varies is in fields. Tokens never get here; should one of these keys be logged by mistake
 * all the same, its value is cut out.
 */
export function createLog(level: string): Logger {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: ['authorization', 'token', '*.authorization', '*["x-auth-token"]', '*.token', '*.headers.authorization'],
      censor: '[cut]',
    },
  });
}
