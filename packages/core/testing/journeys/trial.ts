import { compileProgram, definePack, type JourneyDefinition, type Pack, reviewPack } from '@linli/rules'
import type { Engine } from '../../src/door.js'
import { startEngine } from '../../src/engine.js'
import type { IncomingEvent } from '../../src/ingest/event.js'
import type { Channel } from '../../src/ports/channel.js'
import type { Store } from '../../src/ports/store.js'
import { type VirtualClock, virtualClock } from '../../src/queue/clocks.js'
import { memoryStore } from '../../src/storage/memory/store.js'
import { seenByProcess, withTransactions } from '../stores.js'
import type { JourneyCase } from './cases.js'
import { type Command, type Deed, haltName, type Operate, type Rushed } from './commands.js'
import { compareLines, JourneysDiffer } from './comparison.js'
import { PlainRules } from './facts.js'
import { Person } from './interpreter.js'
import type { JourneyMutant } from './mutant.js'
import { Places } from './places.js'
import { DERIVED, PER_PERSON, REST } from './rules.js'
import { Seen } from './seen.js'
import type { Halted } from './words.js'

/** Eight in the morning in Shanghai, on a Thursday. */
const START = Date.UTC(2026, 0, 1)
const PEOPLE = ['u1', 'u2']

export interface JourneyTrialOptions {
  /** A store with its tables; in memory when left out. */
  readonly store?: Store
  /** Breaks something, to see that it is noticed. */
  readonly mutant?: JourneyMutant | undefined
}

/** Engine and interpreter live through the same commands; after each, they tell the same of every run. */
export async function tryJourneys(
  { journeys, control, commands }: JourneyCase,
  options: JourneyTrialOptions = {},
): Promise<void> {
  const trial = new Trial(journeys, control, options)
  await trial.start()
  for (const command of commands) {
    await trial.live(command)
    await trial.compare(JSON.stringify(command))
  }
}

interface About {
  readonly late?: number
  readonly properties?: Readonly<Record<string, unknown>>
  readonly traits?: Readonly<Record<string, unknown>>
}

class Trial {
  readonly #clock: VirtualClock = virtualClock(START)
  readonly #refusing = new Set<string>()
  readonly #halts = new Map<string, Halted>()
  readonly #store: Store
  readonly #places = new Places()
  readonly #packs: readonly Pack[]
  readonly #people: ReadonlyMap<string, { readonly person: Person; readonly seen: Seen }>
  #engine: Engine | undefined
  #published = 0
  #events = 0
  #last: IncomingEvent | undefined

