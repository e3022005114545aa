import type { CompiledScore, Program } from '@linli/rules'
import type { Decision } from '../domain/decision.js'
import type { SimulationReport } from './report.js'

/** What a simulation came to. */
export interface Simulation {
  readonly events: {
    readonly total: number
    readonly accepted: number
    readonly duplicates: number
    readonly rejected: number
  }
  readonly from: string | null
  readonly until: string | null
  /** How many decisions there were of each kind. */
  readonly decisions: Readonly<Record<string, number>>
  /** Each tag: how often it was put on and taken off, and how many have it at the end. */
  readonly tags: Readonly<
    Record<string, { readonly added: number; readonly removed: number; readonly members: number }>
  >
  /** Each score: how often its value changed, and how many are in each of its tiers at the end. */
  readonly scores: Readonly<
    Record<string, { readonly changed: number; readonly tiers: Readonly<Record<string, number>> }>
  >
  /** Each journey: how often it was entered, left, held back, and reached its goal. */
  readonly journeys: Readonly<Record<string, { entered: number; exited: number; held: number; goals: number }>>
  /** Messages: planned, accepted, deferred, and suppressed by reason. */
  readonly messages: {
    readonly planned: number
    readonly accepted: number
    readonly deferred: number
    readonly suppressed: Readonly<Record<string, number>>
  }
  /** Coupons issued, by offer. */
  readonly coupons: Readonly<Record<string, number>>
  /** The same for those who decide about rules: funnels, days, money, communities. */
  readonly report: SimulationReport
}

/** Counts decisions as they are made. */
export class Tally {
  private readonly decisions: Record<string, number> = {}
  private readonly tags: Record<string, { added: number; removed: number; members: number }>
  private readonly scores: Record<string, { changed: number; tiers: Record<string, number> }>
  private readonly journeys: Record<string, { entered: number; exited: number; held: number; goals: number }>
  private readonly suppressed: Record<string, number> = {}
  private readonly coupons: Record<string, number> = {}

  constructor(program: Program) {
    const tags = Object.values(program.subjects).flatMap((subject) => subject.tags.filter((tag) => tag.definition))
    this.tags = Object.fromEntries(tags.map((tag) => [tag.id, { added: 0, removed: 0, members: 0 }]))
    const scores = Object.values(program.subjects).flatMap((subject) => [...subject.scoresById.values()])
    const none = (score: CompiledScore) => Object.fromEntries(score.tiers.map((tier) => [tier.id, 0]))
    this.scores = Object.fromEntries(scores.map((score) => [score.id, { changed: 0, tiers: none(score) }]))
    const journeys = [...program.journeys.keys()]
    this.journeys = Object.fromEntries(journeys.map((id) => [id, { entered: 0, exited: 0, held: 0, goals: 0 }]))
  }

  count(decision: Decision): void {
    const { decision: kind, rule = '', reason } = decision
    increment(this.decisions, kind)
    const tag = this.tags[rule]
    const journey = this.journeys[rule]
    if (kind === 'tag.added' && tag) {
      tag.added += 1
      tag.members += 1
    }
    if (kind === 'tag.removed' && tag) {
      tag.removed += 1
      tag.members -= 1
    }
    if (kind === 'score.changed') this.countScore(decision)
    if (kind === 'journey.entered' && journey) journey.entered += 1
    if (kind === 'journey.exited' && journey) journey.exited += 1
    if (kind === 'journey.held' && journey) journey.held += 1
    // Those of people who were kept out have no run.
    if (kind === 'journey.goal' && journey && decision['run'] !== undefined) journey.goals += 1
    if (kind === 'message.suppressed') increment(this.suppressed, String(reason))
    if (kind === 'coupon.issued') increment(this.coupons, rule)
  }

  private countScore({ rule = '', tier, tierBefore }: Decision): void {
    const score = this.scores[rule]
    if (score === undefined) return
    score.changed += 1
    if (typeof tierBefore === 'string') increment(score.tiers, tierBefore, -1)
    if (typeof tier === 'string') increment(score.tiers, tier)
  }

  summary(): Omit<Simulation, 'events' | 'from' | 'until' | 'report'> {
    const of = (kind: string) => this.decisions[kind] ?? 0
    const messages = {
      planned: of('message.planned'),
      accepted: of('message.accepted'),
      deferred: of('message.deferred'),
      suppressed: this.suppressed,
    }
    const { decisions, tags, scores, journeys, coupons } = this
    return { decisions, tags, scores, journeys, messages, coupons }
  }
}

function increment(counts: Record<string, number>, name: string, by = 1): void {
  counts[name] = (counts[name] ?? 0) + by
}
