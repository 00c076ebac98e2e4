// The text of docs/configuration.md, from the options as they are typed.
import { describeSettings } from '../dist/config.js';

export function configurationDocs() {
  const rows = describeSettings().map(
    ({ env, file, form, default: standard, doc }) =>
      `| \`${file}\` | \`${env}\` | ${form} | ${standard === '—' || standard === '(none)' ? standard : `\`${standard}\``} | ${doc} |`,
  );
  return `# Configuration

<!-- Written by \`npm run generate\` from src/config.ts. -->

Options stand in the YAML file that \`CONFIG_FILE\` names, or in the environment, which wins. All problems are reported at once at the start.
\`node dist/main.js --help\` prints this list.

| in the file | environment | form | default | meaning |
|---|---|---|---|---|
${rows.join('\n')}

Clusters stand in the file only. Without \`clusters\` the one cluster is the current context of \`KUBECONFIG\`, else of \`~/.kube/config\`, else the service account of the pod
that the gateway runs in.

\`\`\`yaml
clusters:
  - name: east                      # in ids, filters and answers; a DNS label
    displayName: 华东一              # for people; default: name
    kubeconfig: ./east.kubeconfig   # from the folder of this file; without one, the pod's service account
    context: admin                  # default: the kubeconfig's current context
    projects: [p-web, p-db]         # projects whose members may create things here; default: all
auth:
  tokenFile: ./tokens.yaml
\`\`\`
`;
}
