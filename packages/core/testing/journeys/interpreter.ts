import type { JourneyDefinition, StepDefinition } from '@linli/rules'
import { lengthOf } from '../../../rules/testing/naive-window.js'
import { consentAt, type LoggedEvent, latest, type Said } from '../law/known.js'
import type { Tree } from '../law/rules.js'
import type { Derived, Facts, PlainRules } from './facts.js'
import { endOf, type Wait } from './waits.js'

// A second opinion of what journeys mean: it walks their JSON step by step, and asks everything anew each time.

/** What was decided, in the order it was. Runs are called by their journey and how many there were before: `j0#1`. */
export interface Line {
  readonly at: number
  readonly decision: string
  readonly rule: string
  readonly run?: string
  readonly [detail: string]: unknown
}

/** What nobody can know who does not work out the engine's hashes: it is taken as found, but must stay the same. */
export interface Choices {
  isHeldOut(journey: string): boolean
  variantOf(journey: string, step: string): string
  /** Of runs whose steps are done at the same instant, the one that is first. */
  firstOf(runs: readonly string[]): string
}

/** The world outside. */
export interface Outside {
  /** Whether a channel takes messages now. */
  takes(channel: string): boolean
  readonly perPerson: Readonly<Record<string, number>>
}

type SendOutcome = 'accepted' | 'refused' | 'suppressed'

interface Asked {
  readonly event?: string | string[] | undefined
  readonly conditions?: unknown
}
interface Case extends Asked {
  readonly id: string
  readonly then?: Steps
}
type Steps = readonly StepDefinition[]
type Waiting =
  | { readonly kind: 'time' }
  | { readonly kind: 'cases'; readonly cases: readonly Case[] }
  | { readonly kind: 'outcome'; readonly outcome: () => Steps | undefined }
  | { readonly kind: 'child'; readonly child: string | undefined }
  | { readonly kind: 'digest'; readonly event: string | string[]; readonly conditions: unknown }

interface Run {
  readonly name: string
  readonly definition: JourneyDefinition
  readonly key: string | undefined
  /** When what it was entered by happened. */
  readonly since: number
  readonly enteredAt: number
  readonly path: { readonly steps: Steps; next: number }[]
  event: LoggedEvent | undefined
  step: StepDefinition
  waiting: Waiting
  /** When its wait ends by itself. */
  until: number
  goalReached: boolean
  /** How many events its digest has collected. */
  collected: number
}

interface Turn {
  readonly on: string
  readonly tag?: string
  readonly score?: string
  readonly from?: number
  readonly to?: number
}

export class Person {
  readonly lines: Line[] = []
  runs: Run[] = []
  readonly #past: Run[] = []
  readonly #events: LoggedEvent[] = []
  readonly #traits: Said[] = []
  readonly #marks = new Set<string>()
  readonly #coupons: string[] = []
  #derived: Derived
  readonly #turns: Turn[] = []
  /** Runs that ended while what their step wished for had not been done. */
  readonly #stopped: Run[] = []
  /** Runs at `start` steps that have not been looked at. */
  readonly #starts: Run[] = []
  #at: number
  #messageId: string | undefined

  constructor(
    start: number,
    private readonly rules: PlainRules,
    public journeys: readonly JourneyDefinition[],
    private readonly choices: Choices,
    private readonly outside: Outside,
  ) {
    this.#at = start
    this.#derived = rules.derive(this.#facts())
  }

