import { type Leaf as EventLeaf, naiveValue } from '../../../rules/testing/naive.js'
import { lengthOf } from '../../../rules/testing/naive-window.js'
import { consentAt, type LoggedEvent, latest, type Said } from '../law/known.js'
import type { Leaf, NamedRule, Rule, ScoreRule, Tree } from '../law/rules.js'

// What conditions of journeys come to, worked out from scratch each time.

/** All that conditions may ask about a user. */
export interface Facts {
  readonly at: number
  readonly events: readonly LoggedEvent[]
  readonly traits: readonly Said[]
  /** Tags without conditions that are on. */
  readonly marks: ReadonlySet<string>
  readonly runs: readonly { readonly journey: string; readonly key: string | undefined; readonly step: string }[]
  /** The event at hand. */
  readonly event: LoggedEvent | undefined
}

/** A user's tags, those without conditions too, and scores. */
export interface Derived {
  readonly tags: ReadonlySet<string>
  readonly scores: ReadonlyMap<string, number>
}

const NOTHING: Derived = { tags: new Set(), scores: new Map() }

/** Tags and scores of users; each may read those that stand before it. */
export class PlainRules {
  readonly #named: readonly NamedRule[]

  readonly #lengths: readonly number[]

  /** @param conditions all that may be asked, for the lengths of time that they write */
  constructor(
    private readonly rules: readonly Rule[],
    conditions: unknown,
  ) {
    this.#named = rules.filter((rule) => rule.kind === 'condition')
    const written = [...JSON.stringify(conditions).matchAll(/"(\d+[smhd])"/g)].map(([, text = '']) => lengthOf(text))
    const times = /"halfLife"/.test(JSON.stringify(rules)) ? [1, 2, 3, 4, 5, 6, 7, 8] : [1]
    this.#lengths = [...new Set(written)].flatMap((length) => times.map((factor) => factor * length))
  }

  get ids(): readonly string[] {
    return this.rules.map(({ id }) => id)
  }

  /** Tags without conditions come first. */
  readonly inOrder = (a: string, b: string): number => this.ids.indexOf(a) - this.ids.indexOf(b)

  derive(facts: Facts): Derived {
    const tags = new Set(facts.marks)
    const scores = new Map<string, number>()
    for (const rule of this.rules) {
      if (rule.kind === 'score') scores.set(rule.id, this.#score(rule, facts, { tags, scores }))
      if (rule.kind === 'tag' && this.holds(rule.conditions, facts, { tags, scores })) tags.add(rule.id)
    }
    return { tags, scores }
  }

  holds(tree: Tree, facts: Facts, derived: Derived = NOTHING): boolean {
    if ('all' in tree) return tree.all.every((part) => this.holds(part, facts, derived))
    if ('any' in tree) return tree.any.some((part) => this.holds(part, facts, derived))
    if ('not' in tree) return !this.holds(tree.not, facts, derived)
    if ('condition' in tree) {
      return this.#named.some(({ id, conditions }) => id === tree.condition && this.holds(conditions, facts, derived))
    }
    const expected = tree.fact.startsWith('since') ? lengthOf(String(tree.value)) : tree.value
    return compare(tree.operator, this.#value(tree, facts, derived), expected)
  }

  #value({ fact, params = {} }: Leaf, facts: Facts, { tags, scores }: Derived): unknown {
    const { at, events, traits, runs, event } = facts
    switch (fact) {
      case 'tag':
        return tags.has(String(params['id']))
      case 'score':
        return params['as'] === 'tier' ? this.tier(String(params['id']), scores) : scores.get(String(params['id']))
      case 'trait':
        return latest(traits, String(params['name']))
      case 'consent':
        return consentAt(events, params['channel'] as string | undefined, params['class'] as string | undefined)
      case 'event':
        return event?.properties[String(params['property'])]
      case 'run':
        return runs.some((run) =>
          (['journey', 'step', 'key'] as const).every((name) =>
            [undefined, run[name]].includes(params[name] as string),
          ),
        )
      case 'now':
        return new Date(at + 8 * 3_600_000).toISOString().slice(11, 16)
      default:
        return naiveValue({ fact, params } as unknown as EventLeaf, events, at)
    }
  }

  /** The next instant at which time alone may turn a condition. */
  nextAfter(at: number, events: readonly LoggedEvent[]): number {
    let next = Number.POSITIVE_INFINITY
    for (const event of events) {
      for (const length of this.#lengths) {
        const end = event.at + length
        if (end + 1 > at) next = Math.min(next, end > at ? end : end + 1)
      }
    }
    return next
  }

  tier(id: string, scores: ReadonlyMap<string, number>): string | undefined {
    const rule = this.rules.find((one): one is ScoreRule => one.kind === 'score' && one.id === id)
    const reached = (rule?.tiers ?? []).filter(({ from }) => from <= (scores.get(id) ?? 0))
    return reached.sort((a, b) => b.from - a.from)[0]?.id
  }

  #score({ terms }: ScoreRule, facts: Facts, derived: Derived): number {
    let sum = 0
    for (const term of terms) {
      if ('conditions' in term) sum += this.holds(term.conditions, facts, derived) ? term.points : 0
      else if ('event' in term) {
        for (const { event, at } of facts.events) {
          if (![term.event].flat().includes(event)) continue
          const halvings = term.halfLife === undefined ? 0 : Math.floor((facts.at - at) / lengthOf(term.halfLife))
          sum += halvings >= 8 ? 0 : term.points / 2 ** halvings
        }
      }
    }
    return Math.round(sum * 1e6) / 1e6
  }
}

function compare(operator: string, fact: unknown, value: unknown): boolean {
  if (operator === 'equal') return fact === value
  if (operator === 'notEqual') return fact !== value
  if (typeof fact !== 'number' && !(typeof fact === 'string' && typeof value === 'string')) return false
  const [a, b] = [fact, value as typeof fact]
  if (operator === 'lessThan') return a < b
  if (operator === 'lessThanInclusive') return a <= b
  return operator === 'greaterThan' ? a > b : a >= b
}
