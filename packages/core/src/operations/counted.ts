import type { Tally } from '../domain/tallies.js'
import type { Delivery, StoreReads } from '../ports/store.js'

/** Adds up what deliveries say was counted for them, and compares it with what is counted. */
export class Counted {
  private readonly sums = new Map<string, Tally>()

  private constructor(
    private readonly store: Pick<StoreReads, 'readTallies'>,
    private readonly before: ReadonlyMap<string, Tally>,
  ) {}

  /** Begins before the deliveries are looked at. */
  static async begin(store: Pick<StoreReads, 'readTallies'>): Promise<Counted> {
    return new Counted(store, await read(store))
  }

  note({ body: { counted = [] } }: Pick<Delivery, 'body'>): void {
    for (const tally of counted) {
      const { taken = 0, made = 0 } = this.sums.get(nameOf(tally)) ?? {}
      this.sums.set(nameOf(tally), { ...tally, taken: taken + tally.taken, made: made + tally.made })
    }
  }

  /**
   * What is counted less than deliveries say. More may be: of people who were erased. Meanwhile places may have been taken and
   * given back, so each number is compared with the higher of before and after. What counts for nothing any more is dropped.
   */
  async missing(): Promise<readonly string[]> {
    const after = await read(this.store)
    const oldest = new Map<string, number>()
    for (const { counter, from } of [...after.values()].reverse()) oldest.set(counter, from)
    return [...this.sums].flatMap(([name, { counter, from, taken, made }]) => {
      if (from < (oldest.get(counter) ?? Number.NEGATIVE_INFINITY)) return []
      const [one, other] = [this.before.get(name), after.get(name)]
      const mostTaken = Math.max(one?.taken ?? 0, other?.taken ?? 0)
      const mostMade = Math.max(one?.made ?? 0, other?.made ?? 0)
      if (taken <= mostTaken && made <= mostMade) return []
      return [`${counter} counts ${mostTaken} and ${mostMade} since ${from}, and deliveries say ${taken} and ${made}`]
    })
  }
}

async function read(store: Pick<StoreReads, 'readTallies'>): Promise<ReadonlyMap<string, Tally>> {
  return new Map((await store.readTallies()).map((tally) => [nameOf(tally), tally]))
}

function nameOf({ counter, from, until }: Tally): string {
  return JSON.stringify([counter, from, until])
}
