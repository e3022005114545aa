import { describe, expect, it } from 'vitest'
import { describeOnEveryStore } from '../../testing/every-store.js'
import { journey, send, template, wait } from '../../testing/rules.js'
import { group, log, type Shop, shopOf, track } from '../../testing/shop.js'
import { Crash, type CrashPlan, seenByProcess } from '../../testing/stores.js'
import type { Engine, EngineOptions } from '../door.js'
import type { Store } from '../ports/store.js'
import { memoryStore } from '../storage/memory/store.js'
import { type MemoryChannel, memoryChannel } from '../testing/memory-channel.js'

const HOUR = 3_600_000
const offer = (more: Record<string, unknown> = {}) => ({
  ...{ kind: 'offer', id: 'trial', total: 1, value: 5, budget: { money: 5 }, returns: 'unsent', ...more },
})
const TELLS = template('hello', 'Your code is {{ coupon.code }}')
const issue = { id: 'coupon', issue: { offer: 'trial' }, else: [{ id: 'none', exit: { reason: 'no coupon' } }] }
const give = (steps: readonly unknown[] = [send('push')], more: Record<string, unknown> = {}) =>
  journey('trial', [issue, ...steps], { reentry: 'always', exit: { on: 'event', event: 'order' }, ...more })
const NIGHT = { kind: 'policy', id: 'night', quietHours: { from: '11:00', to: '13:00' } }
const REFUSED = { status: 'refused', reason: 'content' } as const
const NEVER_TWICE = { repeat: { kind: 'none' } } as const

/** A shop of one process, and the provider of its messages. */
interface Street extends Pick<Shop, 'clock' | 'store'> {
  readonly engine: Engine
  readonly sms: MemoryChannel
  /** Takes events in, and does all that is due. */
  take(...events: Parameters<Engine['ingest']>[0]): Promise<void>
  /** Lets time pass, and does all that is due then. */
  pass(ms: number): Promise<void>
  /** All that was said of coupons. */
  said(): Promise<readonly string[]>
}

async function street(
  rules: readonly unknown[],
  store: Store,
  channel: Parameters<typeof memoryChannel>[0] = {},
  options: Partial<EngineOptions> = {},
): Promise<Street> {
  const shop = shopOf(rules, { store })
  const sms = memoryChannel({ name: 'sms', ...channel })
  let codes = 0
  const engine = await shop.start({ channels: [sms], makeCode: () => `CODE-${++codes}`, ...options })
  return {
    ...shop,
    engine,
    sms,
    async take(...events) {
      await engine.ingest(events)
      await engine.settle()
    },
    async pass(ms) {
      shop.clock.moveTo(shop.clock.now() + ms)
      await engine.settle()
    },
    said: () => log(engine, 'coupon.'),
  }
}

const codesOf = ({ sms }: Street) => sms.sent.map(({ content }) => content.body)
const violations = async ({ engine }: Street) => (await engine.verify()).violations

