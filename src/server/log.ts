import { pino, type Logger } from 'pino';

export type { Logger } from 'pino';

/** What a client sends as its sign-in, should it stand in the text of somebody else's error. */
const credential = /\b((?:authorization|x-auth-token)["':=\s\\]+(?:bearer\s+)?|bearer\s+)[^\s"',\\]+/gi;

/**
 * JSON lines on standard output. Messages are constant; what varies is in fields. Tokens never get here; should one be logged by mistake all the same,
 * under one of these keys or behind `Bearer`, it is cut out.
 * @param write Takes the lines instead, each whole.
 */
export function createLog(level: string, write?: (line: string) => void): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: [
        'authorization',
        'token',
        '*.authorization',
        '*["x-auth-token"]',
        '*.token',
        '*.headers.authorization',
        '*.headers["x-auth-token"]',
      ],
      censor: '[cut]',
    },
    hooks: { streamWrite: (line: string) => line.replace(credential, '$1[cut]') },
  };
  return write === undefined ? pino(options) : pino(options, { write });
}
