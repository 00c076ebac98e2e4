/**
 * Which of `offers` a client likes best, by an `Accept` or `Accept-Encoding` header: the highest `q`, among equals the first offer. An exact name goes before
 * `type/*`, and that before the wildcard. Undefined where it takes none.
 */
export function choose<T extends string>(header: string, offers: readonly T[]): T | undefined {
  const weights = new Map<string, number>();
  for (const part of header.split(',')) {
    const [name = '', ...parameters] = part.trim().toLowerCase().split(';');
    if (name.trim() !== '') weights.set(name.trim(), weightOf(parameters));
  }
  let best: T | undefined;
  let bestWeight = 0;
  for (const offer of offers) {
    const range = offer.includes('/') ? `${offer.slice(0, offer.indexOf('/'))}/*` : '*';
    const weight = weights.get(offer) ?? weights.get(range) ?? weights.get(offer.includes('/') ? '*/*' : '*') ?? 0;
    if (weight > bestWeight) {
      best = offer;
      bestWeight = weight;
    }
  }
  return best;
}

function weightOf(parameters: readonly string[]): number {
  const text = parameters.map((parameter) => /^\s*q\s*=\s*([\d.]+)\s*$/.exec(parameter)?.[1]).find((found) => found !== undefined);
  const weight = text === undefined ? 1 : Number(text);
  return weight >= 0 && weight <= 1 ? weight : 0;
}
