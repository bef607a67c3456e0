/** One asker of a call that is shared. */
export interface Asked<A, R> {
  readonly what: A;
  readonly resolve: (answer: R) => void;
  readonly reject: (error: unknown) => void;
}

/** Calls under way at a time; what is asked for meanwhile goes out together. */
const mostUnderWay = 2;

/**
 * What is asked for at one moment, or while enough calls are under way, is one call of at most `most`: it costs a tenth of as
 * many single ones. `answer` settles each of those it is handed, and never rejects.
 */
export function createGathered<A, R>({
  most,
  answer,
}: {
  readonly most: number;
  readonly answer: (asked: readonly Asked<A, R>[]) => Promise<void>;
}): (what: A) => Promise<R> {
  let waiting: Asked<A, R>[] = [];
  let underWay = 0;
  let isCalled = false;

  return (what) =>
    new Promise((resolve, reject) => {
      waiting.push({ what, resolve, reject });
      next();
    });

  function next(): void {
    if (isCalled || waiting.length === 0 || underWay >= mostUnderWay) return;
    isCalled = true;
    setImmediate(send);
  }

  function send(): void {
    isCalled = false;
    const asked = waiting.slice(0, most);
    waiting = waiting.slice(most);
    underWay += 1;
    void answer(asked).finally(() => {
      underWay -= 1;
      next();
    });
    next();
  }
}
