import { SUBJECT_KINDS, type SubjectKind } from '@linli/rules'
import type { Decision } from '../domain/decision.js'
import { nextInstant, type Run, type SubjectKey, subjectName } from '../domain/subject.js'
import { explainFromLog } from '../insights/explain.js'
import type { Delivery, DeliveryState, LockedSubject, Store } from '../ports/store.js'
import { keysOf } from '../subjects/persons.js'
import type { Edition } from '../subjects/programs.js'
import { Counted } from './counted.js'
import { type CouponInvariant, PoolCheck } from './verify-pools.js'

/** What must hold at any moment, whatever has crashed, was repeated or came late. */
export type Invariant =
  /** Whoever waits for an instant has a row that is looked at by then. */
  | 'wait.lost'
  /** What waits for a message, a coupon, a place or a word of its own has a delivery under way that will bring it. */
  | 'run.orphaned'
  /** A delivery that is under way is looked at again; one that has ended is not. */
  | 'delivery.stuck'
  /** What is due is done. */
  | 'due.late'
  /** Of each message there is one word how it ended. */
  | 'decision.missing'
  | 'decision.repeated'
  | CouponInvariant
  /** Budgets and mixes count all that deliveries have taken. */
  | 'budget.miscounted'
  /** Tags and scores are what the log says. */
  | 'fact.wrong'

/** Something that must not be. It names subjects and rules by their ids, and nothing else of anybody. */
export interface Violation {
  readonly invariant: Invariant
  /** `user:u-1` */
  readonly subject?: string
  readonly found: string
}

export interface VerifyOptions {
  /** Of how many subjects of each kind tags and scores are worked out anew from the log. Default 50. */
  readonly recompute?: number
  /** How long after its instant something due counts as late, in milliseconds. Default 5 minutes. */
  readonly lateMs?: number
}

export interface Verification {
  /** How much was looked at. */
  readonly checked: { readonly subjects: number; readonly deliveries: number; readonly facts: number }
  readonly violations: readonly Violation[]
}

/** How many subjects are looked at together. */
const PAGE = 200
const RECOMPUTED = 50
const LATE_MS = 300_000

const ENDED: ReadonlySet<DeliveryState> = new Set(['accepted', 'rejected', 'failed', 'parked', 'suppressed'])
/** They wait for no instant: a person decides, or `resume` makes them due. */
const WAITING: ReadonlySet<DeliveryState> = new Set(['awaiting_person', 'paused'])

/** Looks at everything that is stored, a page at a time, beside whatever else goes on. */
export class Verifier {
  private readonly violations: Violation[] = []
  private readonly pools: PoolCheck
  private counted: Counted | undefined
  private checked = { subjects: 0, deliveries: 0, facts: 0 }

  constructor(
    private readonly store: Store,
    private readonly edition: Edition,
    private readonly now: number,
    private readonly options: VerifyOptions,
  ) {
    this.pools = new PoolCheck(store, edition.program, (...said) => this.report(...said))
  }

  async verify(): Promise<Verification> {
    this.counted = await Counted.begin(this.store)
    for (const kind of SUBJECT_KINDS) {
      let recompute = this.options.recompute ?? RECOMPUTED
      for (let after: string | undefined; ; ) {
        const page = await this.page(kind, after)
        if (page.length === 0) break
        await this.look(page)
        for (const subject of page.slice(0, recompute)) await this.recompute(subject)
        recompute = Math.max(0, recompute - page.length)
        after = page.at(-1)?.key.id
      }
    }
    await this.pools.compare(this.now)
    for (const found of (await this.counted?.missing()) ?? []) this.report('budget.miscounted', undefined, found)
    return { checked: this.checked, violations: this.violations }
  }

  private async page(kind: SubjectKind, after: string | undefined): Promise<readonly LockedSubject[]> {
    return this.store.transaction(async (tx) => {
      const found = await tx.listSubjects(kind, after, PAGE)
      const keys = found.map(({ key }) => key)
      return (await tx.lockSubjects(keys)).filter(({ isNew }) => !isNew)
    })
  }

  private async look(page: readonly LockedSubject[]): Promise<void> {
    const keys = page.flatMap((subject) => keysOf(subject))
    const deliveries = await this.store.readDeliveries({ subjects: keys })
    const decisions = await this.store.readDecisions({ subjects: keys.map(subjectName) })
    this.checked.subjects += page.length
    this.checked.deliveries += deliveries.length
    for (const subject of page) this.checkWaits(subject)
    for (const delivery of deliveries) {
      this.checkDelivery(delivery)
      this.counted?.note(delivery)
    }
    this.checkDecisions(deliveries, decisions)
    await this.pools.look(keys, deliveries)
    const open = new Set(deliveries.filter(({ state }) => !ENDED.has(state)).map(({ source }) => source.run))
    const orphaned = page.filter(({ state }) => state.into === undefined && orphansOf(state.runs, open).length > 0)
    // A run that has gone on meanwhile waited for something that has come meanwhile.
    for (const { key, state } of orphaned) {
      const still = (await this.store.readSubject(key))?.runs ?? []
      for (const run of orphansOf(state.runs, open)) {
        if (!still.some(({ id, step, moves }) => id === run.id && step === run.step && moves === run.moves)) continue
        this.report(
          'run.orphaned',
          key,
          `run ${run.id} of ${run.journey} waits at "${run.step}" for a delivery that is not under way`,
        )
      }
    }
  }

