import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { tokenOf, type TestGateway } from '../../support/gateway.js';
import { startWorld, times, users } from './world.js';

// Clients without manners: they do not close when they are told to, use an id again, or do not read.

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startWorld({ pods: 300, annotation: 'x'.repeat(100_000) }, { requestTimeoutMs: 1_000 });
});
afterAll(() => gateway.stop());

async function operationsRun(): Promise<number> {
  const metrics = await (await fetch(`${gateway.managementUrl}/metrics`)).text();
  return [...metrics.matchAll(/^gateway_operations_total\{.*\} (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function rawConnection(): Promise<Socket> {
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Masked with zeros, and short. */
function frameOf(message: object): Buffer {
  const payload = Buffer.from(JSON.stringify(message));
  return Buffer.concat([Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 255, 0, 0, 0, 0]), payload]);
}

it('an answer over HTTP that nobody reads is given up', async () => {
  const socket = await rawConnection();
  const body = JSON.stringify({ query: `{ pods(first: 100) { nodes { ${times(3, (at) => `a${at}: annotations { value }`)} } } }` });
  socket.write(
    `POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tokenOf('alice')}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  let length = Number.POSITIVE_INFINITY;
  let received = 0;
  const over = new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
    socket.on('data', (chunk: Buffer) => {
      if (received === 0) {
        const head = chunk.toString('latin1').split('\r\n\r\n', 1)[0] ?? '';
        length = Number(/content-length: (\d+)/i.exec(head)?.[1]) + head.length + 4;
        socket.pause();
        // Several times the request's own time.
        setTimeout(() => socket.resume(), 10_000);
      }
      received += chunk.length;
      if (received >= length) resolve();
    });
  });
  await over;
  // More than the system itself keeps for a connection.
  expect(length).toBeGreaterThan(20_000_000);
  expect(received).toBeLessThan(length);
  socket.destroy();
}, 30_000);

it('a socket whose sign-in has ended runs nothing more, though its client does not close it', async () => {
  const socket = await rawConnection();
  const received: string[] = [];
  socket.on('data', (chunk) => received.push(chunk.toString('latin1')));
  const receives = async (text: string): Promise<void> => {
    while (!received.join('').includes(text)) await once(socket, 'data');
  };
  socket.write(
    'GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n',
  );
  await receives('101');
  socket.write(frameOf({ type: 'connection_init', payload: { authorization: `Bearer ${tokenOf('bob')}` } }));
  await receives('connection_ack');
  gateway.setUsers(users.filter(({ id }) => id !== 'bob'));
  await receives('valid token');
  const before = await operationsRun();
  for (let index = 0; index < 20; index += 1) {
    socket.write(frameOf({ id: `q-${index}`, type: 'subscribe', payload: { query: '{ pods(first: 1) { nodes { name } } }' } }));
  }
  // By the time that others have been answered a few times, they have arrived.
  for (let index = 0; index < 10; index += 1) await gateway.as('alice').query('{ viewer { name } }');
  expect((await operationsRun()) - before).toBe(10);
  socket.destroy();
  gateway.setUsers(users);
});