describeOnEveryStore('a coupon that nobody was told of', (open) => {
  it('goes back when its run has ended: its place, its money, and its turn of the person are free again', async () => {
    const town = await street([offer(), TELLS, give()], await open())
    town.sms.respond(REFUSED)

    await town.take(track('cart', 'u1'))
    const pools = await town.engine.pools()
    await town.take(track('cart', 'u1'))

    expect(await town.said()).toEqual(['coupon.issued', 'coupon.returned content', 'coupon.issued'])
    expect(pools).toEqual(new Map([['trial', { issued: 0, total: 1 }]]))
    expect(codesOf(town)).toEqual(['Your code is CODE-2'])
    expect((await town.engine.decisions()).find(({ decision }) => decision === 'coupon.returned')).toMatchObject({
      ...{ subject: 'user:u1', rule: 'trial', journey: 'trial', step: 'coupon', reason: 'content' },
    })
    expect(await town.engine.coupon('CODE-1')).toBeUndefined()
    await expect(town.engine.redeem('CODE-1')).rejects.toMatchObject({ code: 'coupon.unknown' })
    expect(await violations(town)).toEqual([])
  })

  it('leaves its code to somebody else, where the shop has given it', async () => {
    const codes = { codes: 'given', total: undefined, budget: undefined }
    const town = await street([offer(codes), TELLS, give()], await open())
    await town.engine.addCodes('trial', ['SPRING-1'])
    town.sms.respond(REFUSED)

    await town.take(track('cart', 'u1'))
    expect((await town.engine.pools()).get('trial')).toMatchObject({ issued: 0, codes: { loaded: 1, left: 1 } })
    await town.take(track('cart', 'u2'))

    expect(codesOf(town)).toEqual(['Your code is SPRING-1'])
    expect(await town.engine.coupon('SPRING-1')).toMatchObject({ subject: ['user', 'u2'], status: 'valid' })
    expect(await violations(town)).toEqual([])
  })

  it('goes back when the run ends while a message waits, and that message never leaves', async () => {
    const town = await street([offer(), TELLS, NIGHT, give()], await open())
    await town.take(track('cart', 'u1'))
    expect(await town.said()).toEqual(['coupon.issued'])

    await town.take(track('order', 'u1'))
    expect(await town.said()).toEqual(['coupon.issued'])
    await town.pass(2 * HOUR)

    expect(await town.said()).toEqual(['coupon.issued', 'coupon.returned run ended'])
    expect(town.sms.calls).toEqual([])
    expect(await violations(town)).toEqual([])
  })

  it('goes back where what was sent did not tell it', async () => {
    const plain = template('plain', 'We have fruit')
    const rules = [offer(), TELLS, plain, give([send('push', { template: 'plain' }), wait('later', '1h')])]
    const town = await street(rules, await open())
    await town.take(track('cart', 'u1'))
    expect(await town.said()).toEqual(['coupon.issued'])
    await town.pass(HOUR)

    expect(town.sms.sent).toHaveLength(1)
    expect(await town.said()).toEqual(['coupon.issued', 'coupon.returned no message'])
    expect(await violations(town)).toEqual([])
  })

  it('goes back when the run is cancelled, and when the next channel refuses it as well', async () => {
    const both = send('push', { channel: ['sms', 'mail'] })
    const refusing = { outcome: { status: 'refused', reason: 'recipient' } } as const
    const mail = memoryChannel({ name: 'mail', ...refusing })
    const rules = [offer({ perPerson: 2 }), TELLS, NIGHT, give([both, wait('later', '9h')])]
    const sms = memoryChannel({ name: 'sms', ...refusing })
    const town = await street(rules, await open(), {}, { channels: [sms, mail] })
    await town.take(track('cart', 'u1'))
    const [run] = (await town.engine.runs({ journey: 'trial' })).runs
    await town.engine.cancel(run?.run ?? '')
    await town.engine.settle()
    expect(await town.said()).toEqual(['coupon.issued', 'coupon.returned cancelled'])

    await town.pass(2 * HOUR)
    await town.take(track('cart', 'u1'))
    expect([sms.calls.length, mail.calls.length]).toEqual([1, 1])
    expect((await town.said()).slice(2)).toEqual(['coupon.issued'])
    await town.pass(9 * HOUR)

    expect((await town.said()).slice(2)).toEqual(['coupon.issued', 'coupon.returned recipient'])
    expect(await violations(town)).toEqual([])
  })

  it('goes back also where its holder turned out to be somebody else, and was parted again', async () => {
    const visits = { type: 'track', event: 'cart', anonymousId: 'a1', messageId: 'visit' } as const
    const says = { type: 'identify', userId: 'u1', anonymousId: 'a1', messageId: 'says' } as const
    const rules = [offer(), TELLS, NIGHT, give([wait('later', '1h'), send('push')])]
    const town = await street(rules, await open())
    town.sms.respond(REFUSED)
    await town.take(visits)
    await town.take(says)
    const [merge] = await town.engine.merges({ subject: ['user', 'u1'] })
    await town.engine.unmerge(merge?.id ?? '')
    await town.pass(2 * HOUR)

    expect(await town.said()).toEqual(['coupon.issued', 'coupon.returned content'])
    expect(await town.engine.pools()).toEqual(new Map([['trial', { issued: 0, total: 1 }]]))
    expect(await violations(town)).toEqual([])
  })

  it('stays where it was used before', async () => {
    const town = await street([offer(), TELLS, NIGHT, give([send('push'), wait('later', '9h')])], await open())
    await town.take(track('cart', 'u1'))
    await town.engine.redeem('CODE-1', { by: 'order-1' })
    await town.take(track('order', 'u1'))
    await town.pass(2 * HOUR)

    expect(await town.said()).toEqual(['coupon.issued'])
    expect(await town.engine.coupon('CODE-1')).toMatchObject({ status: 'redeemed' })
    expect(await town.engine.pools()).toEqual(new Map([['trial', { issued: 1, total: 1 }]]))
    expect(await violations(town)).toEqual([])
  })

  it('goes back once, and nothing is lost, wherever the process ends', async () => {
    const rules = [offer(), TELLS, give()]
    const attempt = async (plan?: CrashPlan) => {
      const shop = shopOf(rules, { store: await open() })
      await shop.store.migrate()
      const first = seenByProcess(shop.store, plan)
      const sms = () => memoryChannel({ name: 'sms', outcome: REFUSED, repeat: { kind: 'queryable' } })
      await runAs(shop, first.store, sms())
      await runAs(shop, shop.store, sms())
      const engine = await shop.start({ channels: [sms()] })
      // Leases end, the provider is asked, and does not know it: then it is called again.
      for (let hour = 0; hour < 2; hour++) {
        shop.clock.moveTo(shop.clock.now() + HOUR)
        await engine.settle()
      }
      expect(await log(engine, 'coupon.'), JSON.stringify(plan)).toEqual(['coupon.issued', 'coupon.returned content'])
      expect(await engine.pools()).toEqual(new Map([['trial', { issued: 0, total: 1 }]]))
      expect((await engine.verify()).violations).toEqual([])
      return first.transactions()
    }
    const transactions = await attempt()
    for (let transaction = 1; transaction <= transactions; transaction++) {
      for (const commits of [true, false]) await attempt({ transaction, commits })
    }
    expect(transactions).toBeGreaterThan(8)
  })

  it('is redeemed or goes back, where both are tried at once', async () => {
    const people = Array.from({ length: 12 }, (_, index) => `u${index}`)
    const store = await open()
    const rules = [offer({ total: 99, budget: undefined }), TELLS, give([wait('later', '1h')])]
    const town = await street(rules, store)
    const other = await shopOf(rules, town).start({ channels: [] })
    await town.take(...people.map((who) => track('cart', who)))
    const codes = people.map((_, index) => `CODE-${index + 1}`)

    town.clock.moveTo(town.clock.now() + HOUR)
    const [tills] = await Promise.all([
      Promise.allSettled(codes.map((code) => other.redeem(code))),
      town.engine.settle(),
    ])
    await town.engine.settle()

    const redeemed = tills.filter(({ status }) => status === 'fulfilled').length
    const returned = (await town.said()).filter((one) => one.startsWith('coupon.returned')).length
    expect(redeemed + returned).toBe(people.length)
    expect(await town.engine.pools()).toEqual(new Map([['trial', { issued: redeemed, total: 99 }]]))
    expect(await violations(town)).toEqual([])
  })
})