  /** An event comes in; what happened before `now` has happened. */
  take(event: LoggedEvent, now: number, traits: Readonly<Record<string, unknown>> = {}): void {
    this.pass(now)
    this.#messageId = event.messageId
    this.#events.push(event)
    for (const [name, value] of Object.entries(traits)) this.#traits.push({ name, value, at: event.at })
    this.#derive()
    for (const run of this.#past) this.#countGoal(run, event)
    const collected = new Set<string>()
    for (const run of [...this.runs]) {
      if (!this.#concerns(run, event)) continue
      if (run.waiting.kind === 'digest' && this.#matches(run.waiting, event)) {
        collected.add(run.definition.id)
        run.collected += 1
        this.#step(run, { count: run.collected })
      } else if (!this.#takesCase(run, event) && this.#exitsBy(run, event)) this.#end(run, `event ${event.event}`)
    }
    for (const journey of this.journeys) {
      const { entry } = journey
      if (entry.on !== 'event' || collected.has(journey.id)) continue
      if (this.#matches(entry as Asked, event)) this.#enter(journey, event, event.at)
    }
    this.#react()
    this.#messageId = undefined
  }

  /** Time passes, and at each instant all is done that it brings. */
  advanceTo(end: number): void {
    for (let at = this.#nextInstant(); at <= end; at = this.#nextInstant()) {
      this.pass(at)
      this.settle()
    }
    this.#at = Math.max(this.#at, end)
  }

  /** Time passes; nothing leaves. */
  pass(now: number): void {
    for (let at = this.#nextInstant(); at <= now; at = this.#nextInstant()) {
      this.#at = at
      this.#derive()
      for (const run of [...this.runs]) if (this.#mustLeave(run.definition)) this.#end(run, 'exit conditions')
      for (const turn of this.#turns) this.#leaveBy(turn)
      for (const run of [...this.runs]) if (run.until <= at) this.#timeIsUp(run)
      this.#react()
    }
    this.#at = Math.max(this.#at, now)
  }

  /** Messages leave, coupons are issued, and what steps say comes into the log, until nothing is left to do. */
  settle(): void {
    for (;;) {
      for (const run of this.#stopped.splice(0)) this.#stop(run)
      const waiting = this.runs.filter(({ waiting: { kind } }) => kind === 'outcome')
      const first = waiting.length > 0 ? this.choices.firstOf(waiting.map(({ name }) => name)) : undefined
      const run = waiting.find(({ name }) => name === first)
      if (run?.waiting.kind !== 'outcome') return
      const steps = run.waiting.outcome()
      // What it was about to do is done, also where that ends the run.
      const ended = this.#stopped.indexOf(run)
      if (ended >= 0) this.#stopped.splice(ended, 1)
      if (steps !== undefined && this.runs.includes(run)) this.#follow(run, steps)
      this.#react()
    }
  }

  /** What a run that has ended was about to send, give or say, it does not. */
  #stop(run: Run): void {
    const { step } = run
    if ('send' in step) {
      const { template, channel, class: messageClass } = step.send
      const about = { step: step.id, template, channel: [channel].flat()[0], class: messageClass }
      this.#say('message.suppressed', run, { ...about, reason: 'run ended' })
    } else if ('issue' in step) {
      const about = { step: step.id, reason: 'run ended' }
      this.#line({ decision: 'coupon.refused', rule: step.issue.offer, run: run.name, ...about })
    } else if ('set' in step || 'emit' in step) {
      const event = 'emit' in step ? step.emit.event : 'identify'
      this.#say('event.rejected', run, { step: step.id, event, reason: 'run ended' })
    }
  }

  #react(): void {
    do {
      for (let turn = this.#turns.shift(); turn !== undefined; turn = this.#turns.shift()) this.#turned(turn)
    } while (this.#exitsCame() || this.#startNext() || this.#waitsCame())
  }

  #leaveBy(turn: Turn): void {
    for (const run of [...this.runs]) {
      const exit = exitsOf(run.definition).find((one) => isTurn(one, turn, this.rules))
      if (exit !== undefined) this.#end(run, `${turn.on} ${turn.tag ?? turn.score}`)
    }
  }

  #turned(turn: Turn): void {
    this.#leaveBy(turn)
    for (const journey of this.journeys) {
      const { entry } = journey
      if (!isTurn(entry, turn, this.rules)) continue
      if (this.#holds((entry as Asked).conditions, undefined)) this.#enter(journey, undefined, this.#at)
    }
  }

  /** Exits of which the conditions hold; gives whether there was one. */
  #exitsCame(): boolean {
    const leaving = this.runs.filter(({ definition }) => this.#mustLeave(definition))
    for (const run of leaving) this.#end(run, 'exit conditions')
    return leaving.length > 0
  }

  /** The earliest `start` step that has not been looked at; gives whether there was one. */
  #startNext(): boolean {
    const run = this.#starts.shift()
    if (run === undefined) return false
    const { step } = run
    if (!this.runs.includes(run) || !('start' in step)) return true
    const definition = this.journeys.find(({ id }) => id === step.start.journey)
    const conditions = definition?.entry.on === 'start' ? definition.entry.conditions : undefined
    const mayBegin = definition !== undefined && this.#holds(conditions, run.event)
    if (!mayBegin) this.#line({ decision: 'journey.held', rule: step.start.journey, reason: 'conditions' })
    const child = mayBegin ? this.#enter(definition, run.event, run.event?.at ?? this.#at) : undefined
    if (child === undefined) this.#follow(run, step.else ?? [])
    else if (step.start.wait === undefined) this.#follow(run, step.then ?? [])
    else run.waiting = { kind: 'child', child: child.name }
    return true
  }

  /** A case of which the conditions hold, or the end of a run that was waited for; gives whether there was one. */
  #waitsCame(): boolean {
    for (const run of [...this.runs]) {
      const { waiting, step } = run
      if (waiting.kind === 'child' && waiting.child !== undefined) {
        if (this.runs.some(({ name }) => name === waiting.child)) continue
        this.#follow(run, 'then' in step ? (step.then ?? []) : [])
        return true
      }
      if (run.waiting.kind !== 'cases' || run.until <= this.#at) continue
      const found = run.waiting.cases.find(
        ({ event, conditions }) => event === undefined && this.#holds(conditions, undefined),
      )
      if (found === undefined) continue
      this.#step(run, { case: found.id })
      this.#follow(run, found.then ?? [])
      return true
    }
    return false
  }

  #timeIsUp(run: Run): void {
    if (!this.runs.includes(run)) return
    const { step } = run
    const isLate = run.waiting.kind === 'cases' || run.waiting.kind === 'child'
    this.#follow(run, isLate && 'else' in step ? (step.else ?? []) : [])
  }

  #takesCase(run: Run, event: LoggedEvent): boolean {
    if (run.waiting.kind !== 'cases') return false
    const found = run.waiting.cases.find((one) => one.event !== undefined && this.#matches(one, event))
    if (found === undefined) return false
    run.event = event
    if (found.id !== '') this.#step(run, { case: found.id })
    this.#follow(run, found.then ?? [])
    return true
  }

  #exitsBy({ definition }: Run, event: LoggedEvent): boolean {
    return exitsOf(definition).some((exit) => exit.on === 'event' && this.#matches(exit as Asked, event))
  }

  /** Whether it happened since the run was entered, and is about the same thing. */
  #concerns({ since, definition, key }: Run, event: LoggedEvent): boolean {
    return event.at >= since && (definition.key === undefined || keyOf(definition, event) === key)
  }

  #countGoal(run: Run, event: LoggedEvent): void {
    const { goal } = run.definition
    if (goal === undefined || run.goalReached || !this.#concerns(run, event)) return
    if (event.at >= run.since + lengthOf(goal.within) || !this.#matches(goal, event)) return
    run.goalReached = true
    this.#say('journey.goal', run, { event: event.event })
  }

  #enter(definition: JourneyDefinition, event: LoggedEvent | undefined, since: number): Run | undefined {
    const key = keyOf(definition, event)
    const held = (reason: string, more: object = { key }) => {
      this.#line({ decision: 'journey.held', rule: definition.id, reason, ...more })
      return undefined
    }
    if (definition.key !== undefined && key === undefined) return held('no key', { key: definition.key })
    if (definition.holdout !== undefined && this.choices.isHeldOut(definition.id)) return held('holdout')
    const earlier = this.#past.filter((run) => run.definition.id === definition.id && run.key === key)
    const { reentry = 'oneAtATime' } = definition
    if (reentry !== 'always' && earlier.some((run) => this.runs.includes(run))) return held('active')
    const last = Math.max(...earlier.map((run) => run.enteredAt))
    if (reentry === 'never' && earlier.length > 0) return held('re-entry')
    if (typeof reentry === 'object' && this.#at < last + lengthOf(reentry.after)) return held('re-entry')
    if (this.#mustLeave(definition)) return held('exit conditions')
    const number = this.#past.filter((run) => run.definition.id === definition.id).length
    const run: Run = {
      name: `${definition.id}#${number}`,
      definition,
      key,
      since,
      enteredAt: this.#at,
      path: [{ steps: definition.steps, next: 0 }],
      event,
      step: definition.steps[0] as StepDefinition,
      waiting: { kind: 'time' },
      until: Number.POSITIVE_INFINITY,
      goalReached: false,
      collected: 0,
    }
    this.runs.push(run)
    this.#past.push(run)
    this.#say('journey.entered', run, { key })
    this.#walk(run)
    return run
  }

  #mustLeave(definition: JourneyDefinition): boolean {
    return exitsOf(definition).some((exit) => exit.on === 'conditions' && this.#holds(exit.conditions, undefined))
  }

  #end(run: Run, reason: string): void {
    this.runs = this.runs.filter((one) => one !== run)
    this.#say('journey.exited', run, { step: run.step.id, reason })
    if (run.waiting.kind === 'outcome') this.#stopped.push(run)
    this.#derive()
  }

  /** Goes into some steps, and on below them. */
  #follow(run: Run, steps: Steps): void {
    run.path.push({ steps, next: 0 })
    this.#walk(run)
  }

  #walk(run: Run): void {
    run.until = Number.POSITIVE_INFINITY
    run.waiting = { kind: 'time' }
    for (let at = run.path.at(-1); at !== undefined; at = run.path.at(-1)) {
      const step = at.steps[at.next++]
      if (step === undefined) run.path.pop()
      else {
        run.step = step
        const inner = this.#begin(run, step)
        if (inner === undefined) return this.#derive()
        run.path.push({ steps: inner, next: 0 })
      }
    }
    this.#end(run, 'completed')
  }

  /** Begins a step; gives the steps to go into at once, or undefined where the run stays. */
  #begin(run: Run, step: StepDefinition): Steps | undefined {
    const trait = (name: string) => latest(this.#traits, name)
    if ('wait' in step) {
      const end = endOf(step.wait as Wait, this.#at, trait)
      this.#step(run, end === undefined ? { reason: 'no date to come' } : {})
      if (end === undefined) return step.else ?? []
      return this.#stay(run, { kind: 'time' }, end)
    }
    if ('digest' in step) {
      const { event: own, conditions, for: time } = step.digest
      const entry = run.definition.entry as Asked
      const names = own ?? entry.event ?? []
      this.#step(run)
      const about = { event: names, conditions: own === undefined ? entry.conditions : conditions }
      run.collected = run.event !== undefined && this.#matches(about, run.event) ? 1 : 0
      return this.#stay(run, { kind: 'digest', ...about }, endOf(time as Wait, this.#at, trait) ?? 0)
    }
    if ('waitFor' in step) {
      this.#step(run)
      const { waitFor: asked } = step
      const single = { id: '', ...asked, then: step.then ?? [] }
      const cases = 'any' in asked ? asked.any : [single]
      return this.#stay(run, { kind: 'cases', cases: cases as readonly Case[] }, this.#at + lengthOf(asked.timeout))
    }
    if ('start' in step) return this.#start(run, step)
    if ('split' in step) {
      const variant = this.choices.variantOf(run.definition.id, step.id)
      this.#step(run, { variant })
      return step.split.find(({ id }) => id === variant)?.then ?? []
    }
    this.#step(run)
    if ('branch' in step) {
      const found = step.branch.find(({ conditions }) => this.#holds(conditions, run.event))
      return found?.then ?? step.else ?? []
    }
    if ('tag' in step) return this.#mark(step.tag)
    if ('exit' in step) {
      this.#end(run, step.exit.reason ?? 'exit step')
      return undefined
    }
    if ('suggest' in step) {
      this.#say('message.suppressed', run, { step: step.id, template: step.suggest.template, reason: 'no leader' })
      return []
    }
    return this.#stay(run, { kind: 'outcome', outcome: this.#wish(run, step) }, Number.POSITIVE_INFINITY)
  }

  #stay(run: Run, waiting: Waiting, until: number): Steps | undefined {
    if (until <= this.#at) return []
    run.waiting = waiting
    run.until = until
    return undefined
  }

  #start(run: Run, step: Extract<StepDefinition, { start: unknown }>): Steps | undefined {
    this.#step(run)
    this.#starts.push(run)
    const { wait } = step.start
    const until = wait === undefined ? Number.POSITIVE_INFINITY : this.#at + lengthOf(wait)
    return this.#stay(run, { kind: 'child', child: undefined }, until)
  }

  #mark(change: { readonly add: string } | { readonly remove: string }): Steps {
    const [tag, isOn] = 'add' in change ? [change.add, true] : [change.remove, false]
    if (this.#marks.has(tag) === isOn) return []
    if (isOn) this.#marks.add(tag)
    else this.#marks.delete(tag)
    this.#derive()
    return []
  }

  /** What a step wishes of the world; the outcome is worked out when it is done, and gives the steps that follow. */
  #wish(run: Run, step: StepDefinition): () => Steps | undefined {
    if ('send' in step) {
      const { template, channel, class: messageClass } = step.send
      const [first = '', ...others] = [channel].flat()
      this.#say('message.planned', run, { step: step.id, template, channel: first, class: messageClass })
      return () => this.#deliver(run, step, [first, ...others])
    }
    if ('issue' in step) {
      return () => {
        const { offer } = step.issue
        const isGiven = this.#coupons.filter((one) => one === offer).length < (this.outside.perPerson[offer] ?? 1)
        if (isGiven) this.#coupons.push(offer)
        const how = { step: step.id, ...(!isGiven && { reason: 'limit for one person' }) }
        this.#line({ decision: isGiven ? 'coupon.issued' : 'coupon.refused', rule: offer, run: run.name, ...how })
        return isGiven ? [] : (step.else ?? [])
      }
    }
    const hand = run.event
    const valueNow = (value: unknown) =>
      typeof value === 'object' && value !== null && 'params' in value
        ? hand?.properties[(value.params as { property: string }).property]
        : value
    const messageId = 'said'
    return () => {
      const happened = { messageId, at: this.#at, userId: '' }
      if ('set' in step) {
        const value = valueNow(step.set.value)
        const traits = value === undefined ? {} : { [step.set.trait]: value }
        this.take({ ...happened, event: 'identify', properties: {} }, this.#at, traits)
      } else if ('emit' in step) {
        const said = Object.entries(step.emit.properties ?? {}).map(([name, value]) => [name, valueNow(value)] as const)
        const properties = Object.fromEntries(said.filter(([, value]) => value !== undefined))
        this.take({ ...happened, event: step.emit.event, properties }, this.#at)
      }
      return []
    }
  }

  /** Tries the first of some channels; undefined where another one is to be tried. */
  #deliver(run: Run, step: Extract<StepDefinition, { send: unknown }>, channels: readonly string[]): Steps | undefined {
    const [channel = '', ...others] = channels
    const { send: message, on } = step
    const about = { step: step.id, template: message.template, class: message.class, channel }
    const done = (outcome: SendOutcome) => {
      if (on !== undefined) this.#step(run, { outcome })
      return on?.[outcome] ?? []
    }
    const said = consentAt(this.#events, channel, message.class)
    const isAllowed = said ?? message.class !== 'promotion'
    if (message.template === 'lacking' && latest(this.#traits, 'birthday') === undefined) {
      this.#say('message.suppressed', run, { ...about, reason: 'template' })
      return done('suppressed')
    }
    if (!isAllowed) {
      const reason = said === false ? 'opted out' : 'no consent'
      this.#say('message.suppressed', run, { ...about, rule: 'consent', reason })
    } else if (this.outside.takes(channel)) {
      this.#say('message.accepted', run, about)
      return done('accepted')
    } else this.#say('message.rejected', run, { ...about, reason: 'recipient' })
    if (others[0] !== undefined) {
      this.#say('message.planned', run, { ...about, channel: others[0] })
      run.waiting = { kind: 'outcome', outcome: () => this.#deliver(run, step, others) }
      return undefined
    }
    return done(isAllowed ? 'refused' : 'suppressed')
  }

  #derive(): void {
    const before = this.#derived
    const after = this.rules.derive(this.#facts())
    this.#derived = after
    // Each after those that it reads.
    for (const id of new Set([...before.tags, ...after.tags, ...this.rules.ids].sort(this.rules.inOrder))) {
      const [from, to] = [before.scores.get(id) ?? 0, after.scores.get(id) ?? 0]
      if (from !== to) this.#turns.push({ on: 'score.crossed', score: id, from, to })
      if (before.tags.has(id) === after.tags.has(id)) continue
      const on = after.tags.has(id) ? 'tag.added' : 'tag.removed'
      this.#line({ decision: on, rule: id })
      this.#turns.push({ on, tag: id })
    }
  }

  #matches({ event: names = [], conditions }: Asked, event: LoggedEvent): boolean {
    return [names].flat().includes(event.event) && this.#holds(conditions, event)
  }

  #holds(conditions: unknown, event: LoggedEvent | undefined): boolean {
    return conditions === undefined || this.rules.holds(conditions as Tree, this.#facts(event), this.#derived)
  }

  #facts(event?: LoggedEvent): Facts {
    const runs = this.runs.map(({ definition, key, step }) => ({ journey: definition.id, key, step: step.id }))
    return { at: this.#at, events: this.#events, traits: this.#traits, marks: this.#marks, runs, event }
  }

  #nextInstant(): number {
    const waits = this.runs.map(({ until }) => until)
    return Math.min(...waits, ...this.rules.instantsAfter(this.#at, this.#events))
  }

  #step(run: Run, more: object = {}): void {
    const verb = Object.keys(run.step).find((key) => VERBS.includes(key))
    this.#say('journey.stepped', run, { step: run.step.id, verb, ...more })
  }

  #say(decision: string, run: Run, more: object): void {
    this.#line({ decision, rule: run.definition.id, run: run.name, ...more })
  }

  #line(line: { readonly decision: string; readonly rule: string; readonly [detail: string]: unknown }): void {
    this.lines.push({ at: this.#at, ...line, messageId: this.#messageId })
  }
}

const VERBS = [
  'wait',
  'waitFor',
  'branch',
  'split',
  'send',
  'issue',
  'suggest',
  'tag',
  'set',
  'emit',
  'exit',
  'start',
  'digest',
]

type Exit = { readonly on: string; readonly tag?: string; readonly score?: string; readonly conditions?: unknown }

function exitsOf({ exit }: JourneyDefinition): readonly Exit[] {
  return exit === undefined ? [] : ([exit].flat() as readonly Exit[])
}

function isTurn(trigger: object, turn: Turn, rules: PlainRules): boolean {
  const { on, tag, score, above, below, tier } = trigger as Exit & { above?: number; below?: number; tier?: string }
  if (on !== turn.on) return false
  if (on !== 'score.crossed') return tag === turn.tag
  const { from = 0, to = 0 } = turn
  if (score !== turn.score) return false
  if (above !== undefined) return from < above && to >= above
  if (below !== undefined) return from >= below && to < below
  const tierAt = (value: number) => rules.tier(score ?? '', new Map([[score ?? '', value]]))
  return tierAt(to) === tier && tierAt(from) !== tier
}

/** The value of the property that the journey is keyed by. */
function keyOf({ key }: JourneyDefinition, event: LoggedEvent | undefined): string | undefined {
  const value = key === undefined ? undefined : event?.properties[key]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}
