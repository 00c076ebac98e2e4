/**
 * Which of two resource versions of one cluster is newer: negative, zero or positive as in a sort. Kubernetes promises by now that they are
 * decimal numbers without leading zeros, and has always written them so; undefined where they are not, and nothing can be told.
 */
export function compareVersions(one: string, other: string): number | undefined {
  if (one === other) return 0;
  if (!isNumber(one) || !isNumber(other)) return undefined;
  // As text, because they may be beyond what a number holds exactly.
  return one.length - other.length || (one < other ? -1 : 1);
}

function isNumber(version: string): boolean {
  for (let at = 0; at < version.length; at += 1) {
    const code = version.charCodeAt(at);
    if (code < 0x30 || code > 0x39) return false;
  }
  return version.length > 0;
}
