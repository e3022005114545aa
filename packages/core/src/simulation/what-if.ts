import type { Pack } from '@linli/rules'
import type { Decision } from '../domain/decision.js'
import { type Fate, fateOf } from './outcomes.js'
import type { SimulateOptions } from './simulate.js'
import { endOf, playTo, Simulator } from './simulator.js'
import type { Simulation } from './tally.js'

export interface WhatIfOptions {
  readonly old: Pack
  readonly new: Pack
  /** The history, from its beginning. Asked for once: both packs go over one reading of it. */
  readonly events: () => SimulateOptions['events']
  /** How far both go; to the last event when left out. */
  readonly until?: string | number
  /** What becomes of messages, the same of both; all are accepted at once when left out. */
  readonly outcomes?: SimulateOptions['outcomes']
  /** Told how many events were taken in, of both together. */
  readonly onProgress?: (events: number) => void
}

/** What two packs make of the same history. */
export interface WhatIf {
  readonly old: Simulation
  readonly new: Simulation
  /** Who has a tag at the end by one of the packs only. */
  readonly tags: Readonly<Record<string, Difference>>
  /** What coupons are worth that each pack issues, by the `value` of their offers. */
  readonly money: { readonly old: number; readonly new: number }
  /** Subjects that get more or less of something, in order of their names. */
  readonly subjects: readonly SubjectDifference[]
}

export interface Difference {
  /** Subjects that only the new pack gives it, such as `user:u-1`. */
  readonly gained: readonly string[]
  /** Subjects that only the old pack gives it. */
  readonly lost: readonly string[]
}

export interface SubjectDifference {
  readonly subject: string
  readonly gained: readonly ThingDifference[]
  readonly lost: readonly ThingDifference[]
}

/** A message, coupon or suggestion of which a subject gets another number. */
export interface ThingDifference {
  readonly kind: 'message' | 'coupon' | 'suggestion'
  /** The journey that gives it; of a coupon, the offer. */
  readonly rule: string
  readonly template?: string
  readonly old: number
  readonly new: number
  /** When it is first got, by the pack that gives more. ISO 8601. */
  readonly first: string
  /** Why the other pack gives less, as far as its decisions say. */
  readonly why: string
}

/** Runs both packs over the same history under a virtual clock and compares who would have got what. */
export async function whatIf(options: WhatIfOptions): Promise<WhatIf> {
  const { old: before, new: after, until, outcomes } = options
  const fate = fateOf(outcomes, [before, after])
  const [told, toldAfter] = progressOfBoth(options.onProgress)
  const [one, other] = [sideOf(before, fate, told), sideOf(after, fate, toldAfter)]
  const end = endOf(until)
  await playTo([one.simulator, other.simulator], options.events(), end)
  return {
    old: await resultOf(one.simulator, end),
    new: await resultOf(other.simulator, end),
    tags: tagsThatDiffer(one.seen, other.seen),
    money: { old: one.seen.money, new: other.seen.money },
    subjects: subjectsThatDiffer(one.seen, other.seen),
  }
}

/** What one of the packs makes of it. */
function sideOf(rules: Pack, fate: Fate, onProgress: (events: number) => void) {
  const seen = new Seen(rules)
  const onDecision = (decision: Decision) => seen.take(decision)
  return { seen, simulator: new Simulator({ rules, onDecision, onProgress }, fate) }
}

async function resultOf(simulator: Simulator, end: number): Promise<Simulation> {
  const { world, result } = await simulator.end(end)
  await world.close()
  return result
}

/** Of two who tell how far each has come, one who tells it of both. */
function progressOfBoth(tell: WhatIfOptions['onProgress']) {
  const taken = { old: 0, new: 0 }
  const taking = (which: keyof typeof taken) => (count: number) => {
    taken[which] = count
    tell?.(taken.old + taken.new)
  }
  return [taking('old'), taking('new')] as const
}

const THINGS: Readonly<Partial<Record<string, ThingDifference['kind']>>> = {
  'message.accepted': 'message',
  'coupon.issued': 'coupon',
  'suggestion.made': 'suggestion',
}

/** Decisions that say why somebody did not get something. */
const OBSTACLES: ReadonlySet<string> = new Set([
  'message.suppressed',
  'journey.held',
  'journey.exited',
  'coupon.refused',
])

/** Who has gone through a journey to its end was stopped by nothing there. */
function isObstacle({ decision, reason }: Decision): boolean {
  return OBSTACLES.has(decision) && reason !== 'completed'
}

interface Thing {
  readonly kind: ThingDifference['kind']
  readonly rule: string
  readonly journey: string
  readonly template: string | undefined
  count: number
  readonly first: number
}

