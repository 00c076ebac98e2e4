/** As the contract's `GpuVendor`. */
export type GpuVendor = 'NVIDIA' | 'KUNLUN';

/** As the contract's `GpuAmount`. */
export interface GpuAmount {
  readonly vendor: GpuVendor;
  /** The extended resource, such as `nvidia.com/gpu`. */
  readonly resourceName: string;
  readonly count: number;
}

/**
 * Which extended resources count whole devices (or slices that are handed out like devices), and whose they are. Memory and core shares, such as
 * `nvidia.com/gpumem`, are no devices and are not listed.
 */
export const gpuResources: readonly { readonly vendor: GpuVendor; readonly pattern: RegExp }[] = [
  { vendor: 'NVIDIA', pattern: /^nvidia\.com\/(?:gpu|gpu\.shared|pgpu)$/ },
  { vendor: 'NVIDIA', pattern: /^nvidia\.com\/mig-[0-9a-z.+-]+$/ },
  { vendor: 'KUNLUN', pattern: /^(?:baidu\.com\/xpu|kunlunxin\.com\/v?xpu)$/ },
];

/** Undefined for a resource that is no GPU. */
export function gpuVendorOf(resourceName: string): GpuVendor | undefined {
  // Only extended resources have a domain: the common ones need no pattern.
  if (!resourceName.includes('/')) return undefined;
  return gpuResources.find(({ pattern }) => pattern.test(resourceName))?.vendor;
}
