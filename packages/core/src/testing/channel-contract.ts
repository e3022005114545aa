import assert from 'node:assert/strict'
import type { Channel, Outbound, RepeatSafety } from '../ports/channel.js'
import {
  attempt,
  closeQuietly,
  confidential,
  deepFreeze,
  deliver,
  isTaken,
  settlesWithin,
  statusOf,
  withKey,
} from './channel-contract-tools.js'

/** One check. `run` rejects with an `AssertionError` that says which promise was broken. */
export interface ContractCase {
  readonly title: string
  run(): Promise<void>
}

/**
 * How the suite steers the provider behind the channel: a fake server, a stubbed SDK. Give as many as you can. A check
 * whose control is missing is left out, and what it checks is then unproven.
 */
export interface ProviderControls {
  /** The `deliveryKey` of every message the provider took, in any order. A repeat that it dropped counts once. */
  accepted?(): readonly string[] | Promise<readonly string[]>
  /** The next call fails: `before` the provider takes the message, or `after` it took it and its answer was lost. */
  failNext?(when: 'before' | 'after'): void | Promise<void>
  /** The provider refuses the next message for good. */
  refuseNext?(): void | Promise<void>
  /** The provider asks to send the next message later (a rate limit). */
  deferNext?(): void | Promise<void>
  /** The provider never answers the next call. */
  hangNext?(): void | Promise<void>
  /** Resolves once it holds a call that it will never answer; only then is that aborted. Left out: 50 ms after it began. */
  hanging?(): Promise<void>
}

export interface ChannelContractOptions {
  /** Makes the channel under test. Called once for each check; the check closes what it made. */
  create(): Channel | Promise<Channel>
  /** A message the provider takes. Each check sends copies of it under delivery keys of its own. */
  readonly message: Outbound
  /** What the channel must declare as `repeat.kind`. The checks of that promise follow from it. */
  readonly repeat: RepeatSafety['kind']
  readonly provider?: ProviderControls
  /** How soon a call must settle after its signal is aborted, in milliseconds. Default 1,000. */
  readonly settleMs?: number
}

/**
 * The promises of a `Channel` as checks for any test runner.
 *
 * @example
 * describe('my channel keeps the contract', () => {
 *   for (const { title, run } of channelContract({ create, message, repeat: 'none' })) it(title, run)
 * })
 */
export function channelContract(options: ChannelContractOptions): readonly ContractCase[] {
  const { repeat, provider = {} } = options
  const checks: readonly (readonly [title: string, check: Check, applies?: boolean])[] = [
    ['has a name that is not empty and does not change', stableName],
    [`declares that its repeats are "${repeat}"`, declaresRepeat],
    ['answers a valid message with a value', takesAMessage],
    ['leaves the message as it was', mutatesNothing],
    ['gives each of many concurrent calls its own result', concurrentCalls],
    ['settles promptly when the signal was aborted before the call', abortedBefore],
    ['settles promptly when aborted during the call', abortedDuring, provider.hangNext !== undefined],
    ['hands the same key on for a repeat', repeatsOnce, repeat === 'idempotent'],
    ['tells a delivery the provider took from one it did not', looksUp, repeat === 'queryable'],
    ['answers a refusal with a value', refusalIsAValue, provider.refuseNext !== undefined],
    ['answers "later" with a value and an instant to come', deferralIsAValue, provider.deferNext !== undefined],
    ['never denies a message that the provider took', failsAfter, provider.failNext !== undefined],
    ['never claims a message that the provider did not take', failsBefore, provider.failNext !== undefined],
    ['keeps the message and the address out of errors and details', leaksNothing],
    ['can be closed twice', closesTwice],
  ]
  return checks.flatMap(([title, check, applies = true]) =>
    applies ? [{ title, run: () => runCheck(check, options) }] : [],
  )
}

type Check = (channel: Channel, options: ChannelContractOptions) => Promise<void>

async function runCheck(check: Check, options: ChannelContractOptions): Promise<void> {
  const channel = await options.create()
  try {
    await check(channel, options)
  } finally {
    await closeQuietly(channel)
  }
}

