import type { Policy } from '@linli/rules'
import { madeAt, readCounter, type SharedPolicy, sharedPolicies, type Tally, takenAt } from '../domain/tallies.js'

/** How much of a budget is used up. */
export interface BudgetUse {
  readonly policy: string
  /** Left out: it is for everybody together. */
  readonly community?: string
  /** What it is counted in: messages, or the money that its costs are told in. */
  readonly of: 'messages' | 'money'
  readonly used: number
  readonly max: number
  /** In which time: `7d`, `today`; left out: ever. */
  readonly window?: string
}

/** What members of a community got. */
export interface MixUse {
  readonly policy: string
  readonly community: string
  /** Messages of the policy's classes. */
  readonly alike: number
  /** All messages by its channels. */
  readonly all: number
  /** What `alike` may be of `all` at most, 0 to 1. */
  readonly share: number
  readonly window: string
}

/** What is counted for policies about many people. */
export interface PolicyUse {
  /** Each budget of the rules for everybody, and of those for communities the ones of which something is used. */
  readonly budgets: readonly BudgetUse[]
  readonly mixes: readonly MixUse[]
}

const MILLION = 1_000_000

/** What is used of budgets and mixes at an instant. */
export function usesOf(policies: readonly Policy[], tallies: readonly Tally[], at: number): PolicyUse {
  const shared = sharedPolicies(policies)
  const found = shared.flatMap((policy) => countersOf(policy, tallies).map((one) => ({ policy, ...one })))
  return {
    budgets: found.flatMap(({ policy, community, own }) => {
      if (policy.kind !== 'budget') return []
      const unit = policy.costs === undefined ? 1 : MILLION
      const use = { used: takenAt(policy, own, at) / unit, max: policy.max / unit }
      const of = policy.costs === undefined ? 'messages' : 'money'
      const window = policy.window && { window: policy.window.text }
      return [{ policy: policy.id, ...(community !== undefined && { community }), of, ...use, ...window } as const]
    }),
    mixes: found.flatMap(({ policy, community, own }) => {
      if (policy.kind !== 'mix' || community === undefined) return []
      const alike = takenAt(policy, own, at)
      const all = alike + madeAt(policy, own, at)
      return [{ policy: policy.id, community, alike, all, share: policy.share, window: policy.window.text }]
    }),
  }
}

/** The policy's own counter, or that of each community, by name. */
function countersOf({ id, of }: SharedPolicy, tallies: readonly Tally[]) {
  const byCommunity = new Map<string | undefined, Tally[]>(of === undefined ? [[undefined, []]] : [])
  for (const tally of tallies) {
    const { policy, community } = readCounter(tally.counter)
    if (policy !== id || (community === undefined) !== (of === undefined)) continue
    const own = byCommunity.get(community)
    if (own === undefined) byCommunity.set(community, [tally])
    else own.push(tally)
  }
  return [...byCommunity].map(([community, own]) => ({ community, own }))
}
