// The text of docs/permission.md: the matrix as it is decided by, and what operators and the developers of portals need to know about it.
import { permissionRules, roles } from '../dist/auth/matrix.js';

const marks = { ALL: 'all', JOINED_PROJECTS: 'joined', NONE: '–' };
const gatewaysOwn = 6;

function matrixTable() {
  const rows = new Map();
  for (const { function: name, group, title, role, scope } of permissionRules()) {
    const row = rows.get(name) ?? { name, group, title, scopes: {} };
    row.scopes[role] = marks[scope];
    rows.set(name, row);
  }
  const all = [...rows.values()];
  const lines = all.map(({ name, group, title, scopes }, index) => {
    const shown = index === 0 || all[index - 1].group !== group ? group : '';
    return `| ${shown} | ${title} | \`${name}\` | ${roles.map((role) => scopes[role]).join(' | ')} |`;
  });
  const header = [
    `| group | title | function | ${roles.map((role) => `\`${role}\``).join(' | ')} |`,
    `|${'---|'.repeat(3 + roles.length)}`,
  ];
  const product = lines.slice(0, -gatewaysOwn);
  const own = lines.slice(-gatewaysOwn);
  return { product: [...header, ...product].join('\n'), own: [...header, ...own].join('\n'), count: product.length };
}

export function permissionDocs() {
  const { product, own, count } = matrixTable();
  return `# Signing in, roles, refusals

<!-- Written by \`npm run generate\` from src/auth/matrix.ts and scripts/permission-docs.mjs. -->

## Roles

| role | who it is | where it counts |
|---|---|---|
| \`CLOUD_ADMIN\` | runs the cloud | everywhere, also for what belongs to no project |
| \`DEPARTMENT_ADMIN\` | runs a department | in every project of the department |
| \`PROJECT_ADMIN\` | runs a project | in that project |
| \`USER\` | works in a project | in that project |
| \`READER\` | looks on | in that project: what \`USER\` may read, and nothing else |

Everything is decided by the role that the viewer holds **in the project of the object**: who administers one project and merely uses another administers nothing in the other.
An object belongs to the project that its namespace names in a label (\`openstack.org/project-id\` unless \`projectLabel\` is set); who may set that label decides whose
the namespace is, so keep it from tenants. A namespace without the label, all that is in it, and nodes belong to no project: only cloud administrators see them.
A namespace that changes its label takes its objects along at once, in lists, relations and open streams. What was in a namespace before it was deleted and made again
under the same name belongs to nobody.

## The matrix

The ${count} functions of the product. \`all\`: objects of every project. \`joined\`: objects of the projects in which the role is held. A dash is a no.

${product}

What the gateway adds:

${own}

The API tells the same: \`permissionMatrix\` is this table, \`viewer { can(function: …, project: …) }\` one cell of it for who asks, and \`viewer { permissions(project: …) { function scope } }\`
all cells at once. A portal greys out its buttons by these, and does not copy the table. In the schema, \`@permission(function:)\` on a field names the row that
governs it; \`@ungoverned(reason:)\` says why a field needs none.

## What a refusal looks like

| what is asked for | answer |
|---|---|
| a field whose function the viewer holds nowhere | null, and \`FORBIDDEN\` at the field's path, whether or not what it names exists |
| a single object that does not exist, or is of a project that the viewer has not joined | null, without an error: the two cannot be told apart |
| a single object of a joined project in which the viewer's role lacks the function | null, and \`FORBIDDEN\` |
| a list, with its total and its pages | the objects of the projects where the function is held; the others are not counted |
| a filter that names a project, namespace or cluster that does not exist or is not the viewer's | an empty list, without an error |
| a governed field of an object, such as \`Pod.node\` for a project's user | null, and \`FORBIDDEN\` at its path; the rest of the object is there |
| \`node(id:)\`, \`resource(…)\` | as the kind that is named, by its VIEW function |

\`\`\`json
{
  "data": { "pods": { "nodes": [{ "name": "web-5f9c", "node": null }] } },
  "errors": [
    {
      "message": "The role held here does not have the function NODE_VIEW.",
      "path": ["pods", "nodes", 0, "node"],
      "extensions": { "code": "FORBIDDEN", "requestId": "…" }
    }
  ]
}
\`\`\`

A client that draws what it gets needs no special case: refused fields are nullable, and the rest of the answer stands. Ask for fields that a role cannot have
only where \`viewer.can\` allows them: each refused field is an error in the answer, and counts as an object against the request's limit.

Users may not see namespaces, yet must name one to create anything: \`Project.namespaceNames\` is open to every member, \`Project.namespaces\` to administrators.

### While a stream lives

A subscription is decided by the roles as they are at each moment. An object that is lost (its namespace went to another project, or the viewer lost the role there)
is told as \`DELETED\`, one that is gained as \`ADDED\`. When the function is held in none of the projects that the subscription covers, that subscription
ends with \`FORBIDDEN\`; the others on the socket go on. When the sign-in itself ends (the token was removed, or expired), the socket closes with 4403.

## The audit log

For each request, or operation of a WebSocket, one line of JSON on standard output per function and project that was refused:

\`\`\`json
{"audit":"refused","at":"2026-03-04T05:06:07.008Z","requestId":"…","userId":"u-alice","userName":"alice","function":"NODE_VIEW","project":"p-web","count":50,"path":"pods.nodes.0.node"}
\`\`\`

- \`count\`: how many fields and objects were refused for this in the operation; \`path\`: the first of them in the answer, null where an object was looked up.
- \`project\`: null where the function is held nowhere, or the object belongs to no project.
- Lines of the log proper have no key \`audit\`; a collector tells the two by it. More kinds of lines may join: skip a value of \`audit\` that you do not know.

## Who has which role: the token file

\`auth.tokenFile\` names a YAML file:

\`\`\`yaml
projects:
  - id: p-web                       # what the namespace's label says
    name: web                       # default: the id
    department: { id: d-retail, name: Retail }
users:
  - id: u-alice
    name: alice                     # default: the id
    tokenSha256:                    # SHA-256 of each token, in hex; the token itself is written nowhere
      - 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
      - { sha256: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae, expiresAt: 2030-01-31T12:00:00Z }
    roles: { p-web: PROJECT_ADMIN, p-db: USER }    # by project; one that is not listed above is known by its id alone
    departments: { d-retail: DEPARTMENT_ADMIN }    # a role in every project of the department that is listed above
    cloudAdmin: false
    expiresAt: 2031-01-01T00:00:00Z                # of all tokens of the user; default: never
\`\`\`

Where several roles lead to one project, the highest counts. Make a token, and its digest:

\`\`\`sh
token=$(openssl rand -hex 32)
printf %s "$token" | sha256sum
\`\`\`

- Everything that is wrong is reported at once, by its place in the file, and never with a value: ids and tokens that occur twice, roles and departments that do not exist,
  digests that are none, keys that are not known.
- At the start a file that is not good ends the gateway. Later it is followed: written in place, replaced, or mounted from a secret. What is new counts within a second;
  a version that is not good is reported in the log, and what was in force stays.
- A token that is removed, given to another user or expired ends its sign-in at once, with its sockets; changed roles show in open streams at once.
- A request sends its token as \`Authorization: Bearer …\` or \`X-Auth-Token: …\`, a WebSocket under the same keys, in lower case, in the payload of \`connection_init\`.
  Every token that is not good gets the same answer, \`UNAUTHENTICATED\`.
`;
}
