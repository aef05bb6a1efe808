/** What a store is asked to do. */
export type StoreVerb = 'read' | 'create' | 'set' | 'replace' | 'touch' | 'delete';

/** How it has failed: there was no answer within `storeTimeout`, or another one than there should be. */
export type StoreFailure = 'timeout' | 'error';

/** Told of each answer and failure: how long it took in ms. What answers at once, as memory does, takes no time. */
export type StoreListener = (
  verb: StoreVerb,
  duration: number,
  failure: StoreFailure | undefined,
) => void;
