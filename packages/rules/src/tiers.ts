/** A named range of a score: from so many points on, until the next tier begins. */
export interface Tier {
  readonly id: string
  readonly from: number
}

/** The tier that a value is in; undefined below the first one. `tiers` are in the order of `from`. */
export function tierOf(tiers: readonly Tier[], value: number): string | undefined {
  return tiers.findLast(({ from }) => value >= from)?.id
}
