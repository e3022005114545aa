import { compileProgram, definePack, type Program } from '@linli/rules'
import { advance } from '../src/domain/advance.js'
import type { Decision, Effect, Input, ProfileChanges, StepResult } from '../src/domain/decision.js'
import {
  decodeSubject,
  encodeSubject,
  hasTag,
  nextInstant,
  type SubjectKey,
  type SubjectState,
  UNBORN,
} from '../src/domain/subject.js'
import { ALONE, type Surroundings } from '../src/domain/surroundings.js'

export function programOf(...rules: readonly unknown[]): Program {
  return compileProgram(definePack(rules))
}

export const instant = (at: string | number): number => (typeof at === 'number' ? at : Date.parse(at))

interface EventOptions {
  /** When it arrives; at once when left out. */
  readonly arrives?: string | number
  readonly messageId?: string
  readonly changes?: ProfileChanges
}

/** One subject and its rules, moved by hand. Between two inputs its state is text, as it is in a store. */
export class TestSubject {
  state: SubjectState = UNBORN
  readonly decisions: Decision[] = []
  readonly effects: Effect[] = []
  surroundings: Surroundings = ALONE
  #messages = 0

  constructor(
    readonly program: Program,
    readonly key: SubjectKey = { kind: 'user', id: 'u1' },
  ) {}

  event(name: string, at: string | number, properties: Record<string, unknown> = {}, options: EventOptions = {}): void {
    const { arrives = at, messageId = `m${++this.#messages}`, changes } = options
    const event = { messageId, event: name, at: instant(at), properties }
    this.take({ kind: 'event', at: instant(arrives), event, ...(changes && { changes }) })
  }

  identify(at: string | number, traits: Record<string, unknown>): void {
    this.event('identify', at, {}, { changes: { traits } })
  }

  instant(at: string | number): void {
    this.take({ kind: 'instant', at: instant(at) })
  }

  /** Says what became of the step at which the only run of a journey waits. */
  outcome(at: string | number, result: StepResult = 'accepted'): void {
    const [run] = this.state.runs
    if (run === undefined) throw new Error('there is no run')
    this.take({ kind: 'outcome', at: instant(at), run: run.id, step: run.step, result })
  }

  take(...inputs: readonly Input[]): void {
    const { state, decisions, effects } = advance(this.key, this.state, inputs, this.program, this.surroundings)
    this.state = decodeSubject(encodeSubject(state))
    this.decisions.push(...decisions)
    this.effects.push(...effects)
  }

  has(tag: string): boolean {
    return hasTag(this.state, tag)
  }

  /** When something next changes by itself, as text. */
  get next(): string | undefined {
    const next = nextInstant(this.state)
    return Number.isFinite(next) ? new Date(next).toISOString() : undefined
  }

  /** What was decided, one line each: `2026-03-01T00:00:00.000Z tag.added regular`. */
  get log(): readonly string[] {
    return this.decisions.map(({ at, decision, rule }) => `${new Date(at).toISOString()} ${decision} ${rule}`)
  }

  /** Details of the decisions of one kind, without when and about whom. */
  said(kind: Decision['decision']): readonly Readonly<Record<string, unknown>>[] {
    return this.decisions
      .filter(({ decision }) => decision === kind)
      .map(({ at: _, subject: __, decision: ___, ...details }) => details)
  }

  /** The steps that were reached, in order. */
  get steps(): readonly unknown[] {
    return this.said('journey.stepped').map(({ step }) => step)
  }
}
