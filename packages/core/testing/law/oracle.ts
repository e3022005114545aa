import { Engine, type NestedCondition, type TopLevelCondition } from 'json-rules-engine'
import { naiveValue } from '../../../rules/testing/naive.js'
import { lengthOf } from '../../../rules/testing/naive-window.js'
import { consentAt, type Known, type LoggedEvent, latest } from './known.js'
import {
  isLeaf,
  type Kind,
  type Leaf,
  leavesOf,
  type NamedRule,
  namesIn,
  type Relation,
  type Rule,
  type ScoreRule,
  type TagRule,
  type Term,
  type Tree,
  treesOf,
} from './rules.js'

// The law's other side: json-rules-engine over facts that look at the whole log each time. It shares no code with what
// it judges.

/** The tags and scores of one subject at an instant, and which conditions that related subjects read hold there. */
export interface Standing {
  readonly tags: ReadonlySet<string>
  readonly scores: ReadonlyMap<string, number>
  readonly related: ReadonlySet<string>
}

export type RelatedStandings = Partial<Record<Relation, Standing | undefined>>

const NOTHING: Standing = { tags: new Set(), scores: new Map(), related: new Set() }

const EVENT_FACTS = [
  'eventCount',
  'eventSum',
  'eventAvg',
  'eventMin',
  'eventMax',
  'itemCount',
  'itemSum',
  'eventDistinct',
  'userCount',
  'firstEvent',
  'lastEvent',
  'sinceFirstEvent',
  'sinceLastEvent',
  'sequence',
  'share',
] as const

/** Facts that only conditions of journeys ask, or that need a journey. */
export const FACTS_OF_JOURNEYS: readonly string[] = ['event', 'now', 'run']

/** Facts that compare a community with all others: `baselines-law.test.ts` is about them. */
export const FACTS_OF_COMPARISON: readonly string[] = ['lift', 'rank']

/** Every fact that the oracle knows. */
export const ORACLE_FACTS: readonly string[] = [
  ...EVENT_FACTS,
  'messageCount',
  'trait',
  'relation',
  'tag',
  'score',
  'consent',
]

/** What facts are read of while an instant is looked at. */
interface Moment {
  readonly known: Known
  readonly at: number
  readonly zone: string | undefined
  readonly tags: Set<string>
  readonly scores: Map<string, number>
  readonly related: RelatedStandings
}

type Params = Readonly<Record<string, unknown>>
type Reader = (moment: Moment, params: Params) => unknown

const READERS: Readonly<Record<string, Reader>> = {
  ...Object.fromEntries(
    EVENT_FACTS.map((fact) => [fact, (moment: Moment, params: Params) => ofEvents(fact, moment, params)]),
  ),
  messageCount: ({ known, at, zone }, { journey, step, template, channel, class: messageClass, ...window }) => {
    const wanted = Object.entries({ journey, step, template, channel, class: messageClass })
    const events = known.events.filter(({ properties }) =>
      wanted.every(([key, value]) => value === undefined || properties[key] === value),
    )
    return naiveValue({ fact: 'eventCount', params: { event: 'message_accepted', ...window } }, events, at, zone)
  },
  trait: ({ known }, { name }) => latest(known.traits, String(name)),
  relation: ({ known }, { name }) => known.relations[name as Relation],
  tag: ({ tags }, { id }) => tags.has(String(id)),
  consent: ({ known }, { channel, class: messageClass }) =>
    consentAt(known.events, channel as string | undefined, messageClass as string | undefined),
  related: ({ related }, { relation, leaf }) => related[relation as Relation]?.related.has(String(leaf)) ?? false,
}

function ofEvents(fact: string, { known, at, zone }: Moment, params: Params): unknown {
  return naiveValue({ fact, params }, known.events, at, zone)
}

/** What is worked out of one kind of subject, in an order in which each comes after those it reads. */
interface Plan {
  readonly rules: readonly (TagRule | ScoreRule)[]
  /** Conditions that related subjects read, by their text. */
  readonly related: readonly (readonly [id: string, leaf: Leaf])[]
}

export class Oracle {
  readonly #plans: Readonly<Record<Kind, Plan>>
  readonly #named: readonly NamedRule[]
  readonly #scores: ReadonlyMap<string, ScoreRule>
  readonly #engines = new Map<Tree, Engine>()
  /** Params by number: json-rules-engine copies those of a rule each time it is asked. */
  readonly #params: Params[] = []
  #moment: Moment | undefined

