// The page of GraphiQL: its editor, and a choice of the demo's sign-ins.
import 'graphiql/graphiql.css';
import './page.css';
import { GraphiQL } from 'graphiql';
import { createClient } from 'graphql-ws';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';

const workers = { json: 'json', graphql: 'graphql' };
globalThis.MonacoEnvironment = {
  getWorker: (_module, label) => new Worker(`/graphiql/worker-${workers[label] ?? 'editor'}.js`),
};

const { signIns, initialQuery } = JSON.parse(document.getElementById('config').textContent);

function Page() {
  const [chosen, choose] = useState(0);
  const [typed, type] = useState('');
  const token = signIns[chosen]?.token ?? typed;
  const fetcher = useMemo(
    () =>
      createGraphiQLFetcher({
        url: '/graphql',
        headers: token === '' ? {} : { authorization: `Bearer ${token}` },
        wsClient: createClient({
          url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
          connectionParams: { authorization: `Bearer ${token}` },
        }),
      }),
    [token],
  );
  return (
    <>
      <form className="sign-in" onSubmit={(event) => event.preventDefault()}>
        <label>
          Sign in as{' '}
          {signIns.length > 0 ? (
            <select value={chosen} onChange={(event) => choose(Number(event.target.value))}>
              {signIns.map(({ label }, index) => (
                <option key={label} value={index}>
                  {label}
                </option>
              ))}
            </select>
          ) : (
            <input type="password" placeholder="token" value={typed} onChange={(event) => type(event.target.value)} />
          )}
        </label>
      </form>
      <GraphiQL key={token} fetcher={fetcher} defaultQuery={initialQuery} defaultEditorToolsVisibility="variables" />
    </>
  );
}

createRoot(document.getElementById('app')).render(<Page />);