  private checkWaits({ key, state, dueAt }: LockedSubject): void {
    if (state.into !== undefined) return
    const next = nextInstant(state)
    if (Number.isFinite(next) && (dueAt === undefined || dueAt > next)) {
      this.report(
        'wait.lost',
        key,
        `something is due at ${isoOf(next)}, and its row is looked at ${dueAt === undefined ? 'never' : isoOf(dueAt)}`,
      )
    }
    if (dueAt !== undefined && this.isLate(dueAt)) this.report('due.late', key, `it was due at ${isoOf(dueAt)}`)
  }

  private checkDelivery({ key, kind, subject, state, dueAt }: Delivery): void {
    const waits = ENDED.has(state) || WAITING.has(state)
    // A suggestion waits for a leader, and is looked at again when it expires.
    const isSuggested = kind === 'suggestion' && state === 'awaiting_person'
    if (!isSuggested && waits !== (dueAt === undefined)) {
      const looked = dueAt === undefined ? 'never' : isoOf(dueAt)
      this.report('delivery.stuck', subject, `${kind} ${key} is "${state}" and looked at ${looked}`)
    } else if (dueAt !== undefined && this.isLate(dueAt)) {
      this.report('due.late', subject, `${kind} ${key} ("${state}") was due at ${isoOf(dueAt)}`)
    }
  }

  private checkDecisions(deliveries: readonly Delivery[], decisions: readonly Decision[]): void {
    const ends = new Map<string, number>()
    // Where not even a decision could be written, somebody says later what became of it.
    const resolved = new Set<string>()
    // Decisions are forgotten in about the order in which they were made: whose run's first is there, has all.
    const recorded = new Set<unknown>()
    for (const { decision, outcome, run, step, channel } of decisions) {
      if (decision === 'journey.entered') recorded.add(run)
      const name = JSON.stringify([run, step, channel])
      if (decision === 'message.resolved') resolved.add(name)
      // What somebody has sent again ends again.
      const isBegun = decision === 'message.resolved' && outcome === 'send again'
      if (ENDS.has(decision) || isBegun) ends.set(name, (ends.get(name) ?? 0) + (isBegun ? -1 : 1))
    }
    for (const { key, kind, subject, source, state, body } of deliveries) {
      if (kind !== 'message' || !(ENDED.has(state) || state === 'awaiting_person')) continue
      const name = JSON.stringify([source.run, source.step, body.channel])
      const count = ends.get(name) ?? 0
      // A run that moved to another version of its journey may come to a step again, by another delivery.
      const most = source.moves === undefined ? 1 : source.moves + 1
      if (count === 0 && recorded.has(source.run) && !resolved.has(name))
        this.report('decision.missing', subject, `message ${key} is "${state}", and no decision says so`)
      if (count > most)
        this.report('decision.repeated', subject, `message ${key} has ended ${count} times by the decisions`)
    }
  }

  /** Works tags and scores out from the log, where the subject is as it has to be now. */
  private async recompute({ key, state, version }: LockedSubject): Promise<void> {
    const { program, pack, version: inForce } = this.edition
    const isDue = state.due > 0 && state.due <= this.now
    if (state.into !== undefined || state.at === 0 || isDue || version < inForce.goodSince[key.kind]) return
    const { tags, scoresById } = program.subjects[key.kind]
    // Where the clock was put back, a subject is ahead of it.
    const at = Math.max(this.now, state.at)
    const rules = [...tags.filter((tag) => tag.kind === 'computed').map(({ id }) => id), ...scoresById.keys()]
    for (const rule of rules) {
      const { score, holds } = await explainFromLog({ store: this.store, pack, key, rule, at })
      const stored = scoresById.has(rule) ? (state.scores[rule]?.[0] ?? 0) : (state.tags.get(rule)?.[0] ?? 0) > 0
      this.checked.facts += 1
      const worked = score?.value ?? holds
      if (stored === worked) continue
      const again = await this.store.readSubject(key)
      if (again?.at !== state.at) return
      this.report('fact.wrong', key, `${rule} is ${stored}, and ${worked} by the log`)
    }
  }

  private isLate(dueAt: number): boolean {
    return dueAt < this.now - (this.options.lateMs ?? LATE_MS)
  }

  private report(invariant: Invariant, subject: SubjectKey | undefined, found: string): void {
    this.violations.push({ invariant, ...(subject && { subject: subjectName(subject) }), found })
  }
}

const ENDS: ReadonlySet<string> = new Set([
  'message.accepted',
  'message.rejected',
  'message.suppressed',
  'message.parked',
])

/** Runs that wait for an outcome, and for which nothing is under way. */
function orphansOf(runs: readonly Run[], open: ReadonlySet<string>): readonly Run[] {
  return runs.filter(({ id, until, child }) => until === 0 && child === undefined && !open.has(id))
}

function isoOf(at: number): string {
  return new Date(at).toISOString()
}
