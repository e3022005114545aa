import { fileURLToPath } from 'node:url'
import {
  type Decision,
  type Delivery,
  definePack,
  type Explained,
  type IncomingEvent,
  loadPack,
  type Outbound,
  type Pack,
} from '@linli/core'
import {
  type CreateWorldOptions,
  createWorld,
  type MemoryChannel,
  memoryChannel,
  type World,
} from '@linli/core/testing'
import { definitionsOf } from '@linli/rules'
import { BEGIN, END, HOUR_MS, LAUNCH, MORNING_AFTER } from './calendar.js'
import { makeLaunch, makeMonth, makeTrials } from './month.js'
import { makeNeighbours, type Neighbour } from './neighbours.js'
import { type Random, seededRandom } from './random.js'

export const TAG = 'organic-veg-never-fruit'
export const TRIAL = 'new-fruit-trial'
/** How many trial coupons there are: fewer than people who would get one. */
const TRIAL_COUPONS = 12

/** What happened on the estate: all that the report is made of. */
export interface Story {
  readonly neighbours: readonly Neighbour[]
  readonly events: readonly IncomingEvent[]
  readonly decisions: readonly Decision[]
  readonly deliveries: readonly Delivery[]
  readonly trialCoupons: { readonly issued: number; readonly total: number }
  /** What left by the mini program and by SMS. */
  readonly sent: readonly Outbound[]
  /** Why one of those whom the push reached had the tag when the fruit was announced. */
  readonly explained: Explained
}

export interface StoryOptions {
  readonly seed: number
  /** Left out: plain memory. `'memory'`: embedded PostgreSQL. */
  readonly database?: NonNullable<CreateWorldOptions['database']>
  /** Told how many events the engine has taken in, and what time it is in the story. */
  readonly onProgress?: (taken: number, at: number) => void
}

/** Lives through the month: the real engine and the ready pack, on a clock that is moved by hand. */
export async function liveThroughMonth({ seed, database, onProgress }: StoryOptions): Promise<Story> {
  const random = seededRandom(seed)
  const neighbours = makeNeighbours(random)
  const channels = [miniProgram(), memoryChannel({ name: 'sms' })]
  const rules = await readyPack()
  const world = await createWorld({ rules, now: BEGIN, channels, ...(database !== undefined && { database }) })
  try {
    const events = await play(world, neighbours, random, onProgress)
    const sent = channels.flatMap((channel) => channel.sent)
    return { neighbours, events, sent, ...(await look(world, neighbours)) }
  } finally {
    await world.close()
  }
}

/** Plays the month up to the launch, the launch, and what follows it; gives all events. */
async function play(
  world: World,
  neighbours: readonly Neighbour[],
  random: Random,
  onProgress: StoryOptions['onProgress'],
): Promise<readonly IncomingEvent[]> {
  const taken: IncomingEvent[] = []
  const progress = (more: number) => onProgress?.(taken.length + more, world.clock.now())
  const takeIn = async (events: readonly IncomingEvent[]) => {
    // The shop uploads what happened once an hour.
    await world.play(events, { everyMs: HOUR_MS, onProgress: progress })
    taken.push(...events)
  }
  const month = makeMonth(neighbours, random)
  await takeIn(month.filter(({ timestamp }) => Number(timestamp) < LAUNCH))
  await world.advanceTo(LAUNCH)
  const launch = makeLaunch(neighbours)
  await world.ingest(...launch)
  taken.push(...launch)
  await world.advanceTo(MORNING_AFTER)
  const trials = makeTrials(reachedBy(await world.decisions(), neighbours), random)
  const rest = [...month.filter(({ timestamp }) => Number(timestamp) >= LAUNCH), ...trials]
  await takeIn(rest.sort((a, b) => Number(a.timestamp) - Number(b.timestamp)))
  await world.advanceTo(END)
  return taken
}

/** What the engine has to say when the month is over. */
async function look({ engine }: World, neighbours: readonly Neighbour[]) {
  const decisions = await engine.decisions()
  const [someone] = reachedBy(decisions, neighbours)
  return {
    decisions,
    deliveries: await engine.deliveries(),
    trialCoupons: (await engine.pools()).get('fruit-trial') ?? { issued: 0, total: 0 },
    explained: await engine.explain({ subject: ['user', someone?.id ?? ''], rule: TAG, at: LAUNCH }),
  }
}

/** Those to whom the push about the new fruit went out. */
function reachedBy(decisions: readonly Decision[], neighbours: readonly Neighbour[]): readonly Neighbour[] {
  const accepted = decisions.filter((one) => one.decision === 'message.accepted' && one['template'] === 'fruit-trial')
  const reached = new Set(accepted.map(({ subject }) => subject))
  return neighbours.filter(({ id }) => reached.has(`user:${id}`))
}

/** The pack that comes with linli, with a smaller budget: three communities are not a city. */
export async function readyPack(): Promise<Pack> {
  const folder = new URL('packs/community-group-buying', import.meta.resolve('@linli/rules/package.json'))
  const definitions = definitionsOf(await loadPack(fileURLToPath(folder)))
  const isTrial = (one: (typeof definitions)[number]) => one.kind === 'offer' && one.id === 'fruit-trial'
  return definePack(definitions.map((one) => (isTrial(one) ? { ...one, total: TRIAL_COUPONS } : one)))
}

/** Stands in for WeChat: those who do not follow the mini program cannot be reached by it. */
function miniProgram(): MemoryChannel {
  return memoryChannel({
    name: 'wechat-miniprogram',
    outcome: ({ to }) =>
      to.traits['openid'] === undefined ? { status: 'refused', reason: 'recipient' } : { status: 'accepted' },
  })
}
