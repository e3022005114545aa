import type { JourneyDefinition } from '@linli/rules'
import type { LoggedEvent } from '../law/known.js'
import { enterByEvent, enterByTurn, startNext } from './entries.js'
import { concerns, countGoal, end, exitsByEvent, leaveByConditions, leaveByTurn } from './exits.js'
import type { PlainRules } from './facts.js'
import { Life } from './life.js'
import { follow, takesCase, timeIsUp, waitsCame } from './steps.js'
import { callOff, deliver, issue } from './wishes.js'
import type { Choices, Line, Outside, Run, Steps, Wish } from './words.js'

/** A second opinion of what journeys mean: it walks their JSON step by step, and asks everything anew each time. */
export class Person {
  readonly #life: Life

  constructor(
    start: number,
    rules: PlainRules,
    journeys: readonly JourneyDefinition[],
    choices: Choices,
    outside: Outside,
  ) {
    this.#life = new Life(start, rules, journeys, choices, outside)
  }

  get lines(): readonly Line[] {
    return this.#life.lines
  }

  get runs(): readonly Run[] {
    return this.#life.runs
  }

  publish(journeys: readonly JourneyDefinition[]): void {
    this.#life.journeys = journeys
  }

  /** An event comes in; what happened before `now` has happened. */
  take(event: LoggedEvent, now: number, traits: Readonly<Record<string, unknown>> = {}): void {
    this.#pass(now)
    const life = this.#life
    life.messageId = event.messageId
    life.events.push(event)
    for (const [name, value] of Object.entries(traits)) life.traits.push({ name, value, at: event.at })
    life.derive()
    for (const run of life.past) countGoal(life, run, event)
    enterByEvent(life, event, this.#move(event))
    this.#react()
    life.messageId = undefined
  }

  /** Time passes, and at each instant all is done that it brings. */
  advanceTo(instant: number): void {
    const life = this.#life
    for (let at = life.nextInstant(); at <= instant; at = life.nextInstant()) {
      this.#pass(at)
      this.settle()
    }
    life.at = Math.max(life.at, instant)
  }

  /** Messages leave, coupons are issued, and what steps say comes into the log, until nothing is left to do. */
  settle(): void {
    const life = this.#life
    for (;;) {
      for (const run of life.stopped.splice(0)) callOff(life, run, 'run ended')
      const waiting = life.runs.filter(({ waiting: { kind } }) => kind === 'wish')
      const first = waiting.length > 0 ? life.choices.firstOf(waiting.map(({ name }) => name)) : undefined
      const run = waiting.find(({ name }) => name === first)
      if (run?.waiting.kind !== 'wish') return
      const steps = this.#fulfil(run, run.waiting.wish)
      // What it was about to do is done, also where that ends the run.
      const ended = life.stopped.indexOf(run)
      if (ended >= 0) life.stopped.splice(ended, 1)
      if (steps !== undefined && life.runs.includes(run)) follow(life, run, steps)
      this.#react()
    }
  }

  /** Time passes; nothing leaves. */
  #pass(now: number): void {
    const life = this.#life
    for (let at = life.nextInstant(); at <= now; at = life.nextInstant()) {
      life.at = at
      life.derive()
      leaveByConditions(life)
      for (const turn of life.turns) leaveByTurn(life, turn)
      for (const run of [...life.runs]) if (run.until <= at) timeIsUp(life, run)
      this.#react()
    }
    life.at = Math.max(life.at, now)
  }

  /** Shows an event to the runs there are; gives the journeys of which one has collected it. */
  #move(event: LoggedEvent): ReadonlySet<string> {
    const life = this.#life
    const collected = new Set<string>()
    for (const run of [...life.runs]) {
      if (!concerns(run, event)) continue
      if (run.waiting.kind === 'digest' && life.matches(run.waiting, event)) {
        collected.add(run.definition.id)
        run.collected += 1
        life.step(run, { count: run.collected })
      } else if (!takesCase(life, run, event) && exitsByEvent(life, run, event)) end(life, run, `event ${event.event}`)
    }
    return collected
  }

  /** What follows from what has changed, and from that in turn. */
  #react(): void {
    const life = this.#life
    do {
      for (let turn = life.turns.shift(); turn !== undefined; turn = life.turns.shift()) {
        leaveByTurn(life, turn)
        enterByTurn(life, turn)
      }
    } while (leaveByConditions(life) || startNext(life) || waitsCame(life))
  }

  /** Gives the steps that follow; undefined where the step is not done yet. */
  #fulfil(run: Run, wish: Wish): Steps | undefined {
    const life = this.#life
    if (wish.kind === 'message') return deliver(life, run, wish)
    if (wish.kind === 'coupon') return issue(life, run, wish)
    const { event, properties, traits } = wish
    this.take({ messageId: 'said', at: life.at, userId: '', event, properties }, life.at, traits)
    return []
  }
}
