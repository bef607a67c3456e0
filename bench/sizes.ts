/** How large the cases are that go beyond the fleet, all from the number of its applications: 100 unless said otherwise. */
export interface Sizes {
  /** So few that what grows with the number of applications would be seen. */
  readonly few: number;
  readonly stuck: number;
  readonly many: number;
  readonly most: number;
}

export function sizesOf(applications: number): Sizes {
  return {
    few: Math.max(1, Math.floor(applications / 10)),
    stuck: Math.min(1000, 2 * applications),
    many: Math.min(1000, Math.ceil(2.5 * applications)),
    most: Math.min(1000, 10 * applications),
  };
}