  constructor(
    private readonly journeys: JourneyCase['journeys'],
    control: number | undefined,
    private readonly options: JourneyTrialOptions,
  ) {
    this.#store = options.store ?? memoryStore()
    const { mutant } = options
    const rest =
      control === undefined ? REST : [...REST, { kind: 'policy', id: 'control', control: { share: control } }]
    this.#packs = journeys.map((some) => definePack([...DERIVED, ...rest, ...(mutant?.journeys?.(some) ?? some)]))
    const takes = (channel: string) => !this.#refusing.has(channel)
    const outside = { takes, halts: this.#halts, hasControl: control !== undefined, perPerson: PER_PERSON }
    const rules = new PlainRules(DERIVED, [DERIVED, journeys])
    const person = (id: string) => {
      const seen = new Seen(`user:${id}`)
      const made = new Person(START, rules, this.#definitions, seen, outside)
      seen.behind = made
      return [id, { person: made, seen }] as const
    }
    this.#people = new Map(PEOPLE.map(person))
  }

  get #definitions() {
    return this.journeys[this.#published] as readonly JourneyDefinition[]
  }

  async start(): Promise<void> {
    const rules = this.#packs[this.#published] as Pack
    const program = compileProgram(rules)
    this.options.mutant?.program?.(program)
    const { store } = seenByProcess(this.#broken(this.#store))
    const channels = ['sms', 'push'].map((name) => this.#channel(name))
    this.#engine = await startEngine({ rules, clock: this.#clock, database: store, channels }, program)
  }

  #broken(store: Store): Store {
    const { fates: change } = this.options.mutant ?? {}
    if (change === undefined) return store
    return withTransactions(store, (tx) => ({
      readVersion: async (number) => {
        const version = await tx.readVersion(number)
        const isNewest = number === (await tx.holdVersion())
        return version === undefined || isNewest ? version : { ...version, fates: change(version.fates) }
      },
    }))
  }

  #channel(name: string): Channel {
    const answer = () =>
      this.#refusing.has(name)
        ? ({ status: 'refused', reason: 'recipient' } as const)
        : ({ status: 'accepted' } as const)
    return { name, repeat: { kind: 'none' }, send: () => Promise.resolve(answer()) }
  }

  get #running(): Engine {
    if (this.#engine === undefined) throw new Error('no engine was started')
    return this.#engine
  }

  async live(command: Command): Promise<void> {
    switch (command.kind) {
      case 'event':
        return this.#take(command.user, command.event, command)
      case 'identify':
        return this.#take(command.user, 'identify', command)
      case 'request':
        return this.#request(command)
      case 'again':
        if (this.#last !== undefined) await this.#ingest(this.#last)
        return this.#running.settle()
      case 'pass':
        return this.#advanceTo(this.#clock.now() + command.ms)
      case 'due': {
        const due = await this.#running.nextDue()
        return this.#advanceTo(Math.max(this.#clock.now(), (due ?? 0) + command.off))
      }
      case 'edge': {
        const entries = this.#people.get('u1')?.person.lines.filter(({ decision }) => decision === 'journey.entered')
        const at = (entries?.at(-1)?.at ?? START) + command.after + command.off
        await this.#advanceTo(Math.max(this.#clock.now(), at))
        return this.#take('u1', command.event, command)
      }
      case 'crash':
        return this.#take('u1', command.event, { crashes: true })
      case 'channel':
        if (command.takes) this.#refusing.delete(command.name)
        else this.#refusing.add(command.name)
        return
      case 'rush':
        return this.#rush(command.deeds)
      default:
        return this.#do(command)
    }
  }

  async #take(userId: string, event: string, more: About & { readonly crashes?: boolean }): Promise<void> {
    const taken = await this.#say(userId, event, more)
    if (more.crashes) await this.start()
    await this.#running.settle()
    await this.#look()
    taken()
    this.#settle()
  }

  async #request({ user, journey, properties }: Extract<Command, { kind: 'request' }>): Promise<void> {
    const isMeant = this.#definitions.some(({ id, entry }) => id === journey && entry.on === 'api')
    if (!isMeant) return
    const now = this.#clock.now()
    const messageId = `m${++this.#events}`
    await this.#running.enter(journey, { userId: user, messageId, timestamp: now, properties })
    await this.#running.settle()
    await this.#look()
    const request = {
      messageId,
      event: 'journey_requested',
      at: now,
      properties: { ...properties, journey },
      userId: user,
    }
    this.#people.get(user)?.person.take(request, now)
    this.#settle()
  }

  /** Tells the engine of an event. Gives how to tell the interpreter, which may have to look at the engine first. */
  async #say(userId: string, event: string, { late = 0, properties = {}, traits }: About = {}): Promise<() => void> {
    const now = this.#clock.now()
    const messageId = `m${++this.#events}`
    const happened = { userId, messageId, timestamp: now - late }
    this.#last =
      traits === undefined ? { ...happened, event, properties } : { ...happened, type: 'identify' as const, traits }
    await this.#ingest(this.#last)
    const { person } = this.#people.get(userId) ?? {}
    return () => person?.take({ messageId, event, at: now - late, properties, userId }, now, traits)
  }

