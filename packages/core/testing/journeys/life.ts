import type { JourneyDefinition } from '@linli/rules'
import { type LoggedEvent, latest, type Said } from '../law/known.js'
import type { Tree } from '../law/rules.js'
import type { Derived, Facts, PlainRules } from './facts.js'
import { nextBeginning } from './schedules.js'
import {
  type Asked,
  type Choices,
  type KeptOut,
  type Line,
  type Orphan,
  type Outside,
  type Run,
  type Turn,
  VERBS,
} from './words.js'

/** All that has become of somebody, and what conditions come to for them: everything is asked anew each time. */
export class Life {
  readonly lines: Line[] = []
  runs: Run[] = []
  /** All runs there ever were. */
  readonly past: Run[] = []
  readonly keptOut: KeptOut[] = []
  readonly events: LoggedEvent[] = []
  readonly traits: Said[] = []
  readonly marks = new Set<string>()
  readonly coupons: string[] = []
  /** Changes of tags and scores that journeys have not been told of. */
  readonly turns: Turn[] = []
  /** What had not been done when its run ended, or was moved. */
  orphans: Orphan[] = []
  /** Runs at `start` steps that have not been looked at. */
  readonly starts: Run[] = []
  /** The event at hand comes with this id. */
  messageId: string | undefined
  #derived: Derived

  constructor(
    public at: number,
    readonly rules: PlainRules,
    public journeys: readonly JourneyDefinition[],
    readonly choices: Choices,
    readonly outside: Outside,
  ) {
    this.#derived = rules.derive(this.#facts())
  }

  /** Works out tags and scores, and says which tags came and went. */
  derive(): void {
    const before = this.#derived
    const after = this.rules.derive(this.#facts())
    this.#derived = after
    // Each after those that it reads.
    for (const id of new Set([...before.tags, ...after.tags, ...this.rules.ids].sort(this.rules.inOrder))) {
      const [from, to] = [before.scores.get(id) ?? 0, after.scores.get(id) ?? 0]
      if (from !== to) this.turns.push({ on: 'score.crossed', score: id, from, to })
      if (before.tags.has(id) === after.tags.has(id)) continue
      const on = after.tags.has(id) ? 'tag.added' : 'tag.removed'
      this.line({ decision: on, rule: id })
      this.turns.push({ on, tag: id })
    }
  }

  trait(name: string): unknown {
    return latest(this.traits, name)
  }

  matches({ event: names = [], conditions }: Asked, event: LoggedEvent): boolean {
    return [names].flat().includes(event.event) && this.holds(conditions, event)
  }

  /** Conditions that are left out hold. */
  holds(conditions: unknown, event: LoggedEvent | undefined): boolean {
    return conditions === undefined || this.rules.holds(conditions as Tree, this.#facts(event), this.#derived)
  }

  nextInstant(): number {
    const waits = this.runs.map(({ until }) => until)
    const beginnings = this.journeys.flatMap(({ entry }) =>
      entry.on === 'schedule' ? [nextBeginning(entry, this.at)] : [],
    )
    return Math.min(...waits, ...beginnings, this.rules.nextAfter(this.at, this.events))
  }

  /** Says that a run has come to its step. */
  step(run: Run, more: object = {}): void {
    const verb = Object.keys(run.step).find((key) => VERBS.includes(key))
    const moved = run.movedFrom === undefined ? {} : { moved: true, from: run.movedFrom }
    run.movedFrom = undefined
    this.say('journey.stepped', run, { step: run.step.id, verb, ...moved, ...more })
  }

  say(decision: string, run: Run, more: object): void {
    this.line({ decision, rule: run.definition.id, run: run.name, ...more })
  }

  line(line: { readonly decision: string; readonly rule: string; readonly [detail: string]: unknown }): void {
    this.lines.push({ at: this.at, ...line, messageId: this.messageId })
  }

  #facts(event?: LoggedEvent): Facts {
    const runs = this.runs
      .filter(({ isIn }) => isIn)
      .map(({ definition, key, step }) => ({ journey: definition.id, key, step: step.id }))
    return { at: this.at, events: this.events, traits: this.traits, marks: this.marks, runs, event }
  }
}
