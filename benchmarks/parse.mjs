// A process of the benchmarks: fetches a list in the pages that the gateway takes it in, then times nothing but `JSON.parse` of each.
import { serve } from './processes.mjs';

const { url } = JSON.parse(process.argv[2]);
const pages = [];
for (let next = ''; next !== undefined;) {
  const text = await (await fetch(`${url}/api/v1/pods?limit=500${next && `&continue=${next}`}`)).text();
  pages.push(text);
  next = JSON.parse(text).metadata.continue;
}

serve({
  ready: { bytes: pages.reduce((sum, text) => sum + Buffer.byteLength(text), 0) },
  parseMs: () => {
    const start = performance.now();
    let items = 0;
    for (const text of pages) items += JSON.parse(text).items.length;
    if (items === 0) throw new Error('nothing was parsed');
    return performance.now() - start;
  },
});
