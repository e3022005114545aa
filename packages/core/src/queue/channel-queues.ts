import type { Queue as BullQueue, Worker } from 'bullmq'
import { byChannel } from '../delivery/by-channel.js'
import type { Courier, HandedOver } from '../delivery/courier.js'
import type { Dispatcher } from '../delivery/dispatcher.js'
import { isCalled } from '../delivery/options.js'
import type { Rates } from '../delivery/rates.js'
import type { Channel } from '../ports/channel.js'
import type { Delivery } from '../ports/store.js'
import { type Bullmq, openQueue, openWorker } from './bullmq.js'

/** How many messages of one channel a process has under way at most. */
const CALLS_AT_ONCE = 300
/** How many fetch them, side by side: one fetches a message at a time, and what waits to be fetched grows old. */
const FETCHERS = 4
/** How many messages of one channel wait in Redis at most; all others wait in PostgreSQL. */
const LONGEST_QUEUE = 1000
/** Of a channel with a rate, so many milliseconds' worth is handed to workers: less than a claim lasts. */
const RATED_QUEUE_MS = 10_000

/** Whoever has a queue of its own: a channel, or an issuer of coupons. */
export type Line = Pick<Channel, 'name' | 'rate'>

export interface ChannelQueuesOptions {
  readonly channels: ReadonlyMap<string, Line>
  readonly dispatcher: Dispatcher
  readonly courier: Courier
  readonly rates: Rates
  readonly onError: (error: unknown) => void
}

/** A queue for each channel, with the channel's rate, so that a slow one holds up no other. Redis holds ids only. */
export class ChannelQueues {
  private readonly queues: ReadonlyMap<string, BullQueue>
  private workers: readonly Worker[] = []
  private readonly apart = new Set<Promise<void>>()

  constructor(
    private readonly bullmq: Bullmq,
    private readonly options: ChannelQueuesOptions,
  ) {
    this.queues = new Map([...options.channels.keys()].map((name) => [name, openQueue(bullmq, queueName(name))]))
  }

  /** Takes messages from now on. */
  start(): void {
    const { channels, courier } = this.options
    const concurrency = CALLS_AT_ONCE / FETCHERS
    const open = (name: string) =>
      openWorker(this.bullmq, queueName(name), ({ data }) => courier.carry(data as HandedOver, name), { concurrency })
    this.workers = [...channels.keys()].flatMap((name) => Array.from({ length: FETCHERS }, () => open(name)))
  }

  /** Claims what is due and hands messages on to the queues of their channels; does the rest. Gives how many deliveries there were. */
  async relay(): Promise<number> {
    const { dispatcher } = this.options
    const claimed = await dispatcher.claim(await this.room())
    const handed = claimed.filter((one) => this.isForQueue(one))
    const rest = claimed.filter((one) => !this.isForQueue(one))
    this.carryOutApart(rest.filter(({ state }) => state === 'unknown'))
    await dispatcher.carryOut(rest.filter(({ state }) => state !== 'unknown'))
    // A queue that cannot be reached leaves them to this process.
    await this.hand(handed).catch(() => dispatcher.carryOut(handed))
    return claimed.length
  }

  private isForQueue(delivery: Delivery): boolean {
    const { state, body } = delivery
    return isCalled(delivery) && state === 'reserved' && this.queues.has(body.channel ?? '')
  }

  /** Providers that are asked what became of a call may take their time; what is due next does not wait for them. */
  private carryOutApart(doubtful: readonly Delivery[]): void {
    const { dispatcher, onError } = this.options
    const carried = dispatcher
      .carryOut(doubtful)
      .catch(onError)
      .finally(() => this.apart.delete(carried))
    this.apart.add(carried)
  }

  /** What comes first in each queue. */
  async heads(): Promise<readonly string[]> {
    const heads = Array.from(this.queues, async ([name, queue]) => {
      const [first] = await queue.getJobs(['waiting'], 0, 0, true)
      return first?.id === undefined ? [] : [`queue:${name}/${first.id}`]
    })
    return (await Promise.all(heads)).flat()
  }

  /** How many messages each channel's queue has room for. */
  private async room(): Promise<ReadonlyMap<string, number>> {
    const { rates } = this.options
    const rated = await rates.room(RATED_QUEUE_MS)
    const rooms = Array.from(this.queues, async ([name, queue]) => {
      const ahead = rated.get(name)
      if (ahead === undefined) return [name, Math.max(0, LONGEST_QUEUE - (await queue.count()))] as const
      // Those that wait for their turn are with the workers.
      const there = await queue.getJobCountByTypes('waiting', 'active')
      return [name, Math.max(0, Math.min(ahead, LONGEST_QUEUE) - there)] as const
    })
    return new Map(await Promise.all(rooms))
  }

  private async hand(deliveries: readonly Delivery[]): Promise<void> {
    await Promise.all(
      Array.from(byChannel(deliveries), ([channel, messages]) =>
        this.queues.get(channel)?.addBulk(
          messages.map(({ key, claim }) => {
            const data: HandedOver = { key, claim }
            return { name: 'message', data, opts: { jobId: `${key}-${claim}` } }
          }),
        ),
      ),
    )
  }

  /** Takes no more messages, and waits for those under way. */
  async close(): Promise<void> {
    this.options.courier.stop()
    await Promise.all(this.workers.map((worker) => worker.close()))
    await Promise.all(this.apart)
    await Promise.all(Array.from(this.queues.values(), (queue) => queue.close()))
  }
}

/** BullMQ's names have no colons. */
function queueName(channel: string): string {
  return `channel.${encodeURIComponent(channel)}`
}
