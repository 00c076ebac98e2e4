import type { Agent } from 'undici';
import { request } from 'undici';
import type { ApiServer } from './api-server.js';

/** An API server over HTTP. @param headers Of every request. @param agent For what its TLS needs. */
export function apiServerAt(
  origin: string,
  {
    headers = {},
    agent,
    forget,
    close,
  }: Pick<ApiServer, 'forget' | 'close'> & { readonly headers?: Readonly<Record<string, string>>; readonly agent?: Agent },
): ApiServer {
  const dispatcher = agent === undefined ? {} : { dispatcher: agent };
  return {
    forget,
    close,
    async ask(method, path, { body, contentType = 'application/json' } = {}) {
      const answer = await request(origin + path, {
        ...dispatcher,
        method: method as 'GET',
        headers: { ...headers, ...(body === undefined ? {} : { 'content-type': contentType }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.body.text();
      const isJson = String(answer.headers['content-type']).startsWith('application/json');
      return { status: answer.statusCode, body: isJson ? JSON.parse(text) : text };
    },
    async *follow(path, signal) {
      const answer = await request(origin + path, { ...dispatcher, headers, signal });
      let rest = '';
      try {
        for await (const chunk of answer.body.setEncoding('utf8') as AsyncIterable<string>) {
          const lines = (rest + chunk).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) {
            const event = JSON.parse(line);
            // A refusal at once, told as a stream would tell it.
            yield answer.statusCode === 200 ? event : { type: 'ERROR', object: event };
          }
        }
        if (rest !== '') yield answer.statusCode === 200 ? JSON.parse(rest) : { type: 'ERROR', object: JSON.parse(rest) };
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
  };
}
