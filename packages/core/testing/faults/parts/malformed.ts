import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { definePack, PackError, Problems } from '@linli/rules'
import fc from 'fast-check'
import { internalUrls, startCanary } from '../../../../adapters/testing/internal-urls.js'
import { compileTemplate } from '../../../../rules/src/templates.js'
import type { Engine } from '../../../src/door.js'
import { createEngine } from '../../../src/engine.js'
import type { IncomingEvent } from '../../../src/ingest/event.js'
import { virtualClock } from '../../../src/queue/clocks.js'
import { memoryStore } from '../../../src/storage/memory/store.js'
import { CHANNELS, herEvents, marked, PEOPLE_RULES } from '../../people.js'
import { NOON } from '../../shop.js'
import type { Finding } from '../checks.js'
import { Chance, spoiled, spoiledTemplate } from '../nasty.js'
import type { Bench, Part } from '../part.js'

// What nobody means: each is refused or taken in, quickly, and harms nobody else.

export const MALFORMED: Part = {
  name: 'T14',
  does: 'events, rules, templates and webhook URLs that nobody means; each costs less than 50 ms, and holds up nothing for 100 ms',
  run: async (bench) => {
    const watch = new Watch()
    const events = await tryEvents(bench, watch)
    const rules = await tryRules(bench, watch)
    const templates = await tryTemplates(bench, watch)
    const urls = await tryUrls(bench, watch)
    return { did: { events, rules, templates, 'webhook URLs': urls }, findings: watch.end() }
  },
}

/** What one input may cost, in microseconds of this process. */
const MOST_MICROSECONDS = 50_000
/** How often it is tried before it counts as dear. */
const TURNS = 3
/** For how long one input may keep everything else in this process waiting, in milliseconds. */
const MOST_LAG_MS = 100
/** How often the event loop is looked at, in milliseconds. */
const LAG_EVERY_MS = 10
/** Of what is wrong again and again, so much is told. */
const TOLD = 50

/** Sees what an input costs, and what it leaves. */
class Watch {
  private readonly findings: Finding[] = []
  private readonly prototypes = prototypes()
  private readonly lag: IntervalHistogram = monitorEventLoopDelay({ resolution: LAG_EVERY_MS })
  private readonly onRejection = (error: unknown) => this.report('nothing is thrown that nobody catches', String(error))

  constructor() {
    process.on('unhandledRejection', this.onRejection)
    this.lag.enable()
  }

  report(promise: string, found: string): void {
    if (this.findings.length < TOLD) this.findings.push({ promise, found: found.slice(0, 500) })
  }

  /** Tells of what costs too much, also when it is tried again: the first time may have been another's fault. */
  async cheap(what: () => string, run: () => unknown): Promise<void> {
    const over = { cost: 0, lag: 0 }
    for (let turn = 1; turn <= TURNS; turn++) {
      this.lag.reset()
      if ((await costOf(run)) >= MOST_MICROSECONDS) over.cost += 1
      // The loop is looked at when it turns.
      for (let waits = 0; waits < 2; waits++) await nextTurn()
      if (this.lag.max / 1e6 >= MOST_LAG_MS) over.lag += 1
      if (over.cost < turn && over.lag < turn) return
    }
    if (over.cost === TURNS) this.report('no input costs more than 50 ms', what())
    if (over.lag === TURNS) this.report('no input holds everything up for 100 ms', what())
  }

  end(): readonly Finding[] {
    this.lag.disable()
    process.off('unhandledRejection', this.onRejection)
    if (prototypes() !== this.prototypes) this.report('prototypes stay as they are', prototypes())
    return this.findings
  }
}

function prototypes(): string {
  const all = [Object.prototype, Array.prototype, Function.prototype, String.prototype, Promise.prototype]
  return all.map((one) => Reflect.ownKeys(one).map(String).join()).join(';')
}

