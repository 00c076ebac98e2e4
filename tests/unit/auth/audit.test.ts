import { audit, type AuditLine } from '../../../src/auth/audit.js';
import { Refusals } from '../../../src/auth/refusals.js';

const identity = { userId: 'u-alice', userName: 'alice' };
const atMs = Date.parse('2026-03-04T05:06:07.008Z');

function linesOf(refusals: Refusals, requestId = 'r-1', who = identity): string[] {
  const lines: string[] = [];
  audit({ atMs, requestId, identity: who, refused: refusals.all() }, (line) => lines.push(line));
  return lines;
}

describe('the audit log', () => {
  it('has one line for each function and project that was refused, with a count and the first path', () => {
    const refusals = new Refusals();
    for (let i = 0; i < 1_500; i++) refusals.refuse('NODE_VIEW', 'a', () => `pods.nodes.${i}.node`);
    refusals.refuse('NODE_VIEW', 'b', () => 'pods.nodes.7.node');
    refusals.refuse('NAMESPACE_VIEW', undefined);
    const lines = linesOf(refusals);
    expect(lines.map((line) => JSON.parse(line) as AuditLine)).toEqual([
      {
        audit: 'refused',
        at: '2026-03-04T05:06:07.008Z',
        requestId: 'r-1',
        userId: 'u-alice',
        userName: 'alice',
        function: 'NODE_VIEW',
        project: 'a',
        count: 1_500,
        path: 'pods.nodes.0.node',
      },
      expect.objectContaining({ function: 'NODE_VIEW', project: 'b', count: 1, path: 'pods.nodes.7.node' }),
      expect.objectContaining({ function: 'NAMESPACE_VIEW', project: null, count: 1, path: null }),
    ]);
  });

  it('writes nothing for an operation that was refused nothing', () => {
    expect(linesOf(new Refusals())).toEqual([]);
  });

  it('keeps every entry on one line, whatever clients and the identity source put into it', () => {
    const refusals = new Refusals();
    refusals.refuse('POD_LOGS', 'a\n{"audit":"refused"}', () => 'x');
    const [line, ...others] = linesOf(refusals, 'r\r\n2', { userId: 'u\n1', userName: 'Zoë "the\nroot"' });
    expect(others).toEqual([]);
    expect(line?.indexOf('\n')).toBe(line!.length - 1);
    expect(line).not.toContain('\r');
    expect(JSON.parse(line!)).toMatchObject({ userId: 'u\n1', userName: 'Zoë "the\nroot"', project: 'a\n{"audit":"refused"}' });
  });
});

describe('refusals', () => {
  it('make one error for each function and project, without a stack, and say nothing of the project', () => {
    const refusals = new Refusals();
    const before = Error.stackTraceLimit;
    const first = refusals.refuse('NODE_VIEW', 'p-secret', () => 'a');
    expect(refusals.refuse('NODE_VIEW', 'p-secret', () => 'b')).toBe(first);
    expect(refusals.refuse('NODE_VIEW', 'p-other', () => 'c')).not.toBe(first);
    expect(first.code).toBe('FORBIDDEN');
    expect(first.stack).not.toContain(' at ');
    expect(first.message).toContain('NODE_VIEW');
    expect(first.message).not.toContain('p-secret');
    expect(Error.stackTraceLimit).toBe(before);
  });

  it('ask for the path only where they have none yet', () => {
    const refusals = new Refusals();
    let asked = 0;
    const path = (): string => `${++asked}`;
    refusals.refuse('NODE_VIEW', 'a');
    for (let i = 0; i < 100; i++) refusals.refuse('NODE_VIEW', 'a', path);
    expect(asked).toBe(1);
    expect(refusals.all()).toEqual([{ function: 'NODE_VIEW', project: 'a', count: 101, path: '1' }]);
  });
});
