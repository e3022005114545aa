import { compileProgram, definePack } from '@linli/rules'
import type { IncomingEvent } from '../../src/ingest/event.js'
import type { Clock } from '../../src/ports/clock.js'
import type { Store } from '../../src/ports/store.js'
import { checkTown } from './checks.js'
import { Chance } from './nasty.js'
import type { Accepted, Tried } from './orders.js'
import type { Outcome } from './part.js'
import { type Common, SimulatedProcess, SimulatedProvider } from './processes.js'
import { happening, TOWN_RULES } from './town.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const START = Date.UTC(2026, 2, 1)
const PEOPLE = 4

/** Sixty days of a small town under a clock that jumps, in so many steps, with one to four processes that come and go. */
export async function simulateTown(seed: number, store: Store, steps: number): Promise<Outcome> {
  const town = new SimulatedTown(seed, store)
  await town.open()
  for (let step = 0; step < steps; step++) await town.step((60 * DAY) / steps)
  return town.end()
}

/** A clock that may be set. */
class SetClock implements Clock {
  /** The latest time it ever showed: whatever is dated later has happened later, whichever way it was set. */
  latest = START
  /** How often it was put back: what it shows of two eras does not say how long one was after the other. */
  era = 0
  #at = START

  get at(): number {
    return this.#at
  }

  set at(at: number) {
    if (at < this.#at) this.era += 1
    this.#at = at
    this.latest = Math.max(this.latest, at)
  }

  now(): number {
    return this.at
  }

  sleep(): Promise<void> {
    return Promise.resolve()
  }
}

class SimulatedTown {
  readonly #chance: Chance
  readonly #clock = new SetClock()
  readonly #common: Common
  readonly #processes: readonly SimulatedProcess[]
  readonly #journeys: readonly string[]
  readonly #accepted: Accepted[] = []
  readonly #said: IncomingEvent[] = []
  #crashes = 0
  #happenings = 0

  constructor(
    private readonly seed: number,
    store: Store,
  ) {
    const chance = new Chance(seed)
    this.#chance = chance
    const random = Array.from({ length: 1 + chance.below(2) }, (_, index) => randomJourney(`r${index}`, chance))
    const pack = definePack([...TOWN_RULES, ...random])
    this.#journeys = pack.journeys.map(({ definition }) => definition.id)
    const provider = new SimulatedProvider(seed, this.#clock, () => this.#clock.era)
    this.#common = { pack, program: compileProgram(pack), store, clock: this.#clock, chance, provider }
    this.#processes = Array.from({ length: 1 + chance.below(4) }, () => new SimulatedProcess(this.#common))
  }

  async open(): Promise<void> {
    for (const process of this.#processes) await process.start()
  }

  /** Something happens, once or several times in a row; somebody may crash; time passes, and may be set. */
  async step(ms: number): Promise<void> {
    const chance = this.#chance
    if (chance.below(3) === 0) chance.one(this.#processes).crashAfter(1 + chance.below(60))
    if (chance.below(8) === 0) this.#clock.at += chance.one([-HOUR, HOUR])
    const happenings = chance.one([1, 1, 1, 4])
    for (let turn = 0; turn < happenings; turn++) await this.#happen()
    await this.#pass(chance.one([0, MINUTE, HOUR, 2 * ms, 2 * ms]))
  }

  async #happen(): Promise<void> {
    const chance = this.#chance
    const late = chance.one([0, 0, 0, HOUR, 2 * DAY])
    const events = happening(`${this.seed}-${++this.#happenings}`, PEOPLE).map((event) => ({
      ...event,
      timestamp: this.#clock.now() - late,
    }))
    if (chance.below(3) === 0) events.reverse()
    const again = this.#said.length > 0 && chance.below(3) === 0 ? [chance.one(this.#said)] : []
    this.#said.push(...events)
    const when = { from: this.#clock.now(), era: this.#clock.era }
    // Whoever is not told that they were taken in says them once more, to another one.
    for (let isTold = false; !isTold; ) isTold = await this.#tell(events, again, when)
  }

  async #tell(events: readonly IncomingEvent[], again: readonly IncomingEvent[], when: Pick<Tried, 'from' | 'era'>) {
    const process = this.#chance.one(this.#processes)
    try {
      const { results } = await process.engine.ingest([...again, ...events])
      const ok = new Set(results.filter(({ status }) => status !== 'rejected').map(({ messageId }) => messageId))
      for (const event of events)
        if (ok.has(event.messageId)) this.#accepted.push({ ...event, ...when, until: this.#clock.latest })
      return true
    } catch (error) {
      if (!process.hasCrashed) throw error
      await this.#restart()
      return false
    }
  }

  /** Time passes, and what is due is done: by one of them, or by all at once. */
  async #pass(ms: number): Promise<void> {
    const end = this.#clock.now() + ms
    for (let turn = 0; turn < 200; turn++) {
      await this.#work()
      const due = await this.#common.store.nextDue()
      if (due === undefined || due > end) break
      this.#clock.at = Math.max(this.#clock.at, due)
    }
    this.#clock.at = Math.max(this.#clock.at, end)
  }

  async #work(): Promise<void> {
    const workers = this.#chance.below(3) === 0 ? this.#processes : [this.#chance.one(this.#processes)]
    const settled = await Promise.allSettled(workers.map(({ engine }) => engine.settle()))
    const own = settled.find((one, index) => one.status === 'rejected' && !workers[index]?.hasCrashed)
    if (own?.status === 'rejected') throw own.reason
    await this.#restart()
  }