  async #do(deed: Deed): Promise<void> {
    const done = await this.#begin(deed)
    await this.#running.settle()
    await this.#look()
    done?.()
    this.#settle()
  }

  /** Does it to the engine, and nothing that follows. Gives how to do it to the interpreter. */
  async #begin(deed: Deed): Promise<(() => void) | undefined> {
    if (deed.after !== undefined) {
      const taken = await this.#say('u1', deed.after)
      await this.#look()
      taken()
    }
    const done = await this.#deed(deed)
    if (deed.crashes) await this.start()
    return done
  }

  async #rush(deeds: readonly Rushed[]): Promise<void> {
    for (const deed of deeds) {
      const done = await this.#begin(deed)
      done?.()
    }
    await this.#running.settle()
    await this.#look()
    this.#settle()
  }

  /** Does it to the engine. Gives how to do it to the interpreter. */
  async #deed(deed: Deed): Promise<(() => void) | undefined> {
    switch (deed.kind) {
      case 'operate':
        return this.#operate(deed)
      case 'cancel':
        return this.#cancel(deed.which)
      default:
        return this.#publish(deed.journeys)
    }
  }

  async #operate(command: Operate): Promise<(() => void) | undefined> {
    // Only what the rules have can be halted.
    const [, about] = haltName(command.target).split('journey:')
    if (about !== undefined && this.#definitions.every(({ id }) => id !== about)) return undefined
    const told = this.options.mutant?.operate?.(command) ?? command
    await this.#running[told.does](told.target)
    const { does, target } = command
    const name = haltName(target)
    const state = ({ pause: 'paused', stop: 'stopped', resume: undefined } as const)[does]
    if (state === this.#halts.get(name)) return undefined
    this.#halts.delete(name)
    if (state !== undefined) this.#halts.set(name, state)
    if (state !== 'stopped' || (target !== 'everything' && 'channel' in target)) return undefined
    const journey = target === 'everything' ? undefined : target.journey
    return () => this.#everybody((person) => person.hear({ stopped: journey }))
  }

  async #cancel(which: number): Promise<(() => void) | undefined> {
    const runs = [...this.#people.values()].flatMap(({ person, seen }) =>
      person.runs.map(({ name }) => ({ person, name, id: seen.ids.get(name) ?? name })),
    )
    const chosen = runs[which % runs.length]
    if (chosen === undefined) return undefined
    const { person, name, id } = chosen
    const told =
      this.options.mutant?.cancel?.(
        id,
        runs.map((run) => run.id),
      ) ?? id
    await this.#running.cancel(told)
    return () => person.cancel(name)
  }

  async #publish(journeys: number): Promise<(() => void) | undefined> {
    const pack = this.#packs[journeys] as Pack
    if (reviewPack(pack).some(({ severity }) => severity === 'error')) return undefined
    await this.#running.publish(pack)
    if (journeys === this.#published) return undefined
    this.#published = journeys
    const definitions = this.#definitions
    return () => this.#everybody((person) => person.hear({ journeys: definitions }))
  }

  #everybody(deed: (person: Person) => void): void {
    for (const { person } of this.#people.values()) deed(person)
  }

  async #ingest(event: IncomingEvent): Promise<void> {
    const { event: change } = this.options.mutant ?? {}
    await this.#running.ingest([change?.(event, this.#clock.now()) ?? event])
  }

  async #advanceTo(end: number): Promise<void> {
    for (
      let due = await this.#running.nextDue();
      due !== undefined && due <= end;
      due = await this.#running.nextDue()
    ) {
      this.#clock.moveTo(due)
      await this.#running.settle()
    }
    this.#clock.moveTo(end)
    await this.#look()
    this.#everybody((person) => person.advanceTo(end))
  }

  #settle(): void {
    this.#everybody((person) => person.settle())
  }

  async #look(): Promise<void> {
    const decisions = await this.#running.decisions()
    this.#places.look(decisions, this.#definitions)
    for (const { seen } of this.#people.values()) seen.look(decisions)
  }

  /** Throws where engine and interpreter do not tell the same. */
  async compare(after: string): Promise<void> {
    await this.#look()
    for (const [id, { person, seen }] of this.#people) {
      compareLines(seen.lines, person.lines, `after ${after}, ${id}`)
      const standing = (await this.#running.subject('user', id))?.runs.map(
        ({ journey, key, step }) => `${journey} ${key} ${step}`,
      )
      const expected = person.runs.map(({ definition, key, step }) => `${definition.id} ${key} ${step.id}`)
      const [its, ours] = [(standing ?? []).toSorted().join(), expected.toSorted().join()]
      if (its !== ours) throw new JourneysDiffer(`after ${after}, ${id} stands: engine ${its}, interpreter ${ours}`)
    }
  }
}