/** What of a simulation's decisions is compared. */
class Seen {
  readonly members = new Map<string, Set<string>>()
  /** What each subject got, by what it is. */
  readonly things = new Map<string, Map<string, Thing>>()
  money = 0
  /** The latest obstacle for each subject and journey. */
  private readonly obstacles = new Map<string, string>()
  private readonly values: ReadonlyMap<string, number>
  private readonly journeys: ReadonlySet<string>

  constructor(pack: Pack) {
    this.values = new Map(pack.offers.map(({ definition: { id, value = 0 } }) => [id, value]))
    this.journeys = new Set(pack.journeys.map(({ definition }) => definition.id))
  }

  take(decision: Decision): void {
    const { decision: kind, subject, rule = '' } = decision
    if (kind === 'tag.added') membersOf(this.members, rule).add(subject)
    else if (kind === 'tag.removed') membersOf(this.members, rule).delete(subject)
    const thing = THINGS[kind]
    if (thing !== undefined) this.count(thing, decision)
    if (kind === 'coupon.returned') this.takeBack(decision)
    if (isObstacle(decision)) this.obstacles.set(`${subject} ${journeyOf(decision)}`, textOf(decision))
  }

  /** Nobody was told of it: it is as if it had not been issued. */
  private takeBack({ subject, rule = '' }: Decision): void {
    const known = this.things.get(subject)?.get(thingName('coupon', rule))
    if (known !== undefined) known.count -= 1
    this.money -= this.values.get(rule) ?? 0
  }

  /** Why a subject got less of a journey than by other rules. */
  why(subject: string, journey: string): string {
    if (!this.journeys.has(journey)) return 'there is no such journey'
    return this.obstacles.get(`${subject} ${journey}`) ?? 'not entered'
  }

  private count(kind: ThingDifference['kind'], decision: Decision): void {
    const { at, subject, rule = '', template } = decision
    const name = thingName(kind, rule, template)
    const own = this.things.get(subject) ?? new Map<string, Thing>()
    this.things.set(subject, own)
    const known = own.get(name)
    if (known !== undefined) known.count += 1
    else {
      const journey = journeyOf(decision)
      own.set(name, { kind, rule, journey, template: textOr(template), count: 1, first: at })
    }
    if (kind === 'coupon') this.money += this.values.get(rule) ?? 0
  }
}

function thingName(kind: ThingDifference['kind'], rule: string, template?: unknown): string {
  return `${kind} ${rule} ${String(template)}`
}

function membersOf(members: Map<string, Set<string>>, tag: string): Set<string> {
  const known = members.get(tag) ?? new Set<string>()
  members.set(tag, known)
  return known
}

function journeyOf({ rule = '', journey }: Decision): string {
  return textOr(journey) ?? rule
}

function textOr(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function textOf({ decision, rule, reason, journey }: Decision): string {
  const by = journey !== undefined && journey !== rule ? ` by ${rule}` : ''
  return `${decision}${by}${reason === undefined ? '' : `: ${String(reason)}`}`
}

function tagsThatDiffer(old: Seen, now: Seen): WhatIf['tags'] {
  const without = (members: Set<string> | undefined, others: Set<string> | undefined) =>
    [...(members ?? [])].filter((one) => !others?.has(one)).sort()
  const tags = [...new Set([...old.members.keys(), ...now.members.keys()])].sort()
  return Object.fromEntries(
    tags.flatMap((tag) => {
      const [before, after] = [old.members.get(tag), now.members.get(tag)]
      const difference = { gained: without(after, before), lost: without(before, after) }
      return difference.gained.length + difference.lost.length === 0 ? [] : [[tag, difference]]
    }),
  )
}

function subjectsThatDiffer(old: Seen, now: Seen): readonly SubjectDifference[] {
  const subjects = [...new Set([...old.things.keys(), ...now.things.keys()])].sort()
  return subjects.flatMap((subject) => {
    const [before, after] = [old.things.get(subject), now.things.get(subject)]
    const gained = more(subject, after, before, old, ([most, least]) => ({ old: least, new: most }))
    const lost = more(subject, before, after, now, ([most, least]) => ({ old: most, new: least }))
    return gained.length + lost.length === 0 ? [] : [{ subject, gained, lost }]
  })
}

/** Things that a subject has more of on one side, and why the other gives less. */
function more(
  subject: string,
  mine: ReadonlyMap<string, Thing> | undefined,
  theirs: ReadonlyMap<string, Thing> | undefined,
  other: Seen,
  sides: (counts: readonly [most: number, least: number]) => { readonly old: number; readonly new: number },
): readonly ThingDifference[] {
  return [...(mine ?? [])].flatMap(([name, { kind, rule, journey, template, count, first }]) => {
    const least = theirs?.get(name)?.count ?? 0
    if (count <= least) return []
    const about = { kind, rule, ...(template !== undefined && { template }) }
    return [
      { ...about, ...sides([count, least]), first: new Date(first).toISOString(), why: other.why(subject, journey) },
    ]
  })
}
