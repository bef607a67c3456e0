/** Where an item stands. */
export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** A key as one text. */
export function nameOf({ pk, sk }: Key): string {
  return JSON.stringify([pk, sk]);
}
