import { compileProgram, definePack, type Program } from '@linli/rules'
import { advance } from '../packages/core/src/domain/advance.js'
import { decodeSubject, encodeSubject, UNBORN } from '../packages/core/src/domain/subject.js'
import { mulberry32 } from './shop.js'

// People whose events the reducer takes one by one, from text to text, as a store does.

/** How much of what is kept an event reaches. */
export type Reach = 'few' | 'all'

/** So many features: counts, sums, different values and latest events, each of a category of its own. */
export function programOf(features: number, reach: Reach): Program {
  const tags = Array.from({ length: features }, (_, index) => {
    const test = reach === 'all' ? 'greaterThanInclusive' : 'equal'
    const where = { fact: 'category', operator: test, value: index }
    return { kind: 'tag', id: `tag-${index}`, conditions: conditionOf(index, { event: 'order', where }) }
  })
  return compileProgram(definePack(tags))
}

function conditionOf(index: number, params: object) {
  const atLeast = (fact: string, value: number, more: object) => {
    return { fact, operator: 'greaterThanInclusive', value, params: { ...params, ...more } }
  }
  switch (index % 4) {
    case 0:
      return atLeast('eventCount', 3, { within: '30d' })
    case 1:
      return atLeast('eventSum', 300, { within: '30d', property: 'amount' })
    case 2:
      return atLeast('eventDistinct', 3, { within: '30d', property: 'store' })
    default:
      return { fact: 'sinceLastEvent', operator: 'greaterThan', value: '14d', params }
  }
}

const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 1)

/** The life of one person: an order every six hours or so. */
export class Life {
  row = encodeSubject(UNBORN)
  #events = 0
  readonly #random: () => number

  constructor(
    private readonly program: Program,
    private readonly features: number,
    private readonly id: number,
  ) {
    this.#random = mulberry32(id)
  }

  /** Takes one more order in. With `few`, it is of one category; with `all`, it reaches every feature. */
  order(reach: Reach): void {
    const pick = (count: number) => Math.floor(this.#random() * count)
    const at = START + this.#events * 6 * HOUR + pick(HOUR)
    const category = reach === 'all' ? this.features : pick(this.features)
    const properties = { category, amount: pick(5000) / 100, store: `s-${pick(40)}` }
    const event = { messageId: `m-${this.#events}`, event: 'order', at, properties }
    const state = decodeSubject(this.row)
    const key = { kind: 'user', id: `u-${this.id}` } as const
    this.row = encodeSubject(advance(key, state, [{ kind: 'event', at, event }], this.program).state)
    this.#events += 1
  }
}
