import { compileProgram, definePack, type Program } from '@linli/rules'
import fc from 'fast-check'
import { advance } from '../../src/domain/advance.js'
import type { Decision, Input } from '../../src/domain/decision.js'
import { decodeSubject, encodeSubject, hasTag, type SubjectState, scoreOf, UNBORN } from '../../src/domain/subject.js'
import { probesOf } from './instants.js'
import { Oracle } from './oracle.js'
import { userPackArb } from './packs.js'
import type { Rule } from './rules.js'
import { type Arrival, batchesOf, inTime, userStreamArb } from './streams.js'
import { Town } from './town.js'
import { checkFlips, compare, type Mutant, type Seen } from './verdicts.js'

/** A pack, what happens, and at which instants to look. */
export interface Case {
  readonly pack: readonly Rule[]
  readonly stream: readonly Arrival[]
  readonly picks: readonly number[]
}

export const reducerCaseArb: fc.Arbitrary<Case> = fc.record({
  pack: userPackArb,
  stream: userStreamArb,
  picks: fc.array(fc.nat({ max: 100_000 }), { minLength: 4, maxLength: 12 }),
})

/**
 * The reducer alone, for one user. After every batch of events and at every probe it stands where the oracle does, and
 * what changed by itself did so at its very instant.
 */
export async function tryReducer({ pack, stream, picks }: Case, mutant?: Mutant): Promise<void> {
  const oracle = new Oracle(pack)
  const town = new Town(oracle)
  const user = new WatchedUser(pack, mutant)
  for (const { now, events } of inTime(batchesOf(stream), probesOf(pack, stream, picks))) {
    if (user.isBorn) await checkFlips(user.take([{ kind: 'instant', at: now }]), (at) => town.standings(at))
    if (events.length > 0) {
      const inOrder = events.map((one) => ({ ...one, at: Math.min(one.at, now) })).sort((a, b) => a.at - b.at)
      user.take(inOrder.map((one) => inputOf(one, now)))
      town.learn(inOrder, now)
    }
    const right = (await town.standings(now)).get(user.name)
    if (right !== undefined) compare(user.name, user.seen, right, now)
  }
}

function inputOf({ type, messageId, event, at, properties, userId, traits, groupId }: Arrival, now: number): Input {
  const record = { messageId, event, at, properties, userId }
  const input = { kind: 'event', at: now, event: record } as const
  if (type === 'group') return { ...input, changes: { relations: { ...(groupId && { community: groupId }) } } }
  return type === 'identify' ? { ...input, changes: { traits: traits ?? {} } } : input
}

/** One user moved by the reducer. Between two inputs the state is text, as it is in a store. */
class WatchedUser {
  readonly name = 'user:u1'
  readonly #program: Program
  #state: SubjectState = UNBORN

  constructor(
    private readonly pack: readonly Rule[],
    mutant: Mutant | undefined,
  ) {
    this.#program = compileProgram(definePack(pack))
    mutant?.(this.#program)
  }

  get isBorn(): boolean {
    return this.#state.at > 0
  }

  take(inputs: readonly Input[]): readonly Decision[] {
    const { state, decisions } = advance({ kind: 'user', id: 'u1' }, this.#state, inputs, this.#program)
    this.#state = decodeSubject(encodeSubject(state))
    return decisions
  }

  get seen(): Seen {
    const ids = (kind: string) => this.pack.filter((rule) => rule.kind === kind).map(({ id }) => id)
    return {
      tags: new Set(ids('tag').filter((id) => hasTag(this.#state, id))),
      scores: new Map(ids('score').map((id) => [id, scoreOf(this.#state, id)[0]])),
    }
  }
}