  async #restart(): Promise<void> {
    for (const process of this.#processes) {
      if (!process.hasCrashed) continue
      this.#crashes += 1
      process.crashAfter(Number.POSITIVE_INFINITY)
      await process.start()
    }
  }

  /** Nothing fails any more; once all is done, everything is looked at. */
  async end(): Promise<Outcome> {
    const { provider, store } = this.#common
    provider.faults = Number.MIN_VALUE
    for (const process of this.#processes) process.crashAfter(Number.POSITIVE_INFINITY)
    for (let turn = 0; turn < 100 && (await store.nextDue()) !== undefined; turn++) await this.#pass(DAY)
    const [first] = this.#processes
    if (first === undefined) throw new Error('There is no process.')
    const { engine } = first
    const runs = await Promise.all(this.#journeys.map((journey) => engine.runs({ journey })))
    const isQuiet = (await store.nextDue()) === undefined && runs.every(({ runs: found }) => found.length === 0)
    const verification = await engine.verify({ recompute: 100 })
    const deliveries = await engine.deliveries()
    const decisions = await engine.decisions()
    const evidence = {
      engine,
      verification,
      deliveries,
      decisions,
      accepted: this.#accepted,
      unanswered: [],
      sent: provider.log,
    }
    const findings = await checkTown({ ...evidence, isQuiet, seconds: 0 })
    const sent = provider.log.filter(({ did }) => did === 'sent').length
    return { did: { days: 60, kills: this.#crashes, deliveries: deliveries.length, sent }, findings }
  }
}

/** Waits of minutes to weeks, messages by all channels, branches; it always comes to its end. */
function randomJourney(id: string, chance: Chance): unknown {
  let steps = 0
  const stepsOf = (depth: number): unknown[] =>
    Array.from({ length: 1 + chance.below(3) }, () => ({ id: `s${++steps}`, ...step(depth) }))
  const wait = () => chance.one(['5m', '1h', '1d', '9d', '20d'])
  const step = (depth: number): object => {
    const turn = chance.below(depth > 0 ? 6 : 4)
    const channel = chance.one<unknown>(['sms', 'wecom', 'app', ['wecom', 'app']])
    if (turn === 0) return { issue: { offer: chance.one(['trial', 'welcome']) } }
    if (turn === 1) return { wait: wait() }
    if (turn < 4) return { send: { template: 'remind', channel, class: chance.one(['promotion', 'content']) } }
    const conditions = { fact: 'tag', operator: 'equal', value: true, params: { id: 'regular' } }
    if (turn === 4) return { branch: [{ conditions, then: stepsOf(depth - 1) }], else: stepsOf(depth - 1) }
    return { waitFor: { event: 'order', timeout: wait() }, then: stepsOf(depth - 1), else: stepsOf(depth - 1) }
  }
  const entry = { on: 'event', event: chance.one(['cart', 'order']) }
  return { kind: 'journey', id, entry, reentry: chance.one(['always', 'oneAtATime', 'never']), steps: stepsOf(2) }
}