async function costOf(run: () => unknown): Promise<number> {
  const before = process.cpuUsage()
  await run()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

/** Of one input, in a form that never fails. */
function told(input: unknown): string {
  try {
    return JSON.stringify(input)?.slice(0, 400) ?? String(input)
  } catch {
    return 'something that is no JSON'
  }
}

const EVENTS = 100_000
/** After so many a new engine begins, with nobody in it. */
const LIVES = 2_000

async function tryEvents(bench: Bench, watch: Watch): Promise<number> {
  const wanted = bench.share(EVENTS)
  const chance = new Chance(bench.seed)
  const examples = herEvents()
  for (let from = 0; from < wanted; from += LIVES) {
    const engine = await openEngine()
    for (let index = from; index < Math.min(wanted, from + LIVES); index++) {
      const right = { ...chance.one(examples), messageId: `m${index}` }
      await takeIn(engine, spoiled(right, chance, true), `good-${index}`, watch)
    }
    await engine.settle()
    await engine.close()
    if (from % 20_000 === 0) bench.say(`${from} events`)
  }
  return wanted
}

function openEngine(): Promise<Engine> {
  const channels = [...CHANNELS, 'slow'].map((name) => marked(name))
  const clock = virtualClock(NOON)
  return createEngine({ rules: definePack(PEOPLE_RULES), database: memoryStore(), clock, channels })
}

/** Whatever becomes of it, the good event beside it is taken in. */
async function takeIn(engine: Engine, bad: unknown, messageId: string, watch: Watch): Promise<void> {
  const good = { event: 'viewed', userId: 'neighbour', messageId }
  try {
    const { results } = await engine.ingest([bad as IncomingEvent, good])
    const isRight = results.length === 2 && results[1]?.status === 'accepted'
    if (!isRight) watch.report('a bad event holds up no other', told([bad, results]))
  } catch (error) {
    watch.report('an event is refused, never thrown back', `${String(error)} by ${told(bad)}`)
  }
  await watch.cheap(
    () => `event ${told(bad)}`,
    () => engine.ingest([bad as IncomingEvent]).catch(() => undefined),
  )
}

const RULES = 100_000

async function tryRules(bench: Bench, watch: Watch): Promise<number> {
  const wanted = bench.share(RULES)
  const chance = new Chance(bench.seed)
  for (let index = 0; index < wanted; index++) {
    const bad = spoiled(chance.one(PEOPLE_RULES), chance, false)
    const read = () => {
      try {
        definePack([bad])
      } catch (error) {
        if (!(error instanceof PackError))
          watch.report('a rule is refused with a reason', `${String(error)} by ${told(bad)}`)
      }
    }
    await watch.cheap(() => `rule ${told(bad)}`, read)
    if (index % 20_000 === 0) bench.say(`${index} rules`)
  }
  return wanted
}

const TEMPLATES = 50_000
/** No text of so few pieces becomes as long as this by right. */
const LONGEST_TEXT = 1_000_000
const VARIABLES = {
  traits: { name: 'a'.repeat(50) },
  entry: { items: [{ name: '米' }] },
  digest: { count: 3, events: [{ phone: '1' }, { phone: '2' }, { phone: '3' }] },
}

async function tryTemplates(bench: Bench, watch: Watch): Promise<number> {
  const wanted = bench.share(TEMPLATES)
  const chance = new Chance(bench.seed)
  for (let index = 0; index < wanted; index++) {
    const body = spoiledTemplate(chance)
    const render = () => {
      try {
        const problems = new Problems()
        const place = { file: '(campaign)', pointer: '' }
        const result = compileTemplate({ kind: 'template', id: 't', body }, place, problems).render(VARIABLES)
        if (result.ok && result.content.body.length > LONGEST_TEXT)
          watch.report('a text has an end', `${result.content.body.length} characters`)
      } catch (error) {
        watch.report('a template is refused with a reason', `${String(error)} by ${told(body)}`)
      }
    }
    await watch.cheap(() => `template ${told(body)}`, render)
  }
  return wanted
}

const URLS = 20_000

/** URLs of the machine itself and of what is behind it, which look like others; a canary listens. */
async function tryUrls(bench: Bench, watch: Watch): Promise<number> {
  const wanted = bench.share(URLS)
  const canary = await startCanary()
  const urls = fc.sample(internalUrls(canary.port), { numRuns: wanted, seed: bench.seed })
  for (const url of urls) {
    const post = async () => {
      const result = await canary.post(url).catch((error: unknown) => String(error))
      const isRefused = typeof result === 'object' && result.status === 'refused' && result.reason === 'recipient'
      if (!isRefused) watch.report('no URL leads inside', `${told(url)}: ${told(result)}`)
    }
    await watch.cheap(() => `URL ${told(url)}`, post)
  }
  if (canary.connections > 0) watch.report('no URL leads inside', `${canary.connections} connections`)
  await canary.close()
  return wanted
}
