import type { Queue as BullQueue, Job, Worker, WorkerOptions } from 'bullmq'
import type { RedisConnections, RedisPackages } from './redis.js'

/** What queues in Redis have in common. */
export interface Bullmq {
  readonly packages: RedisPackages
  readonly connections: RedisConnections
  readonly onError: (error: unknown) => void
}

/** Nothing is kept of a job: what became of it is in PostgreSQL. */
export const FORGOTTEN = { removeOnComplete: true, removeOnFail: true } as const

export function openQueue({ packages, connections, onError }: Bullmq, name: string): BullQueue {
  const { prefix, commands: connection } = connections
  const streams = { events: { maxLen: 100 } }
  const queue = new packages.bullmq.Queue(name, { connection, prefix, streams, defaultJobOptions: FORGOTTEN })
  queue.on('error', (error) => report(error, onError))
  return queue
}

/** Works off a queue. A job never fails: its text would be kept in Redis, and what it left undone is found in PostgreSQL. */
export function openWorker(
  { packages, connections, onError }: Bullmq,
  name: string,
  work: (job: Job) => Promise<void>,
  options: Pick<WorkerOptions, 'concurrency' | 'limiter'>,
): Worker {
  const { prefix, forWorkers: connection } = connections
  const quietly = (job: Job) => work(job).catch(onError)
  const worker = new packages.bullmq.Worker(name, quietly, { connection, prefix, ...options })
  worker.on('error', (error) => report(error, onError))
  return worker
}

/**
 * That Redis is away is said once, by who watches it; that it has forgotten a job under way is no error here: whoever finds the
 * delivery in PostgreSQL again sees that it was carried out.
 */
function report(error: Error & { readonly code?: unknown }, onError: (error: unknown) => void): void {
  const isAway =
    typeof error.code === 'string' || /connection|stream isn't writeable|max retries|timed out/i.test(error.message)
  const isForgotten = /Missing (key|lock) for job|Lock mismatch/i.test(error.message)
  if (!isAway && !isForgotten) onError(error)
}