/** How often the provider took this message, where it can tell. */
async function expectAccepted(options: ChannelContractOptions, message: Outbound, times: number): Promise<void> {
  const keys = await options.provider?.accepted?.()
  if (keys === undefined) return
  const found = keys.filter((key) => key === message.deliveryKey).length
  assert.equal(found, times, `The provider took delivery key ${message.deliveryKey} ${found} times.`)
}

async function stableName(channel: Channel, options: ChannelContractOptions): Promise<void> {
  const { name } = channel
  assert.equal(typeof name, 'string', 'name must be a string.')
  assert.notEqual(name.trim(), '', 'name must not be empty: rules use it in `send`.')
  await attempt(channel, withKey(options.message))
  assert.equal(channel.name, name, 'name must not change: deliveries in the database refer to it.')
}

async function declaresRepeat(channel: Channel, options: ChannelContractOptions): Promise<void> {
  const { repeat } = channel
  assert.equal(repeat.kind, options.repeat, 'repeat.kind is not what the suite was told.')
  if (repeat.kind === 'idempotent') {
    const { windowMs } = repeat
    assert.ok(Number.isFinite(windowMs) && windowMs > 0, `windowMs must be a positive number, not ${windowMs}.`)
  }
  if (repeat.kind === 'queryable') {
    assert.equal(typeof channel.lookUp, 'function', 'A queryable channel must have lookUp.')
  }
}

async function takesAMessage(channel: Channel, options: ChannelContractOptions): Promise<void> {
  const message = withKey(options.message)
  const result = await deliver(channel, message)
  assert.ok(isTaken(result), `A valid message must be accepted or await a person; the channel said ${result.status}.`)
  if (result.providerId !== undefined) assert.equal(typeof result.providerId, 'string', 'providerId must be a string.')
  await expectAccepted(options, message, 1)
}

async function mutatesNothing(channel: Channel, options: ChannelContractOptions): Promise<void> {
  const message = structuredClone(withKey(options.message))
  const before = structuredClone(message)
  await attempt(channel, message)
  assert.deepEqual(message, before, 'send changed its message; other attempts and the log share that object.')
  await deliver(channel, deepFreeze(structuredClone(withKey(options.message))))
}

async function concurrentCalls(channel: Channel, options: ChannelContractOptions): Promise<void> {
  const messages = Array.from({ length: 20 }, () => withKey(options.message))
  const results = await Promise.all(messages.map((message) => deliver(channel, message)))
  for (const result of results) assert.ok(isTaken(result), `A concurrent call was answered ${result.status}.`)
  const ids = results.flatMap((result) => (isTaken(result) ? [result.providerId] : [])).filter((id) => id !== undefined)
  assert.equal(new Set(ids).size, ids.length, 'Two concurrent calls got the same providerId.')
  for (const message of messages) await expectAccepted(options, message, 1)
}

async function abortedBefore(channel: Channel, options: ChannelContractOptions): Promise<void> {
  const call = attempt(channel, withKey(options.message), { signal: AbortSignal.abort() })
  await settlesWithin(call, options.settleMs ?? 1000, 'send did not settle although its signal was aborted already.')
}

async function abortedDuring(channel: Channel, options: ChannelContractOptions): Promise<void> {
  const { provider = {}, settleMs = 1000 } = options
  await provider.hangNext?.()
  const held = provider.hanging?.()
  const controller = new AbortController()
  const call = attempt(channel, withKey(options.message), { signal: controller.signal })
  if (held !== undefined) await Promise.race([held, call])
  setTimeout(() => controller.abort(), 50)
  const { result } = await settlesWithin(call, 50 + settleMs, 'send did not settle after its signal was aborted.')
  assert.equal(result?.status, undefined, 'The provider never answered: the outcome is unknown, so send must reject.')
}

async function closesTwice(channel: Channel): Promise<void> {
  for (const time of ['first', 'second']) {
    await assert.doesNotReject(async () => channel.close?.(), `The ${time} close rejected.`)
  }
}

