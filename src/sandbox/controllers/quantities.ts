import type { ContainerSpec, PodSpec, Quantities } from './shapes.js';

const factors: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** Amounts by resource name: CPU in thousandths of a core, all else in its own unit. Whole numbers, so that sums stay exact. */
export type Amounts = Map<string, number>;

/** 0 for what is no quantity; validation keeps that out. */
export function parseQuantity(quantity: string | number): number {
  if (typeof quantity === 'number') return quantity;
  const match = /^([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)(n|u|m|k|[MGTPE]i?|Ki)?$/.exec(quantity);
  return match === null ? 0 : Number(match[1]) * (factors[match[2] ?? ''] ?? 1);
}

export function toAmounts(quantities: Quantities | undefined): Amounts {
  const amounts: Amounts = new Map();
  for (const [name, quantity] of Object.entries(quantities ?? {})) {
    const amount = parseQuantity(quantity) * (name === 'cpu' ? 1000 : 1);
    // 0.1 + 0.2 must not need more than 0.3.
    amounts.set(name, Math.ceil(Number(amount.toFixed(6))));
  }
  return amounts;
}

export function addAmounts(sum: Amounts, added: Amounts, times: 1 | -1 = 1): void {
  for (const [name, amount] of added) sum.set(name, (sum.get(name) ?? 0) + times * amount);
}

function raiseTo(sum: Amounts, floor: Amounts): void {
  for (const [name, amount] of floor) sum.set(name, Math.max(sum.get(name) ?? 0, amount));
}

function requestsOf({ resources }: ContainerSpec): Amounts {
  return toAmounts({ ...resources?.limits, ...resources?.requests });
}

/** What a pod takes of its node: Kubernetes' own arithmetic of init containers, sidecars, pod-level resources and overhead. */
export function podRequests(spec: PodSpec): Amounts {
  const running: Amounts = new Map();
  const peak: Amounts = new Map();
  for (const container of spec.initContainers ?? []) {
    const own = requestsOf(container);
    if (container.restartPolicy === 'Always') {
      addAmounts(running, own);
      raiseTo(peak, running);
    } else {
      addAmounts(own, running);
      raiseTo(peak, own);
    }
  }
  for (const container of spec.containers) addAmounts(running, requestsOf(container));
  raiseTo(running, peak);
  for (const [name, amount] of toAmounts({ ...spec.resources?.limits, ...spec.resources?.requests })) running.set(name, amount);
  addAmounts(running, toAmounts(spec.overhead));
  return running;
}
