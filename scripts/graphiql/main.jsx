// The page of GraphiQL: its editor, and a choice of the demo's sign-ins, or a field for a token of one's own.
import 'graphiql/style.css';
import './page.css';
import { GraphiQL } from 'graphiql';
import { getOperationAST, parse } from 'graphql';
import { createClient } from 'graphql-ws';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { useEffect, useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';

const { signIns, initialQuery, version } = JSON.parse(document.getElementById('config').textContent);

const workers = { json: 'json', graphql: 'graphql' };
globalThis.MonacoEnvironment = {
  getWorker: (_module, label) => new Worker(`/graphiql/worker-${workers[label] ?? 'editor'}.js?${version}`),
};

function Page() {
  const [token, signIn] = useState(signIns[0]?.token ?? '');
  return (
    <>
      {signIns.length > 0 ? <Choice onSignIn={signIn} /> : <Field onSignIn={signIn} />}
      {token === '' ? <p className="notice">Sign in with a token: the API answers nobody it does not know.</p> : <Editor token={token} />}
    </>
  );
}

function Choice({ onSignIn }) {
  return (
    <div className="sign-in">
      <label>
        Sign in as{' '}
        <select onChange={(event) => onSignIn(event.target.value)}>
          {signIns.map(({ label, token }) => (
            <option key={token} value={token}>
              {label}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

/** The token stays in this page, and goes when it is closed. */
function Field({ onSignIn }) {
  const [typed, type] = useState('');
  const submit = (event) => {
    event.preventDefault();
    onSignIn(typed.trim());
  };
  return (
    <form className="sign-in" onSubmit={submit}>
      <label>
        Token <input type="password" autoComplete="off" value={typed} onChange={(event) => type(event.target.value)} />
      </label>{' '}
      <button type="submit">Sign in</button>
    </form>
  );
}

function Editor({ token }) {
  const client = useMemo(
    () =>
      createClient({
        url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
        connectionParams: { authorization: `Bearer ${token}` },
      }),
    [token],
  );
  // Whoever signs in as another leaves no subscription behind.
  useEffect(() => () => void client.dispose(), [client]);
  const fetcher = useMemo(() => {
    const ask = createGraphiQLFetcher({ url: '/graphql', headers: { authorization: `Bearer ${token}` }, enableIncrementalDelivery: false });
    return (asked, options) => (isSubscription(asked) ? follow(client, asked) : ask(asked, options));
  }, [client, token]);
  return <GraphiQL fetcher={fetcher} defaultQuery={initialQuery} defaultEditorToolsVisibility="variables" />;
}

/** By the text that is sent: what the editor knows of it may be of a moment before. */
function isSubscription({ query, operationName }) {
  try {
    return getOperationAST(parse(query), operationName || undefined)?.operation === 'subscription';
  } catch {
    return false;
  }
}

/** What a subscription tells; why it ended, too, where it did not end well. */
async function* follow(client, asked) {
  try {
    yield* client.iterate(asked);
  } catch (error) {
    if (Array.isArray(error)) yield { errors: error };
    else yield { errors: [{ message: 'code' in error ? `The socket was closed: ${error.code} ${error.reason}` : String(error.message) }] };
  }
}

createRoot(document.getElementById('app')).render(<Page />);
