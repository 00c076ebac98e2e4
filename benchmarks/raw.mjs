// A process of the benchmarks: the least that a server can do. Over HTTP it takes the request's body and stringifies the same plain records that the
// gateway answered; over WebSockets it sends one text to all.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { serve } from './processes.mjs';

const answers = new Map();
const server = createServer((request, response) => {
  request.resume().on('end', () => {
    const text = JSON.stringify(answers.get(request.url));
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(text) }).end(text);
  });
});
const sockets = new WebSocketServer({ server, perMessageDeflate: false, handleProtocols: () => 'graphql-transport-ws' });
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

serve({
  ready: { url: `http://127.0.0.1:${server.address().port}` },
  answer: ({ path, body }) => void answers.set(path, body),
  send: (text) => {
    for (const socket of sockets.clients) socket.send(text);
  },
});
