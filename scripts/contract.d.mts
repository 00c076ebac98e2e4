/** Every breach of the contract, and every fault of the list, a sentence each. The schemas as SDL. */
export function checkContract(texts: { contract: string; built: string; pending: string }): Promise<readonly string[]>;
/** The list without what is built; all that is missing where `pending` is undefined. */
export function pendingOf(texts: { contract: string; built: string; pending: string | undefined }): string;
