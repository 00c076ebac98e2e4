import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';

const flags =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

let demo: ChildProcess;
let browser: Browser;
let url: string;
/** What the demo printed, for when it fails. */
let printed = '';

beforeAll(async () => {
  const [port, managementPort] = [await freePort(), await freePort()];
  url = `http://127.0.0.1:${port}`;
  demo = spawn(process.execPath, [fileURLToPath(new URL('../../dist/main.js', import.meta.url)), '--demo'], {
    env: { ...process.env, PORT: String(port), MANAGEMENT_PORT: String(managementPort) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [demo.stdout, demo.stderr]) stream?.on('data', (data: Buffer) => (printed += data.toString('utf8')));
  const isReady = () =>
    fetch(`http://127.0.0.1:${managementPort}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isReady())) {
    if (demo.exitCode !== null) throw new Error(`The demo ended with ${demo.exitCode}:\n${printed}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { chromium: executablePath } = globalThis as unknown as { chromium: string };
  browser = await chromium.launch({ executablePath, args: flags.split(' ') });
}, 120_000);

afterAll(async () => {
  await browser?.close();
  if (demo?.exitCode === null) {
    const ended = new Promise((resolve) => demo.once('exit', resolve));
    demo.kill('SIGTERM');
    await ended;
  }
});

describe('GraphiQL of the demo', () => {
  let page: Page;
  /** Everything that the page asked for, and everything that it complained of. */
  let requested: string[];
  let complaints: string[];

  beforeEach(async () => {
    page = await browser.newPage();
    requested = [];
    complaints = [];
    page.on('request', (request) => requested.push(request.url()));
    page.on('websocket', (socket) => requested.push(socket.url()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.goto(url);
    await page.waitForSelector('.graphiql-execute-button');
  });

  afterEach(async () => {
    const outside = requested.filter(
      (each) => !each.startsWith(`${url}/`) && !each.startsWith(url.replace('http', 'ws')) && !/^(data|blob):/.test(each),
    );
    expect(outside).toEqual([]);
    expect(complaints).toEqual([]);
    await page.close();
  });

  const signIns = () => page.locator('.sign-in option').allTextContents();
  const answer = async () => ((await page.locator('.result-window').textContent()) ?? '').replaceAll('\u00a0', ' ');

  async function write(text: string): Promise<void> {
    await page.locator('.graphiql-query-editor .view-lines').first().click();
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.insertText(text);
    // The editor closes brackets by itself.
    await page.keyboard.press('ControlOrMeta+Shift+End');
    await page.keyboard.press('Delete');
  }

  /** Resolves with the shown answer once it is as wanted. */
  async function shown(wanted: RegExp): Promise<string> {
    await page.locator('.result-window', { hasText: wanted }).waitFor();
    return answer();
  }

  it('offers a sign-in for each role', async () => {
    const offered = (await signIns()).join('\n');
    for (const role of ['云管理员', '部门管理员', '项目管理员', '普通用户', '只读用户']) expect(offered).toContain(role);
  });

  it('answers the query that it opens with', async () => {
    await page.click('.graphiql-execute-button');
    const text = await shown(/"totalCount":\s[1-9]/);
    expect(text).toContain('"viewer"');
    expect(text).not.toContain('"errors"');
  });

  it('answers another viewer by what that one may see', async () => {
    await write('{ viewer { role } clusters { name } }');
    await page.click('.graphiql-execute-button');
    expect(await shown(/"viewer"/)).not.toContain('FORBIDDEN');

    const labels = await signIns();
    const user = labels.findIndex((label) => label.includes('普通用户（'));
    await page.locator('.sign-in select').selectOption({ index: user });
    await page.waitForSelector('.graphiql-execute-button');
    await write('{ viewer { role } clusters { name } }');
    await page.click('.graphiql-execute-button');
    const refused = await shown(/"USER"/);
    expect(refused).toContain('FORBIDDEN');
    expect(refused).toContain('"clusters": null');
  });

  it('shows the changes of a subscription as they come', async () => {
    await write('subscription { podChanges { type podId cursor } }');
    await page.click('.graphiql-execute-button');
    // A snapshot has additions only: this happened while the page was looking.
    expect(await shown(/"type":\s+"(MODIFIED|DELETED)"/)).toContain('"podChanges"');
    expect(requested.some((each) => each.startsWith('ws:'))).toBe(true);
  });
});
