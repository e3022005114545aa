import { DEFAULT_ZONE, type MessageClass, type Program, stepsOf } from '@linli/rules'
import { Temporal } from 'temporal-polyfill'
import type { Decision } from '../domain/decision.js'
import type { SubjectKey } from '../domain/subject.js'
import { RunCounter } from '../insights/run-counts.js'
import { keyOf } from '../insights/trace.js'
import { type PolicyUse, usesOf } from '../operations/budgets.js'
import type { StoreReads } from '../ports/store.js'
import { whoIs } from '../subjects/people.js'

/** What became of a journey's runs. */
export interface JourneyReport {
  readonly entered: number
  /** How many different subjects entered. */
  readonly subjects: number
  /** How many runs came to each step, in the order they are written in. */
  readonly steps: readonly { readonly id: string; readonly runs: number }[]
  /** How many runs ended, by why. */
  readonly exits: Readonly<Record<string, number>>
  readonly goals: number
  /** Goals for each entry, 0 to 1; null where nobody entered, or there is no goal. */
  readonly conversion: number | null
  /**
   * What the goal came to in each group: `runs`, those who were kept out (`holdout`, `control group`), and each variant
   * (`text: short`). Empty where there is no goal, or nothing to compare with.
   */
  readonly compared: Readonly<Record<string, Comparison>>
  /** How many were not let in, by why. */
  readonly held: Readonly<Record<string, number>>
}

/** How a group did. */
export interface Comparison {
  /** Entries, or what would have been entries. */
  readonly of: number
  readonly goals: number
  /** What the goals are worth, where their event says so. */
  readonly value: number
}

/** What a simulation came to, for those who decide about rules. `budgets` and `mixes` are as they are at its end. */
export interface SimulationReport extends PolicyUse {
  readonly journeys: Readonly<Record<string, JourneyReport>>
  /** Messages that providers took, by day (Asia/Shanghai) and class. */
  readonly sends: Readonly<Record<string, Readonly<Partial<Record<MessageClass, number>>>>>
  /** Messages and suggestions that were kept back, by why, and by which policy where one did; the most frequent first. */
  readonly suppressed: readonly { readonly reason: string; readonly policy?: string; readonly count: number }[]
  /** Entries into journeys that were held back, by why. */
  readonly held: Readonly<Record<string, number>>
  /** Coupons, by offer: how many were issued, how many of these went back, and what the others are worth by its `value`; null where it has none. */
  readonly coupons: Readonly<
    Record<string, { readonly issued: number; readonly returned: number; readonly money: number | null }>
  >
  /** What all coupons are worth that did not go back. */
  readonly money: number
  /** Messages to each community and to those who belong to it in the end, and the share of promotions among them. */
  readonly communities: Readonly<
    Record<string, { readonly sends: number; readonly promotions: number; readonly share: number }>
  >
}

/** Counts decisions as they are made. */
export class Reporter {
  private readonly journeys: ReadonlyMap<string, JourneyTally>
  private readonly sends = new Map<string, Map<string, number>>()
  private readonly suppressed = new Map<string, { reason: string; policy?: string; count: number }>()
  private readonly held = new Map<string, number>()
  private readonly coupons = new Map<string, number>()
  private readonly returned = new Map<string, number>()
  private readonly messages = new Map<string, { sends: number; promotions: number }>()
  private readonly days = new Days()

  constructor(private readonly program: Program) {
    this.journeys = new Map([...program.journeys.keys()].map((id) => [id, new JourneyTally()]))
  }

  count(decision: Decision): void {
    const { decision: kind, rule = '', reason } = decision
    if (kind.startsWith('journey.')) this.journeys.get(rule)?.count(decision)
    if (kind === 'journey.held') add(this.held, String(reason))
    else if (kind === 'message.accepted') this.countSend(decision)
    else if (kind === 'message.suppressed') this.countSuppressed(decision)
    else if (kind === 'coupon.issued') add(this.coupons, rule)
    else if (kind === 'coupon.returned') add(this.returned, rule)
  }

  private countSend({ at, subject, class: messageClass }: Decision): void {
    const day = this.days.of(at)
    const classes = this.sends.get(day) ?? new Map<string, number>()
    this.sends.set(day, classes)
    add(classes, String(messageClass))
    const own = this.messages.get(subject) ?? { sends: 0, promotions: 0 }
    this.messages.set(subject, own)
    own.sends += 1
    if (messageClass === 'promotion') own.promotions += 1
  }

  private countSuppressed({ rule = '', reason, journey }: Decision): void {
    const policy = journey === undefined || journey === rule ? undefined : rule
    const name = `${String(reason)} ${policy ?? ''}`
    const known = this.suppressed.get(name) ?? { reason: String(reason), ...(policy && { policy }), count: 0 }
    this.suppressed.set(name, known)
    known.count += 1
  }

