import type { FailpointPlan } from '../../src/testing/faults/failpoints.js'
import type { Ways } from './orders.js'
import type { Shop, ShopProcess } from './shop.js'

/** A number below another one, by chance. */
export type Picker = (what: string, from: number) => number

/** The processes of a shop in a storm: always so many, and each struck by one blow at a time. */
export class Staff {
  private readonly struck = new Set<ShopProcess>()
  private failed: { readonly error: unknown } | undefined

  constructor(
    private readonly shop: Shop,
    private readonly size: { readonly processes: number; readonly events: number },
    private readonly ways: Ways,
  ) {}

  /** Starts others for those that have ended; they are at work a little later. */
  fill(): void {
    while (this.shop.running.length < this.size.processes) {
      const { started } = this.shop.start(this.size.events, undefined, this.ways)
      started.catch((error: unknown) => {
        this.failed ??= { error }
      })
    }
  }

  /** When all of them are at work. */
  async areStarted(): Promise<void> {
    await Promise.allSettled(this.shop.running.map(({ started }) => started))
    if (this.failed !== undefined) throw this.failed.error
  }

  arm(victim: ShopProcess, plan: FailpointPlan): void {
    this.shop.tell(victim, { plan })
  }

  /** Strikes some of them, which are left alone by all other blows meanwhile. */
  async strike(
    pick: Picker,
    blow: (victim: () => Promise<ShopProcess | undefined>) => Promise<boolean>,
  ): Promise<boolean> {
    const taken: ShopProcess[] = []
    const victim = async () => {
      const free = this.shop.running.filter((one) => !this.struck.has(one))
      const one = free[pick('victim', free.length)]
      if (one === undefined) return undefined
      this.struck.add(one)
      taken.push(one)
      // Some are struck while they start.
      if (pick('early', 8) > 0) await one.started.catch(() => undefined)
      return one
    }
    try {
      return await blow(victim)
    } finally {
      for (const one of taken) this.struck.delete(one)
    }
  }
}
