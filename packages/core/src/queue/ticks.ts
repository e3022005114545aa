import { setTimeout as sleep } from 'node:timers/promises'
import type { Queue as BullQueue, Worker } from 'bullmq'
import { type Bullmq, openQueue, openWorker } from './bullmq.js'
import { type InProcessOptions, type Work, waitFor } from './in-process.js'

/** How often each kind of work is looked after, by whichever process is free. */
const TICK_MS = 500
const QUEUE = 'work'

/** Has work that comes by the clock shared by all processes: a tick of each kind goes to one that is free. */
export class Ticks {
  private readonly queue: BullQueue
  private worker: Worker | undefined
  private readonly underWay = new Set<string>()
  private readonly askedAgain = new Set<string>()
  /** Turns that no tick asked for. */
  private readonly own = new Set<Promise<void>>()
  private waking: Promise<unknown> | undefined
  private isAwaited = false

  constructor(
    private readonly bullmq: Bullmq,
    private readonly work: readonly Work[],
    private readonly due: Pick<InProcessOptions, 'store' | 'clock'>,
  ) {
    this.queue = openQueue(bullmq, QUEUE)
  }

  /** Has Redis tick. Safe to repeat. */
  async schedule(): Promise<void> {
    for (const { name } of this.work) await this.queue.upsertJobScheduler(name, { every: TICK_MS }, { name })
  }

  /** Takes ticks from now on. */
  start(): void {
    this.worker = openWorker(this.bullmq, QUEUE, ({ name }) => this.turn(name), { concurrency: this.work.length })
  }

  /** Has everything looked after now: by this process where it takes ticks, else by whoever is free. */
  wake(): void {
    if (this.worker !== undefined) return this.takeTurns()
    this.isAwaited = true
    this.waking ??= this.sendWord().finally(() => {
      this.waking = undefined
    })
  }

  /** Of what is asked for meanwhile, once more. */
  private takeTurns(): void {
    for (const { name, of } of this.work) {
      if (of === undefined || this.isStopping) continue
      const turn = this.turn(name)
        .catch(this.bullmq.onError)
        .finally(() => this.own.delete(turn))
      this.own.add(turn)
    }
  }

  private async sendWord(): Promise<void> {
    const jobs = this.work
      .filter(({ of }) => of !== undefined)
      .map(({ name }) => ({ name, data: {}, opts: { deduplication: { id: name, keepLastIfActive: true } } }))
    while (this.isAwaited) {
      this.isAwaited = false
      // Without Redis the next tick, or who does without it, comes by.
      await this.queue.addBulk(jobs).catch(() => undefined)
    }
  }

  /** Does one kind of work until nothing is left of it. Whoever comes meanwhile only has it looked at once more. */
  private async turn(name: string): Promise<void> {
    const work = this.work.find((one) => one.name === name)
    if (work === undefined) return
    this.askedAgain.add(name)
    if (this.underWay.has(name)) return
    this.underWay.add(name)
    let done = 0
    try {
      while (this.askedAgain.delete(name)) {
        const before = done
        for (let last = 1; last > 0 && !this.isStopping; done += last) {
          last = (await waitFor(work, this.due)) <= 0 ? await work.pass(false) : 0
        }
        const { restMs = 0 } = work
        if (done === before && restMs > 0 && !this.isStopping) await sleep(restMs)
      }
    } finally {
      this.underWay.delete(name)
    }
    if (done > 0 && !this.isStopping) this.wake()
  }

  private get isStopping(): boolean {
    return this.worker?.closing !== undefined
  }

  /** Takes no more ticks, and waits for the turns under way. */
  async close(): Promise<void> {
    await this.worker?.close()
    await Promise.all(this.own)
    await this.waking
    await this.queue.close()
  }
}