  constructor(pack: readonly Rule[]) {
    this.#named = pack.filter((rule) => rule.kind === 'condition')
    const derived = pack.filter((rule) => rule.kind !== 'condition')
    this.#scores = new Map(derived.flatMap((rule) => (rule.kind === 'score' ? [[rule.id, rule]] : [])))
    const plan = (kind: Kind): Plan => ({
      rules: inReadingOrder(
        derived.filter((rule) => rule.subject === kind),
        (tree) => this.#leaves(tree),
      ),
      related: relatedLeaves(derived, kind, (tree) => this.#leaves(tree)),
    })
    this.#plans = { user: plan('user'), community: plan('community'), leader: plan('leader') }
  }

  /** What a subject stands at, from all that has arrived about it. */
  async at(kind: Kind, known: Known, at: number, related: RelatedStandings = {}): Promise<Standing> {
    const { rules, related: leaves } = this.#plans[kind]
    if (rules.length === 0 && leaves.length === 0) return NOTHING
    const said = latest(known.traits, 'timeZone')
    const zone = typeof said === 'string' ? said : undefined
    const moment = { known, at, zone, tags: new Set<string>(), scores: new Map<string, number>(), related }
    for (const rule of rules) {
      if (rule.kind === 'score') moment.scores.set(rule.id, await this.#score(rule, moment))
      else if (await this.#holds(rule.conditions, moment)) moment.tags.add(rule.id)
    }
    const holding = new Set<string>()
    for (const [id, leaf] of leaves) if (await this.#holds(leaf, moment)) holding.add(id)
    return { tags: moment.tags, scores: moment.scores, related: holding }
  }

  /** Names of events that conditions of one kind look at. */
  namesHeard(kind: Kind): (event: string) => boolean {
    const { rules, related } = this.#plans[kind]
    const text = JSON.stringify([
      rules,
      related,
      rules.flatMap((rule) => treesOf(rule).flatMap((tree) => this.#leaves(tree))),
    ])
    return (event) =>
      text.includes(JSON.stringify(event)) || (event === 'message_accepted' && text.includes('messageCount'))
  }

  #leaves(tree: Tree): readonly Leaf[] {
    const inner = namesIn(tree).flatMap((name) => this.#named.filter(({ id }) => id === name))
    return [...leavesOf(tree), ...inner.flatMap(({ conditions }) => this.#leaves(conditions))]
  }

  async #holds(tree: Tree, moment: Moment): Promise<boolean> {
    this.#moment = moment
    const { events } = await this.#engineFor(tree).run()
    return events.length > 0
  }

  #engineFor(tree: Tree): Engine {
    const known = this.#engines.get(tree)
    if (known !== undefined) return known
    const engine = new Engine([], { allowUndefinedFacts: true, pathResolver: memberAt })
    for (const [name, read] of Object.entries({ ...READERS, score: this.#readScore })) {
      const value = ({ number }: { number?: number }) =>
        this.#moment && read(this.#moment, this.#params[number ?? -1] ?? {})
      engine.addFact(name, value, { cache: false })
    }
    for (const { id, conditions } of this.#named) engine.setCondition(id, this.#topLevel(conditions))
    engine.addRule({ conditions: this.#topLevel(tree), event: { type: 'holds' } })
    this.#engines.set(tree, engine)
    return engine
  }

  /** Conditions as json-rules-engine takes them: the outermost is a list. */
  #topLevel(tree: Tree): TopLevelCondition {
    return { all: [this.#translated(tree)] }
  }

  #translated(tree: Tree): NestedCondition {
    if ('all' in tree) return { all: tree.all.map((part) => this.#translated(part)) }
    if ('any' in tree) return { any: tree.any.map((part) => this.#translated(part)) }
    if ('not' in tree) return { not: this.#translated(tree.not) }
    if (!isLeaf(tree)) return { condition: tree.condition }
    const { fact, params = {}, path, operator, value } = tree
    if (params['of'] !== undefined) {
      const asked = this.#numbered({ relation: params['of'], leaf: JSON.stringify(tree) })
      return { fact: 'related', params: asked, operator: 'equal', value: true }
    }
    return {
      fact,
      params: this.#numbered(params),
      operator,
      value: this.#expected(fact, value),
      ...(path !== undefined && { path }),
    }
  }

  #expected(fact: string, value: unknown): unknown {
    if (fact.startsWith('since')) return lengthOf(String(value))
    if (typeof value !== 'object' || value === null || !('fact' in value)) return value
    const { params = {}, ...reference } = value as unknown as Leaf
    return { ...reference, params: this.#numbered(params) }
  }

  #numbered(params: Params): { number: number } {
    return { number: this.#params.push(params) - 1 }
  }

  readonly #readScore: Reader = ({ scores }, { id, as }) => {
    const value = scores.get(String(id)) ?? 0
    if (as !== 'tier') return value
    const reached = (this.#scores.get(String(id))?.tiers ?? []).filter(({ from }) => from <= value)
    return reached.reduce<(typeof reached)[number] | undefined>((a, b) => (a && a.from > b.from ? a : b), undefined)?.id
  }

  async #score({ terms }: ScoreRule, moment: Moment): Promise<number> {
    let millionths = 0
    for (const term of terms) millionths += await this.#contribution(term, moment)
    return millionths / 1e6
  }

  async #contribution(term: Term, moment: Moment): Promise<number> {
    const points = Math.round(term.points * 1e6)
    if ('conditions' in term) return (await this.#holds(term.conditions, moment)) ? points : 0
    const most = Math.round((term.max ?? 100_000_000) * 1e6)
    return Math.max(-most, Math.min(most, this.#uncapped(term, points, moment)))
  }

  #uncapped(term: Exclude<Term, { conditions: Tree }>, points: number, moment: Moment): number {
    if ('per' in term) {
      const { fact, params = {} } = term.per
      const value = fact === 'score' ? this.#readScore(moment, params) : READERS[fact]?.(moment, params)
      return typeof value === 'number' ? Math.round(value * points) : 0
    }
    const { halfLife, event, where, item } = term
    const params = { event, ...(where && { where }), ...(item && { item }) }
    const counts = (one: LoggedEvent) =>
      naiveValue({ fact: 'eventCount', params }, [one], Number.MAX_SAFE_INTEGER, undefined) === 1
    return moment.known.events.filter(counts).reduce((sum, { at }) => sum + worth(points, moment.at - at, halfLife), 0)
  }
}

/** What an event of some age is worth: half after each half-life, nothing after eight. */
function worth(points: number, age: number, halfLife: string | undefined): number {
  if (halfLife === undefined) return points
  const halvings = Math.floor(age / lengthOf(halfLife))
  return halvings >= 8 ? 0 : Math.round(points / 2 ** halvings)
}

function inReadingOrder(
  rules: readonly (TagRule | ScoreRule)[],
  leaves: (tree: Tree) => readonly Leaf[],
): (TagRule | ScoreRule)[] {
  const ordered: (TagRule | ScoreRule)[] = []
  const visit = (rule: TagRule | ScoreRule) => {
    if (ordered.includes(rule)) return
    const pers = rule.kind === 'score' ? rule.terms.flatMap((term) => ('per' in term ? [term.per] : [])) : []
    const read = [...treesOf(rule).flatMap(leaves), ...pers].filter(({ params }) => params?.['of'] === undefined)
    const ids = read.flatMap(({ fact, params }) => (fact === 'tag' || fact === 'score' ? [params?.['id']] : []))
    for (const other of rules) if (ids.includes(other.id)) visit(other)
    ordered.push(rule)
  }
  for (const rule of rules) visit(rule)
  return ordered
}

/** Comparisons of any rule that are about a related subject of this kind, each once and without `of`. */
function relatedLeaves(
  rules: readonly (TagRule | ScoreRule)[],
  kind: Kind,
  leaves: (tree: Tree) => readonly Leaf[],
): readonly (readonly [string, Leaf])[] {
  const about = rules
    .flatMap(treesOf)
    .flatMap(leaves)
    .filter(({ params }) => params?.['of'] === kind)
  return [...new Map(about.map((leaf) => [JSON.stringify(leaf), withoutOf(leaf)]))]
}

function withoutOf(leaf: Leaf): Leaf {
  const { of: _, ...params } = leaf.params ?? {}
  return { ...leaf, params }
}

/** `$.a.b` of a value. */
function memberAt(value: unknown, path: string): unknown {
  return path
    .split('.')
    .slice(1)
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value)
}