/** One process that lives through the evening, or ends in it. */
async function runAs(shop: Shop, database: Store, sms: MemoryChannel): Promise<void> {
  try {
    const engine = await shop.start({ database, channels: [sms], onError: () => {} })
    await engine.ingest([{ type: 'track', event: 'cart', userId: 'u1', messageId: 'the-cart' }])
    await engine.settle()
  } catch (error) {
    if (!(error instanceof Crash)) throw error
  }
}

describeOnEveryStore('a coupon whose code may be known', (open) => {
  it('stays with its holder: the provider has taken a message that tells it', async () => {
    const town = await street([offer(), TELLS, give()], await open())
    await town.take(track('cart', 'u1'))

    expect(await town.said()).toEqual(['coupon.issued'])
    expect(await town.engine.coupon('CODE-1')).toMatchObject({ status: 'valid' })
  })

  it('stays also where the message, or one of two, did not arrive', async () => {
    const town = await street([offer(), TELLS, give([send('push'), send('again')])], await open())
    town.sms.respond({ status: 'accepted' }, REFUSED)
    await town.take(track('cart', 'u1'))
    const [first] = await town.engine.deliveries({ state: 'accepted' })
    for (const { key, kind } of await town.engine.deliveries()) {
      if (kind === 'message' && key !== first?.key) continue
      await town.engine.receive([{ deliveryKey: key, says: 'failed' }])
    }
    await town.engine.settle()

    expect(await town.said()).toEqual(['coupon.issued'])
    expect(await violations(town)).toEqual([])
  })

  it('stays while a message is in doubt, and goes back when somebody has found out that it was not sent', async () => {
    const town = await street([offer(), TELLS, give()], await open(), NEVER_TWICE)
    town.sms.respond('lost_after')
    await town.take(track('cart', 'u1'))
    const [parked] = await town.engine.parked()
    expect(await town.said()).toEqual(['coupon.issued'])

    await town.engine.resolve(parked?.deliveryKey ?? '', 'not sent', { by: 'Li', reason: 'asked' })
    await town.engine.settle()

    expect(await town.said()).toEqual(['coupon.issued', 'coupon.returned not sent'])
    expect(await town.engine.pools()).toEqual(new Map([['trial', { issued: 0, total: 1 }]]))
    expect(await violations(town)).toEqual([])
  })

  it('stays where a message in doubt is sent again, or was sent', async () => {
    const town = await street([offer({ total: 9, budget: undefined }), TELLS, give()], await open(), NEVER_TWICE)
    town.sms.respond('lost_before', 'lost_before')
    await town.take(track('cart', 'u1'), track('cart', 'u2'))
    const [one, other] = await town.engine.parked()
    const note = { by: 'Li', reason: 'asked' }
    await town.engine.resolve(one?.deliveryKey ?? '', 'send again', note)
    await town.engine.resolve(other?.deliveryKey ?? '', 'sent', note)
    await town.engine.settle()

    expect(town.sms.sent).toHaveLength(1)
    expect(await town.said()).toEqual(['coupon.issued', 'coupon.issued'])
    expect(await violations(town)).toEqual([])
  })

  it('goes back after all where the message that was sent again is refused', async () => {
    const town = await street([offer(), TELLS, give()], await open(), NEVER_TWICE)
    town.sms.respond('lost_before', REFUSED)
    await town.take(track('cart', 'u1'))
    const [parked] = await town.engine.parked()
    await town.engine.resolve(parked?.deliveryKey ?? '', 'send again', { by: 'Li', reason: 'asked' })
    await town.engine.settle()

    expect(await town.said()).toEqual(['coupon.issued', 'coupon.returned content'])
    expect(await violations(town)).toEqual([])
  })

  it('stays where a leader was shown it', async () => {
    const tell = { id: 'tell', suggest: { to: 'leader', template: 'hello', expires: '1h' } }
    const town = await street([offer(), TELLS, give([tell])], await open())
    await town.take({ ...group('u1', 'c1'), traits: { leaderId: 'l1' } }, track('cart', 'u1'))
    await town.pass(2 * HOUR)

    expect(await log(town.engine, 'suggestion.')).toEqual(['suggestion.made', 'suggestion.expired'])
    expect(await town.said()).toEqual(['coupon.issued'])
    expect(await violations(town)).toEqual([])
  })

  it('goes back where the suggestion cannot be made', async () => {
    const tell = { id: 'tell', suggest: { to: 'leader', template: 'hello', expires: '1h' } }
    const named = template('hello', '{{ traits.name }}: {{ coupon.code }}')
    const town = await street([offer(), named, give([tell])], await open())
    await town.take({ ...group('u1', 'c1'), traits: { leaderId: 'l1' } }, track('cart', 'u1'))

    expect(await town.said()).toEqual(['coupon.issued', 'coupon.returned template'])
    expect(await violations(town)).toEqual([])
  })
})

describe('an offer whose coupons do not go back', () => {
  it('keeps them issued, whatever became of the message', async () => {
    const town = await street([offer({ returns: 'never' }), TELLS, give()], memoryStore())
    town.sms.respond(REFUSED)
    await town.take(track('cart', 'u1'))

    expect(await town.said()).toEqual(['coupon.issued'])
    expect(await town.engine.pools()).toEqual(new Map([['trial', { issued: 1, total: 1 }]]))
  })
})
