import type { MessageAtHand } from '../domain/policy-scope.js'
import {
  counterOf,
  madeBy,
  outdatedAt,
  readCounter,
  type SharedPolicy,
  sharedPolicies,
  type TalliesOf,
  type Tally,
  takenBy,
} from '../domain/tallies.js'
import type { Delivery, StoreTransaction } from '../ports/store.js'
import type { Outcomes } from './outcomes.js'

/**
 * Keeps count of what messages take of budgets and of the mixes of communities. A delivery says itself what is counted for
 * it, so that exactly this is taken back where it was not sent after all, whatever the rules say by then.
 */
export class Counts {
  private readonly known = new Map<string, Map<string, Tally>>()
  private readonly changes = new Map<string, Tally>()

  private constructor(
    private readonly outcomes: Outcomes,
    private readonly policies: readonly SharedPolicy[],
    known: readonly Tally[],
  ) {
    for (const tally of known) this.note(tally)
  }

  /**
   * Holds what is counted for the recipients of messages that are about to be sent. Until the transaction ends, nobody else
   * takes of the same. Nothing is asked for where no policy is about these messages.
   */
  static async hold(tx: StoreTransaction, outcomes: Outcomes): Promise<Counts> {
    const policies = sharedPolicies(outcomes.program.policies)
    const counters = new Set<string>()
    for (const delivery of policies.length === 0 ? [] : outcomes.locked) {
      if (delivery.kind !== 'message') continue
      const taken = takenBy(policies, atHand(delivery), communityOf(outcomes, delivery), outcomes.now)
      for (const { counter } of taken) counters.add(counter)
    }
    const known = counters.size === 0 ? [] : await tx.lockTallies([...counters])
    return new Counts(outcomes, policies, known)
  }

  /** For adding and taking back only, which needs nobody to wait: whoever does not see it yet is on the safe side. */
  static open(outcomes: Outcomes): Counts {
    return new Counts(outcomes, sharedPolicies(outcomes.program.policies), [])
  }

  /** What the policies about many people look at, for the recipient of a delivery. */
  talliesOf(delivery: Delivery): TalliesOf {
    return (policy) => {
      const counter = counterOf(policy, communityOf(this.outcomes, delivery))
      return counter === undefined ? undefined : [...(this.known.get(counter)?.values() ?? [])]
    }
  }

  /** Counts a message that is about to be sent; gives the delivery with what was counted. */
  take(delivery: Delivery): Delivery {
    return this.add(delivery, takenBy(this.policies, atHand(delivery), this.communityOf(delivery), this.outcomes.now))
  }

  /** Counts the room that a message makes which has certainly been sent: once. */
  makeRoom(delivery: Delivery): Delivery {
    if (delivery.body.counted?.some(({ made }) => made > 0)) return delivery
    const at = delivery.body.firstCalledAt ?? this.outcomes.now
    return this.add(delivery, madeBy(this.policies, atHand(delivery), this.communityOf(delivery), at))
  }

  /** A message has arrived, whatever was known of it: it has taken its place, and makes room. */
  arrived(delivery: Delivery): Delivery {
    const { counted = [], firstCalledAt = delivery.plannedAt } = delivery.body
    const isTaken = counted.some(({ taken }) => taken > 0)
    const taken = takenBy(this.policies, atHand(delivery), this.communityOf(delivery), firstCalledAt)
    return this.makeRoom(isTaken ? delivery : this.add(delivery, taken))
  }

  /** A message that was handed to its provider did not arrive: it keeps its place, for it may have cost, and makes no room. */
  failed(delivery: Delivery): Delivery {
    const { counted = [], ...body } = delivery.body
    const kept = counted.filter(({ made }) => made === 0)
    for (const tally of counted) if (tally.made > 0) this.change({ ...tally, made: -tally.made })
    return kept.length === counted.length ? delivery : { ...delivery, body: { ...body, counted: kept } }
  }

  /** Takes back what is counted for a delivery. */
  takeBack(delivery: Delivery): Delivery {
    const { counted = [], ...body } = delivery.body
    if (counted.length === 0) return delivery
    for (const { taken, made, ...place } of counted) this.change({ ...place, taken: -taken, made: -made })
    return { ...delivery, body }
  }

  /** Counts again what was taken back. */
  restore(delivery: Delivery): void {
    for (const tally of delivery.body.counted ?? []) this.change(tally)
  }

  /** The last that a transaction does: whoever holds what is counted waits for nothing more. */
  async write(tx: StoreTransaction): Promise<void> {
    const changes = [...this.changes.values()].filter(({ taken, made }) => taken !== 0 || made !== 0)
    if (changes.length === 0) return
    const begun = await tx.addTallies(changes)
    const outdated = [...begun].flatMap((counter) => {
      const policy = this.policies.find(({ id }) => id === readCounter(counter).policy)
      return policy?.window === undefined ? [] : [{ counter, until: outdatedAt(policy, this.outcomes.now) }]
    })
    if (outdated.length > 0) await tx.dropTallies(outdated)
  }

  private add(delivery: Delivery, tallies: readonly Tally[]): Delivery {
    if (tallies.length === 0) return delivery
    for (const tally of tallies) this.change(tally)
    return { ...delivery, body: { ...delivery.body, counted: [...(delivery.body.counted ?? []), ...tallies] } }
  }

  private change(tally: Tally): void {
    const name = JSON.stringify([tally.counter, tally.from, tally.until])
    this.changes.set(name, sum(this.changes.get(name), tally))
    this.note(tally)
  }

  private note(tally: Tally): void {
    const known = this.known.get(tally.counter) ?? new Map<string, Tally>()
    this.known.set(tally.counter, known)
    const place = `${tally.from}/${tally.until}`
    known.set(place, sum(known.get(place), tally))
  }

  private communityOf(delivery: Delivery): string | undefined {
    return communityOf(this.outcomes, delivery)
  }
}

function sum(before: Tally | undefined, tally: Tally): Tally {
  const { taken = 0, made = 0 } = before ?? {}
  return { ...tally, taken: taken + tally.taken, made: made + tally.made }
}

/** The message of a delivery, as policies see it. */
export function atHand({ body, source }: Delivery): MessageAtHand {
  return { channel: body.channel ?? '', class: body.class ?? 'service', journey: source.journey }
}

/** A community is its own; a user's or a leader's is the one they belong to now. */
function communityOf(outcomes: Outcomes, { subject }: Pick<Delivery, 'subject'>): string | undefined {
  if (subject.kind === 'community') return subject.id
  return outcomes.subjectOf({ subject }).state.relations.community?.[0]
}
