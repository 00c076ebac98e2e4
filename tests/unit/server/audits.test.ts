import { buildSchema } from 'graphql';
import { auditServer } from 'graphql-http';
import { TestServing } from '../../support/serving.js';
import { tokenOf } from '../../support/gateway.js';

it('passes every audit of GraphQL over HTTP, without an error, a warning or a notice', async () => {
  const serving = await TestServing.start({ schema: buildSchema('type Query { text: String }') });
  try {
    const results = await auditServer({
      url: `${serving.url}/graphql`,
      fetchFn: (url: string, init: RequestInit = {}) =>
        fetch(url, {
          ...init,
          headers: { ...(init.headers as Record<string, string> | undefined), authorization: `Bearer ${tokenOf('admin')}` },
        }),
    });
    expect(results).toHaveLength(61);
    expect(
      results.flatMap((result) => (result.status === 'ok' ? [] : [`${result.status} ${result.id} ${result.name}: ${result.reason}`])),
    ).toEqual([]);
  } finally {
    await serving.drain();
  }
});
