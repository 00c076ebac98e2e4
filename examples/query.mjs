// Sends a query from a file, and prints the answer.
//
//   TOKEN=… node examples/query.mjs examples/queries/cluster-page.graphql cluster=east
//
// Variables follow the file as name=value; a value that is JSON is taken as such. GATEWAY_URL is http://127.0.0.1:4000/graphql unless set.
import { readFileSync } from 'node:fs';

const [file, ...assignments] = process.argv.slice(2);
const { TOKEN: token, GATEWAY_URL: url = 'http://127.0.0.1:4000/graphql' } = process.env;
if (file === undefined || token === undefined) {
  process.stderr.write('Usage: TOKEN=… node examples/query.mjs FILE [name=value…]\n');
  process.exit(2);
}

function valueOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const variables = Object.fromEntries(
  assignments.map((assignment) => {
    const [name, ...value] = assignment.split('=');
    return [name, valueOf(value.join('='))];
  }),
);
const response = await fetch(url, {
  method: 'POST',
  headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/graphql-response+json' },
  body: JSON.stringify({ query: readFileSync(file, 'utf8'), variables }),
});
const answer = await response.json();
process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
if (answer.errors !== undefined) process.exitCode = 1;
