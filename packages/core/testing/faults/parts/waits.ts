import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { definePack } from '@linli/rules'
import { createEngine } from '../../../src/engine.js'
import type { Clock } from '../../../src/ports/clock.js'
import { systemClock } from '../../../src/queue/clocks.js'
import { openStore } from '../../../src/storage/open.js'
import { journey, send, template, wait } from '../../rules.js'
import { programOf, TestSubject } from '../../subject.js'
import type { Finding } from '../checks.js'
import type { Bench, Outcome } from '../part.js'

// Waits that last so long, whatever calendars and the clocks of processes say.

const SECOND = 1_000
const DAY = 86_400_000
const LASTS: readonly (readonly [text: string, ms: number])[] = [
  ['1s', SECOND],
  ['59s', 59 * SECOND],
  ['1h', DAY / 24],
  ['25h', (25 * DAY) / 24],
  ['30d', 30 * DAY],
  ['365d', 365 * DAY],
  ['400d', 400 * DAY],
]
/** About a leap day, the ends of years, and where a signed 32-bit number of seconds ends. */
const BEGINS = ['2028-02-28T23:59:59Z', '2028-02-29T12:00:00Z', '2027-12-31T23:59:59Z', '2038-01-19T03:14:07Z']
/** In Shanghai a month has a 29th, or it has none and is passed over. */
const ON_THE_29TH = 'FREQ=MONTHLY;BYMONTHDAY=29;BYHOUR=9;BYMINUTE=0'

/** Waits from a second to 400 days end at their instant, also when nobody looks before. */
export function tryWaits(): Outcome {
  const findings: Finding[] = []
  let waits = 0
  for (const [text, ms] of LASTS) {
    const program = programOf(journey('one', [wait('a-while', text)]))
    for (const begin of BEGINS) {
      const one = new TestSubject(program)
      const at = Date.parse(begin)
      one.event('cart', at)
      one.instant(at + ms - 1)
      const early = exits(one).length
      one.instant(at + ms + DAY)
      waits += 1
      if (early === 0 && exits(one).join() === String(at + ms)) continue
      findings.push({ promise: 'a wait ends at its instant', found: `${text} from ${begin}: ${early}, ${exits(one)}` })
    }
  }
  return { did: { waits }, findings: [...findings, ...tryLeapDay()] }
}

function exits(one: TestSubject): readonly number[] {
  return one.decisions.filter(({ decision }) => decision === 'journey.exited').map(({ at }) => at)
}

function tryLeapDay(): readonly Finding[] {
  const entry = { on: 'schedule', schedule: ON_THE_29TH }
  const one = new TestSubject(programOf(journey('monthly', [wait('a-while', '1m')], { entry, reentry: 'always' })))
  one.identify('2027-01-01T00:00:00Z', { timeZone: 'Asia/Shanghai' })
  one.instant('2028-03-15T00:00:00Z')
  const entered = one.decisions.filter(({ decision }) => decision === 'journey.entered').map(({ at }) => at)
  const months = [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]
  const expected = months.map((month) => Date.UTC(2027, month, 29, 1))
  return entered.join() === expected.join()
    ? []
    : [{ promise: 'a leap day is a day', found: entered.map((at) => new Date(at).toISOString()).join() }]
}

const HOUR = 3_600_000
const PEOPLE = 200
const WAIT_MS = 2_000
/** How long after its instant a wait may end on a busy machine. */
const LATE_MS = 10_000

/** Workers whose clocks are an hour fast and an hour slow: the database's decides. */
export async function trySkew(bench: Bench): Promise<Outcome> {
  const { url: database } = await bench.postgres()
  const schema = `skew_${randomBytes(6).toString('hex')}`
  const called = new Map<string, number[]>()
  const sms = {
    name: 'sms',
    repeat: { kind: 'none' as const },
    send: async ({ to }: { readonly to: { readonly id: string } }) => {
      called.set(to.id, [...(called.get(to.id) ?? []), Date.now()])
      return { status: 'accepted' as const }
    },
  }
  const rules = definePack([template('hello'), journey('remind', [wait('a-moment', '2s'), send('push')])])
  const open = async (ms: number) => {
    const store = await openStore(database, { schema, clock: 'database' })
    return createEngine({ rules, database: store, channels: [sms], clock: skewed(ms) })
  }
  const engines = [await open(HOUR), await open(-HOUR)]
  const people = Array.from({ length: bench.share(PEOPLE) }, (_, index) => `u${index}`)
  const began = new Map<string, readonly [from: number, until: number]>()
  try {
    for (const engine of engines) engine.start()
    for (const [index, userId] of people.entries()) {
      const from = Date.now()
      await engines[index % 2]?.ingest([{ event: 'cart', userId, messageId: `c-${userId}` }])
      began.set(userId, [from, Date.now()])
    }
    const giveUpAt = performance.now() + WAIT_MS + 2 * LATE_MS
    while (called.size < people.length && performance.now() < giveUpAt) await sleep(50)
  } finally {
    for (const engine of engines) await engine.close()
  }
  const findings = people.flatMap((userId) => {
    const [from, until] = began.get(userId) ?? [0, 0]
    const times = called.get(userId) ?? []
    const [at = 0] = times
    const isRight = times.length === 1 && at >= from + WAIT_MS && at <= until + WAIT_MS + LATE_MS
    return isRight
      ? []
      : [{ promise: 'clocks of processes end no wait', found: `${userId}: ${times.map((t) => t - from)}` }]
  })
  return { did: { 'waits under skewed clocks': people.length }, findings }
}

function skewed(ms: number): Clock {
  return { ...systemClock, now: () => systemClock.now() + ms }
}
