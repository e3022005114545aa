import { randomUUID } from 'node:crypto'
import type { Clock } from '../ports/clock.js'
import type { ChannelCalls, Delivery, Store, StoreTransaction } from '../ports/store.js'
import { byChannel } from './by-channel.js'
import { Gatherer } from './gatherer.js'
import { begun, letThrough, type Rate, roomWithin } from './rate.js'
import { type Begun, LONGEST_LEAD_MS, type Slot, slotsOf, UNLIMITED } from './slot.js'

/** How many messages ask together at most. */
const BATCH = 200
/** A message that would wait longer than this for its turn waits in the store. */
const LONGEST_WAIT_MS = 10_000
/** Who found no room asks again after so long, though it may come sooner. */
const SHORTEST_WAIT_MS = 10

export type Claimed = Pick<Delivery, 'key' | 'claim'>

export interface RatesOptions {
  readonly store: Store
  readonly clock: Clock
  /** Channels, and issuers of coupons, by name. */
  readonly channels: ReadonlyMap<string, { readonly name: string; readonly rate?: Rate }>
}

/** What there is for those who asked by one channel. */
interface Turn {
  /** No more than were asked for. */
  readonly slots: readonly Slot[]
  /** In how many milliseconds there may be more. */
  readonly waitMs: number
}

/**
 * Keeps to the rates of channels, whoever calls them and from wherever: what is let through is written down in the store before it
 * may begin, and when it began right after.
 */
export class Rates {
  private readonly rates: ReadonlyMap<string, Rate>
  private readonly asking: ReadonlyMap<string, Gatherer<undefined, Slot | number>>

  constructor(private readonly options: RatesOptions) {
    const rated = [...options.channels.values()].flatMap(({ name, rate }) => (rate ? [[name, rate] as const] : []))
    this.rates = new Map(rated)
    this.asking = new Map(
      rated.map(([name]) => [name, new Gatherer((asked) => this.answer(name, asked.length), BATCH)]),
    )
  }

  /** Whether a channel has a rate. */
  has(channel: string): boolean {
    return this.rates.has(channel)
  }

  /** How many calls by each channel that has a rate may begin within so many milliseconds, more or less: 0 for now. */
  async room(withinMs = 0): Promise<ReadonlyMap<string, number>> {
    if (this.rates.size === 0) return new Map()
    const { store, clock } = this.options
    return store.transaction(async (tx) => {
      const known = new Map((await tx.readCalls([...this.rates.keys()])).map((one) => [one.channel, one]))
      const now = (await tx.now()) ?? clock.now()
      return new Map(
        Array.from(this.rates, ([channel, rate]) => {
          const kept = known.get(channel) ?? { channel, calls: [], freeAt: 0 }
          return [channel, roomWithin(kept, rate, now, withinMs)]
        }),
      )
    })
  }

  /** Lets messages through that there is room for, the first first. The others are due again when there may be more. */
  async admit(claims: readonly Delivery[]): Promise<ReadonlyMap<string, Slot>> {
    const slots = new Map<string, Slot>()
    for (const [channel, messages] of byChannel(claims)) {
      const rate = this.rates.get(channel)
      const turn = rate && (await this.take(channel, rate, messages.length))
      for (const [index, { key }] of messages.entries()) {
        const slot = turn === undefined ? UNLIMITED : turn.slots[index]
        if (slot !== undefined) slots.set(key, slot)
      }
      if (turn !== undefined) await this.handBack(messages.slice(turn.slots.length), turn.waitMs)
    }
    return slots
  }

  /** Waits until a message has its turn. Undefined where that would take too long, or `stopping` came: it is due again. */
  async turnOf(claim: Claimed, channel: string, stopping: AbortSignal): Promise<Slot | undefined> {
    const asking = this.asking.get(channel)
    if (asking === undefined) return UNLIMITED
    for (;;) {
      const answer = await asking.add(undefined)
      if (typeof answer !== 'number') return answer
      if (answer > LONGEST_WAIT_MS || stopping.aborted) {
        await this.handBack([claim], answer)
        return undefined
      }
      await this.options.clock.sleep(answer, stopping)
    }
  }

  private async answer(channel: string, asked: number): Promise<readonly (Slot | number)[]> {
    const { slots, waitMs } = await this.take(channel, this.rates.get(channel) ?? { max: 0, perMs: 0 }, asked)
    return [...slots, ...Array.from({ length: asked - slots.length }, () => waitMs)]
  }

  private take(channel: string, rate: Rate, wanted: number): Promise<Turn> {
    const { clock } = this.options
    const group = randomUUID()
    return this.withCalls(channel, (before, { now, asked }) => {
      const { kept, granted } = letThrough(before, rate, group, wanted, now)
      const settle = ({ count, last }: Begun) =>
        // Both clocks have moved on by the same since: no later than this by the store's.
        this.settle(channel, (calls, at) => begun(calls, rate, group, { count, by: now + last - asked }, at))
      const until = asked + LONGEST_LEAD_MS
      const slots = slotsOf(granted, { until, now: () => clock.now(), settle })
      return { kept, result: { slots, waitMs: Math.max(SHORTEST_WAIT_MS, kept.freeAt - now) } }
    })
  }

  /** Where it is not written down when calls began, they count for as long as they might have. */
  private settle(channel: string, change: (kept: ChannelCalls, now: number) => ChannelCalls): Promise<void> {
    const written = this.withCalls(channel, (kept, { now }) => ({ kept: change(kept, now), result: undefined }))
    return written.catch(() => undefined)
  }

  private withCalls<T>(
    channel: string,
    change: (kept: ChannelCalls, times: Times) => { readonly kept: ChannelCalls; readonly result: T },
  ): Promise<T> {
    const { store, clock } = this.options
    return store.transaction(async (tx) => {
      const [found] = await tx.lockCalls([channel])
      const asked = clock.now()
      const now = (await tx.now()) ?? clock.now()
      const { kept, result } = change(found ?? { channel, calls: [], freeAt: 0 }, { now, asked })
      await tx.saveCalls([kept])
      return result
    })
  }

  private async handBack(claims: readonly Claimed[], waitMs: number): Promise<void> {
    if (claims.length === 0) return
    const { store, clock } = this.options
    await store.transaction(async (tx: StoreTransaction) => {
      const held = (await tx.lockDeliveries(claims)).filter(({ state }) => state === 'reserved' || state === 'unknown')
      const dueAt = ((await tx.now()) ?? clock.now()) + waitMs
      await tx.saveDeliveries(held.map((delivery) => ({ ...delivery, dueAt })))
    })
  }
}

interface Times {
  /** By the store's clock. */
  readonly now: number
  /** By the engine's, no later. */
  readonly asked: number
}
