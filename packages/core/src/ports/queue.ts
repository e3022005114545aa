/** Has due work done, in this process or by several together. */
export interface Queue {
  /** Who shares the work out now: Redis, or each process finds it in the database. */
  readonly sharing: 'redis' | 'database'
  /** Does everything that is due now, and what that brings about, in this process. */
  settle(): Promise<void>
  /** Takes part in the work from now on. */
  start(): void
  /** Says that there may be something to do. */
  wake(): void
  /** Takes no more work, and resolves when what is under way has ended. */
  stop(): Promise<void>
}