async function repeatsOnce(channel: Channel, options: ChannelContractOptions): Promise<void> {
  const message = withKey(options.message)
  for (const number of [1, 2]) {
    const result = await deliver(channel, message, { attempt: number })
    assert.ok(isTaken(result), `Attempt ${number} under the same key was answered ${result.status}.`)
  }
  await expectAccepted(options, message, 1)
}

async function looksUp(channel: Channel, options: ChannelContractOptions): Promise<void> {
  const [sent, unsent] = [withKey(options.message), withKey(options.message)]
  await deliver(channel, sent)
  assert.equal(await statusOf(channel, unsent), 'not_found', 'lookUp must say not_found of a key never sent.')
  const status = await statusOf(channel, sent)
  assert.ok(status === 'accepted' || status === 'awaiting_person', `lookUp says ${status} of an accepted delivery.`)
}

async function refusalIsAValue(channel: Channel, options: ChannelContractOptions): Promise<void> {
  await options.provider?.refuseNext?.()
  const message = withKey(options.message)
  const result = await deliver(channel, message)
  assert.ok(result.status === 'refused', `The provider refused, and the channel said ${result.status}.`)
  const reasons = ['recipient', 'content', 'configuration', 'other']
  assert.ok(reasons.includes(result.reason), `reason must be one of ${reasons.join(', ')}, not ${result.reason}.`)
  await expectAccepted(options, message, 0)
}

async function deferralIsAValue(channel: Channel, options: ChannelContractOptions): Promise<void> {
  await options.provider?.deferNext?.()
  const message = withKey(options.message)
  const at = new Date()
  const result = await deliver(channel, message, { at })
  assert.ok(result.status === 'deferred', `The provider said "later", and the channel said ${result.status}.`)
  const retryAt = result.retryAt instanceof Date ? result.retryAt.getTime() : Number.NaN
  assert.ok(Number.isFinite(retryAt), 'retryAt must be a valid Date.')
  assert.ok(retryAt > at.getTime(), "retryAt must be after the call's own instant, or the engine would spin.")
  await expectAccepted(options, message, 0)
}

async function failsAfter(channel: Channel, options: ChannelContractOptions): Promise<void> {
  await options.provider?.failNext?.('after')
  const message = withKey(options.message)
  const { result } = await attempt(channel, message)
  const claim = result?.status ?? 'rejected'
  assert.ok(
    claim !== 'refused' && claim !== 'deferred',
    `The provider took the message and its answer was lost; "${claim}" claims that it was certainly not sent. Reject.`,
  )
  if (options.repeat === 'none') return
  if (options.repeat === 'queryable') {
    const status = await statusOf(channel, message)
    assert.notEqual(status, 'not_found', 'lookUp says not_found of a message that the provider took.')
    return
  }
  assert.ok(isTaken(await deliver(channel, message, { attempt: 2 })), 'The repeat must be accepted.')
  await expectAccepted(options, message, 1)
}

async function failsBefore(channel: Channel, options: ChannelContractOptions): Promise<void> {
  await options.provider?.failNext?.('before')
  const message = withKey(options.message)
  const { result } = await attempt(channel, message)
  assert.ok(!isTaken(result), 'The provider did not take the message, and the channel said that it did.')
  if (options.repeat === 'queryable') {
    assert.equal(await statusOf(channel, message), 'not_found', 'lookUp must say not_found of a lost request.')
  }
  await expectAccepted(options, message, 0)
}

/** Fails the channel in each way the provider offers, and looks for the message in whatever it says. */
async function leaksNothing(channel: Channel, options: ChannelContractOptions): Promise<void> {
  const provider = options.provider ?? {}
  const failures = [
    () => provider.refuseNext?.(),
    () => provider.deferNext?.(),
    () => provider.failNext?.('before'),
    () => provider.failNext?.('after'),
  ]
  for (const fail of failures) {
    await fail()
    const message = withKey(options.message)
    const { said } = await attempt(channel, message)
    for (const [what, text] of confidential(message)) {
      assert.ok(!said.includes(text), `The ${what} of the message stands in an error or detail, and these go to logs.`)
    }
  }
}
