import importX from 'eslint-plugin-import-x';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import tseslint from 'typescript-eslint';

/** Imports go one way: a layer knows those before it. `sandbox` is a world of its own, reached over HTTP. */
const layers = ['errors.ts', 'config.ts', 'k8s', 'domain', 'platform', 'events', 'auth', 'schema', 'resolvers', 'server', 'main.ts'];

const zones = layers.flatMap((layer, index) => [
  ...layers
    .slice(index + 1)
    .map((later) => ({ target: `./src/${layer}`, from: `./src/${later}`, message: `${layer} comes before ${later}.` })),
]);
const sandboxZones = [
  { target: './src/sandbox', from: './src', except: ['./sandbox'], message: 'The embedded cluster knows nothing of the gateway.' },
  ...layers
    .slice(0, -1)
    .map((layer) => ({ target: `./src/${layer}`, from: './src/sandbox', message: 'The gateway reaches the embedded cluster over HTTP.' })),
];

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'coverage', 'tests/cluster/controlplane', '.cache'] },
  ...tseslint.configs.recommendedTypeChecked.map((config) => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver()] },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones: [...zones, ...sandboxZones] }],
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['src/{errors,config}.ts', 'src/{k8s,domain,platform,events,auth,sandbox}/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['graphql', 'graphql-*', '@graphql-tools/*', 'type-graphql', '@apollo/*'], message: 'GraphQL begins in src/schema.' },
          ],
        },
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/main.ts'],
    rules: {
      'no-restricted-properties': ['error', { object: 'process', property: 'env', message: 'Only main.ts reads the environment.' }],
      'no-console': 'error',
    },
  },
  {
    files: ['tests/**/*.ts', 'benchmarks/**/*.ts', 'examples/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-explicit-any': 'off',
    },
  },
);