  async report(store: StoreReads, at: number): Promise<SimulationReport> {
    const journeys = [...this.journeys].map(([id, tally]) => [id, tally.report(this.program, id)] as const)
    const coupons = [...this.coupons].map(([offer, issued]) => {
      const value = this.program.offers.get(offer)?.value
      const returned = this.returned.get(offer) ?? 0
      const money = value === undefined ? null : (issued - returned) * value
      return [offer, { issued, returned, money }] as const
    })
    return {
      journeys: Object.fromEntries(journeys),
      sends: Object.fromEntries([...this.sends].map(([day, classes]) => [day, Object.fromEntries(classes)])),
      suppressed: [...this.suppressed.values()].sort((one, other) => other.count - one.count),
      held: Object.fromEntries(this.held),
      coupons: Object.fromEntries(coupons),
      money: coupons.reduce((sum, [, { money }]) => sum + (money ?? 0), 0),
      communities: await this.communities(store),
      ...usesOf(this.program.policies, await store.readTallies(), at),
    }
  }

  private async communities(store: StoreReads): Promise<SimulationReport['communities']> {
    const found = new Map<string, { sends: number; promotions: number }>()
    for (const [subject, { sends, promotions }] of this.messages) {
      const community = await communityOf(store, keyOf({ subject }))
      if (community === undefined) continue
      const own = found.get(community) ?? { sends: 0, promotions: 0 }
      found.set(community, { sends: own.sends + sends, promotions: own.promotions + promotions })
    }
    const byName = [...found].sort(([one], [other]) => (one < other ? -1 : 1))
    return Object.fromEntries(byName.map(([id, own]) => [id, { ...own, share: own.promotions / own.sends }]))
  }
}

async function communityOf(store: StoreReads, key: SubjectKey): Promise<string | undefined> {
  if (key.kind === 'community') return key.id
  const { state } = await whoIs(store, key)
  return state?.relations.community?.[0]
}

class JourneyTally {
  private readonly runs = new RunCounter()
  private readonly subjects = new Set<string>()
  private readonly held = new Map<string, number>()
  private readonly groups = new Groups()

  count(decision: Decision): void {
    this.runs.count(decision)
    this.groups.count(decision)
    if (decision.decision === 'journey.entered') this.subjects.add(decision.subject)
    if (decision.decision === 'journey.held') add(this.held, String(decision['reason']))
  }

  report({ journeys }: Program, id: string): JourneyReport {
    const { entered, goals, steps, exits } = this.runs.counts()
    const definition = journeys.get(id)?.definition
    const written = [...stepsOf(definition?.steps ?? [])].map(({ step }) => step.id)
    return {
      entered,
      subjects: this.subjects.size,
      steps: written.map((step) => ({ id: step, runs: steps.get(step) ?? 0 })),
      exits: Object.fromEntries(exits),
      goals,
      conversion: definition?.goal === undefined || entered === 0 ? null : goals / entered,
      compared: definition?.goal === undefined ? {} : this.groups.compared(),
      held: Object.fromEntries(this.held),
    }
  }
}

/** Counts goals by the groups that are compared. */
class Groups {
  private readonly groups = new Map<string, { of: number; goals: number; value: number }>()

  count({ decision, step, variant, reason, compared, run, group, variants, value }: Decision): void {
    if (decision === 'journey.entered') this.group('runs').of += 1
    else if (decision === 'journey.held' && compared === true) this.group(String(reason)).of += 1
    else if (decision === 'journey.stepped' && variant !== undefined) this.group(`${step}: ${variant}`).of += 1
    else if (decision === 'journey.goal') {
      const taken = Object.entries((variants ?? {}) as Readonly<Record<string, string>>)
      const names = run === undefined ? [String(group)] : ['runs', ...taken.map(([at, one]) => `${at}: ${one}`)]
      for (const one of names.map((name) => this.group(name))) {
        one.goals += 1
        one.value += typeof value === 'number' ? value : 0
      }
    }
  }

  private group(name: string): { of: number; goals: number; value: number } {
    const known = this.groups.get(name) ?? { of: 0, goals: 0, value: 0 }
    this.groups.set(name, known)
    return known
  }

  compared(): Readonly<Record<string, Comparison>> {
    return this.groups.size < 2 ? {} : Object.fromEntries(this.groups)
  }
}

/** Names days. Decisions come in time order, so the day of the one before is mostly that of the next. */
class Days {
  private day = ''
  private from = 0
  private until = 0

  of(at: number): string {
    if (at >= this.from && at < this.until) return this.day
    const start = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(DEFAULT_ZONE).startOfDay()
    this.day = start.toPlainDate().toString()
    this.from = start.epochMilliseconds
    this.until = start.add({ days: 1 }).epochMilliseconds
    return this.day
  }
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
