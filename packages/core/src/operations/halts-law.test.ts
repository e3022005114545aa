import { definePack, type HaltTarget } from '@linli/rules'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { journey, putTag, send, tag, template, wait } from '../../testing/rules.js'
import { group, NOON } from '../../testing/shop.js'
import { haltName } from '../domain/halts.js'
import type { Engine } from '../door.js'
import { createEngine } from '../engine.js'
import type { Channel, Outbound } from '../ports/channel.js'
import { type VirtualClock, virtualClock } from '../queue/clocks.js'
import { memoryStore } from '../storage/memory/store.js'

const HOUR_MS = 3_600_000
const RUNS = Number(process.env['LINLI_RUNS'] ?? 250)
const PEOPLE = ['u1', 'u2', 'u3']
const JOURNEYS = ['remind', 'ask', 'give']
const TARGETS: readonly HaltTarget[] = [
  'everything',
  ...JOURNEYS.map((id) => ({ journey: id })),
  { channel: 'sms' },
  { channel: 'app' },
]

const SERVICE = { class: 'service' }
const AGAIN = { reentry: 'always' }
const either = { ...SERVICE, channel: ['app', 'sms'] }

/** The journeys as they are at first, and as they may become. All runs come to an end. */
const VERSIONS: Readonly<Record<string, readonly (readonly unknown[])[]>> = {
  remind: [
    [wait('soon', '1h'), send('push', SERVICE), wait('later', '5h'), send('more', either)],
    [send('push', either), wait('soon', '2h'), send('more', SERVICE)],
  ],
  ask: [
    [
      {
        id: 'click',
        waitFor: { event: 'click', timeout: '6h' },
        then: [send('yes', either)],
        else: [send('no', SERVICE)],
      },
    ],
    [
      send('yes', SERVICE),
      { id: 'click', waitFor: { event: 'click', timeout: '3h' } },
      { id: 'say', emit: { event: 'cart' } },
    ],
  ],
  give: [
    [
      { id: 'coupon', issue: { offer: 'fruit' } },
      wait('soon', '2h'),
      { id: 'tell', suggest: { to: 'leader', template: 'hello' } },
    ],
    [wait('soon', '1h'), { id: 'coupon', issue: { offer: 'fruit' } }, putTag('mark', 'done')],
  ],
}
/** A step that both definitions of each journey have. */
const MOVES: Readonly<Record<string, string>> = { remind: 'push', ask: 'yes', give: 'soon' }

type Earlier = 'drain' | 'stop' | 'move'
interface Edition {
  readonly journey: string
  readonly form: number
  readonly earlier: Earlier
}

type Step =
  | { readonly kind: 'event'; readonly event: string; readonly person: string }
  | { readonly kind: 'pass'; readonly hours: number }
  | { readonly kind: 'operate'; readonly does: 'pause' | 'stop' | 'resume'; readonly target: HaltTarget }
  | { readonly kind: 'publish'; readonly edition: Edition }
  | { readonly kind: 'restart' }

const stepArb: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('event' as const),
      event: fc.constantFrom('cart', 'cart', 'click', 'leave'),
      person: fc.constantFrom(...PEOPLE),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass' as const), hours: fc.integer({ min: 1, max: 9 }) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('operate' as const),
      does: fc.constantFrom('pause', 'pause', 'stop', 'resume', 'resume' as const),
      target: fc.constantFrom(...TARGETS),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('publish' as const),
      edition: fc.record({
        journey: fc.constantFrom(...JOURNEYS),
        form: fc.nat(1),
        earlier: fc.constantFrom('drain', 'stop', 'move' as const),
      }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
)

/** A shop with halts as somebody would note them down, who looks at all that happens. */
class Watched {
  readonly halts = new Map<string, 'paused' | 'stopped'>()
  readonly sent: string[] = []
  readonly wrong: string[] = []
  private readonly store = memoryStore()
  private readonly forms = new Map<string, Edition>()
  private seen = 0

  private constructor(
    private readonly clock: VirtualClock,
    private engine: Engine,
  ) {}

  static async open(): Promise<Watched> {
    const watched = new Watched(virtualClock(NOON), undefined as never)
    await watched.start()
    await watched.engine.ingest(PEOPLE.map((id) => group(id, 'c1', { leaderId: 'l1' })))
    return watched
  }

  private async start(): Promise<void> {
    const channels = ['sms', 'app'].map((name) => this.channel(name))
    const { store: database, clock } = this
    this.engine = await createEngine({ rules: this.pack(), database, clock, channels })
  }

