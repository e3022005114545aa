import { Courier } from './delivery/courier.js'
import { Dispatcher } from './delivery/dispatcher.js'
import { Drafts } from './delivery/drafts.js'
import type { Providers } from './delivery/providers.js'
import { Rates } from './delivery/rates.js'
import { Release } from './delivery/release.js'
import type { EngineOptions } from './door.js'
import { randomCode } from './offers/issue.js'
import { forgetting } from './operations/retention.js'
import { byPortions } from './poison.js'
import type { Clock } from './ports/clock.js'
import type { Queue } from './ports/queue.js'
import type { Store } from './ports/store.js'
import { InProcessQueue, type Work } from './queue/in-process.js'
import type { OpenedRedis } from './queue/redis.js'
import { SharedQueue } from './queue/shared.js'
import { advanceDue, MOST_DUE } from './subjects/due-subjects.js'
import type { Programs } from './subjects/programs.js'
import { advanceRelated, MOST_WORDS } from './subjects/related-subjects.js'
import type { Sweep } from './subjects/sweep.js'

/** Nearly every event wakes all work, and few bring about any but deliveries: the rest does not look each time. */
const REST_MS = 10

/** What an engine's background work is made of. */
export interface BackgroundParts {
  readonly options: EngineOptions
  readonly programs: Programs
  readonly providers: Providers
  readonly store: Store
  readonly clock: Clock
  readonly sweep: Sweep
  /** Left out: the work is shared by way of the database alone. */
  readonly redis: OpenedRedis | undefined
  readonly onError: (error: unknown) => void
}

export interface Background {
  readonly queue: Queue
  /** Resolves when no text is being written: no pass waits for it, and so the end of the queue does not either. */
  readonly idle: () => Promise<void>
}

/** What an engine does by itself, in the order in which it is done, and who does it: this process, or all that share a Redis. */
export function openBackground(parts: BackgroundParts): Background {
  const { options, programs, providers, store, clock, redis, onError } = parts
  const { makeCode = randomCode, callTimeoutMs = 20_000, unsubscribe } = options
  const rates = new Rates({ store, clock, channels: providers.lines })
  const delivering = { store, rates, programs, ...providers, clock, makeCode, unsubscribe, callTimeoutMs }
  let queue: Queue | undefined
  const drafts = new Drafts({ ...delivering, copywriter: options.copywriter, onWritten: () => queue?.wake(), onError })
  const dispatcher = new Dispatcher(delivering, drafts)
  const deliver: Work = {
    name: 'deliveries',
    of: ['delivery'],
    pass: (hurried) => dispatcher.dispatch(hurried),
    lanes: lanesOf(store),
  }
  const [advance, tidy] = [advancing(parts), tidying(parts)]
  const local = new InProcessQueue({ store, clock, work: [...advance, deliver, ...tidy], onError })
  const idle = () => drafts.idle()
  queue = local
  if (redis === undefined) return { queue, idle }
  const courier = new Courier(delivering)
  const work = [...advance, ...tidy]
  const shared = { local, store, clock, work, channels: providers.lines, dispatcher, courier, rates, onError }
  queue = new SharedQueue({ ...redis, ...shared })
  return { queue, idle }
}

/** While what became of one batch is written down, the next one is on its way: where the database does several things at once. */
function lanesOf({ concurrency }: Store): number {
  return Math.min(2, concurrency)
}

function advancing({ store, programs, clock }: BackgroundParts): readonly Work[] {
  const release = new Release(store, programs, clock)
  return [
    {
      name: 'inbox',
      of: ['inbox'],
      restMs: REST_MS,
      pass: () => byPortions(MOST_WORDS, (some) => store.transaction((tx) => advanceRelated(tx, programs, some))),
    },
    {
      name: 'due',
      of: ['subject', 'baseline'],
      restMs: REST_MS,
      pass: () =>
        byPortions(MOST_DUE, (some) => store.transaction((tx) => advanceDue(tx, programs, clock.now(), some))),
    },
    { name: 'release', isPending: () => release.isPending, pass: () => release.pass() },
  ]
}

function tidying({ options, store, programs, clock, sweep }: BackgroundParts): readonly Work[] {
  return [
    { name: 'sweep', isPending: () => sweep.isPending, pass: (hurried) => sweep.pass(hurried) },
    ...forgetting(options.retention ?? {}, programs, store, clock),
  ]
}
