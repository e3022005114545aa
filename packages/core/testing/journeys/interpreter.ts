import type { JourneyDefinition } from '@linli/rules'
import type { LoggedEvent } from '../law/known.js'
import { type Chance, chancesByEvent, chancesByTime, chancesByTurn, takeInTurn } from './chances.js'
import { answer, startNext } from './entries.js'
import { concerns, countGoals, end, exitsByEvent, leaveByConditions, leaveByTurn } from './exits.js'
import type { PlainRules } from './facts.js'
import { cancel, meet, type News } from './fates.js'
import { haltOf, isAside } from './halts.js'
import { Life } from './life.js'
import { follow, takesCase, timeIsUp, waitsCame } from './steps.js'
import { callOff, deliver, issue, putAside } from './wishes.js'
import type { Choices, Line, Outside, Run, Steps, Wishing } from './words.js'

/** A second opinion of what journeys mean: it walks their JSON step by step, and asks everything anew each time. */
export class Person {
  readonly #life: Life
  /** What it has not met yet. */
  #news: News[] = []

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

  /** Runs that have begun. */
  get runs(): readonly Run[] {
    return this.#life.runs.filter(({ isIn }) => isIn)
  }

  /** Other journeys are in force, or some are stopped. It is met as soon as something is done with this person. */
  hear(news: News): void {
    this.#news.push(news)
  }

  cancel(name: string): void {
    const run = this.runs.find((one) => one.name === name)
    if (run !== undefined) cancel(this.#life, run)
    this.#react()
  }

  /** An event comes in; what happened before `now` has happened. */
  take(event: LoggedEvent, now: number, traits: Readonly<Record<string, unknown>> = {}): void {
    this.#meet()
    this.#pass(now)
    const life = this.#life
    life.messageId = event.messageId
    life.events.push(event)
    for (const [name, value] of Object.entries(traits)) life.traits.push({ name, value, at: event.at })
    life.derive()
    countGoals(life, event)
    this.#react(chancesByEvent(life, event, this.#move(event)))
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
    this.#meet()
    const life = this.#life
    for (;;) {
      this.#callOff()
      const ready = life.runs.filter((run) => run.waiting.kind === 'wish' && !isAside(life, run))
      const run = life.choices.firstOf(ready)
      if (run?.waiting.kind !== 'wish') return
      const { waiting } = run
      const steps = this.#fulfil(run, waiting)
      // What it was about to do is done, also where that ends the run.
      life.orphans = life.orphans.filter((one) => one.waiting !== waiting)
      if (steps !== undefined && life.runs.includes(run)) follow(life, run, steps)
      this.#react()
    }
  }

  #meet(): void {
    const news = this.#news.splice(0)
    if (news.length === 0) return
    meet(this.#life, news)
    this.#react()
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
      this.#react(chancesByTime(life))
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
  #react(first: readonly Chance[] = []): void {
    const life = this.#life
    let chances = first
    do {
      const turns = life.turns.splice(0)
      takeInTurn([...chances, ...turns.flatMap((turn) => chancesByTurn(life, turn))])
      chances = []
    } while (life.turns.length > 0 || leaveByConditions(life) || startNext(life) || waitsCame(life))
  }

  /** What its run has left behind is called off, also where it was put aside before, once that is not paused any more. */
  #callOff(): void {
    const life = this.#life
    const ready = life.orphans.filter((one) => one.reason !== undefined || !isAside(life, one))
    life.orphans = life.orphans.filter((one) => !ready.includes(one))
    for (const one of ready) callOff(life, one)
  }

  /** Gives the steps that follow; undefined where the step is not done yet. */
  #fulfil(run: Run, waiting: Wishing): Steps | undefined {
    const life = this.#life
    const { wish } = waiting
    const halt = haltOf(life, run, wish)
    if (halt !== undefined && life.outside.halts.get(halt) === 'paused') {
      waiting.aside = halt
      putAside(life, run, wish)
      return undefined
    }
    if (wish.kind === 'message') return deliver(life, run, wish, halt)
    if (wish.kind === 'coupon') return issue(life, run, wish)
    if (wish.kind === 'place') {
      answer(life, run)
      return undefined
    }
    const { event, properties, traits } = wish
    this.take({ messageId: 'said', at: life.at, userId: '', event, properties }, life.at, traits)
    return []
  }
}