  private pack() {
    const journeys = JOURNEYS.map((id) => {
      const { form = 0, earlier = 'drain' } = this.forms.get(id) ?? {}
      const choice = earlier === 'move' ? { moveTo: MOVES[id] } : earlier
      return journey(id, VERSIONS[id]?.[form] ?? [], {
        ...AGAIN,
        earlier: choice,
        exit: { on: 'event', event: 'leave' },
      })
    })
    return definePack([
      template('hello'),
      tag('done'),
      { kind: 'offer', id: 'fruit', total: 1000, perPerson: 900 },
      ...journeys,
    ])
  }

  private channel(name: string): Channel {
    const send = async ({ deliveryKey, source }: Outbound) => {
      if (this.sent.includes(deliveryKey)) this.wrong.push(`${source.step} was sent twice`)
      this.sent.push(deliveryKey)
      this.mustBeOpen(`${source.step} left`, ['everything', `journey:${source.journey}`, `channel:${name}`])
      return { status: 'accepted' } as const
    }
    return { name, repeat: { kind: 'none' }, send }
  }

  private mustBeOpen(what: string, ways: readonly string[]): void {
    for (const way of ways) if (this.halts.has(way)) this.wrong.push(`${what}, with ${way} ${this.halts.get(way)}`)
  }

  async take(step: Step, index: number): Promise<void> {
    const { engine } = this
    if (step.kind === 'event') {
      await engine.ingest([{ event: step.event, userId: step.person, messageId: `m-${index}` }])
    } else if (step.kind === 'pass') await this.pass(step.hours)
    else if (step.kind === 'restart') await this.start()
    else if (step.kind === 'publish') {
      this.forms.set(step.edition.journey, step.edition)
      await engine.publish(this.pack())
    } else {
      await engine[step.does](step.target)
      const name = haltName(step.target)
      if (step.does === 'resume') this.halts.delete(name)
      else this.halts.set(name, step.does === 'pause' ? 'paused' : 'stopped')
      if (step.does === 'stop') await this.mustBeEmpty(step.target)
    }
    await this.look()
  }

  /** Nobody is in what was stopped. */
  private async mustBeEmpty(target: HaltTarget): Promise<void> {
    await this.engine.settle()
    const stopped = target === 'everything' ? JOURNEYS : 'journey' in target ? [target.journey] : []
    for (const id of stopped) expect(await this.engine.runs({ journey: id })).toEqual({ runs: [] })
  }

  async pass(hours: number): Promise<void> {
    const { engine, clock } = this
    await engine.settle()
    const end = clock.now() + hours * HOUR_MS
    for (let due = await engine.nextDue(); due !== undefined && due <= end; due = await engine.nextDue()) {
      clock.moveTo(due)
      await engine.settle()
    }
    clock.moveTo(end)
    await engine.settle()
  }

  /** What was decided since the last look was decided with the halts as they are. */
  private async look(): Promise<void> {
    const decisions = await this.engine.decisions()
    for (const { decision, rule, ...about } of decisions.slice(this.seen)) {
      const journeyWay = `journey:${String(about['journey'] ?? rule)}`
      if (decision === 'journey.entered') {
        this.mustBeOpen('somebody entered', [journeyWay])
        if (this.halts.get('everything') === 'stopped') this.wrong.push('somebody entered, with everything stopped')
      }
      if (decision === 'coupon.issued' || decision === 'suggestion.made') {
        this.mustBeOpen(decision, ['everything', journeyWay])
      }
    }
    this.seen = decisions.length
  }

  /** All goes on again: then every run ends, and every delivery. */
  async finish(): Promise<void> {
    for (const target of TARGETS) await this.engine.resume(target)
    this.halts.clear()
    await this.pass(24 * 30)
    const decisions = await this.engine.decisions()
    const runs = (kind: string) =>
      decisions
        .filter(({ decision }) => decision === kind)
        .map(({ run }) => String(run))
        .sort()
    expect(runs('journey.exited')).toEqual(runs('journey.entered'))
    for (const id of JOURNEYS) expect(await this.engine.runs({ journey: id })).toEqual({ runs: [] })
    const deliveries = await this.engine.deliveries()
    const open = deliveries.filter(({ state }) => !['accepted', 'rejected', 'suppressed'].includes(state))
    expect(open).toEqual([])
    expect(this.wrong).toEqual([])
  }
}

it('whatever is paused, stopped, resumed and published: nothing leaves that is halted, nothing twice, and no wait is lost', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(stepArb, { maxLength: 40 }), async (steps) => {
      const watched = await Watched.open()
      for (const [index, step] of steps.entries()) await watched.take(step, index)
      await watched.finish()
    }),
    { numRuns: RUNS },
  )
}, 120_000)
