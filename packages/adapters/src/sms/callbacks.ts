import type { Engine, IncomingEvent, Receipt } from '@linli/core'
import { AdapterError, optionInvalid } from '../http/errors.js'
import { parseJson } from '../http/json.js'
import { isKey } from '../http/keys.js'
import { requireSecret, requireText, type Secret } from '../http/secret.js'
import { BodyTooLarge, readBody, type WebHandler } from '../sources/http/handler.js'
import { isEarly } from '../sources/http/receipts.js'
import { reply } from '../sources/http/replies.js'
import { type OptOutOptions, refusalTest, type SmsReply, withdrawalsOf } from './opt-out.js'

export interface SmsCallbackOptions {
  readonly engine: Pick<Engine, 'receive' | 'ingest'>
  /**
   * A random text of 16 characters or more. The provider signs nothing, so the address that you tell it must hold this: as
   * its last part (`…/sms/SECRET`), or as `?key=SECRET`.
   */
  readonly secret: string | Secret
  /** The channel's name in rules. Default: the provider's usual one. */
  readonly channel?: string
  /** Which answers withdraw consent, and to what. `false`: none do. */
  readonly optOut?: OptOutOptions | false
  /** Told of what could not be taken in. Default: nothing. */
  readonly onError?: (error: unknown) => void
}

/** What a provider posted. */
export interface Heard {
  readonly receipts: readonly Receipt[]
  readonly replies: readonly SmsReply[]
}

/** How one provider speaks. */
export interface SmsDialect {
  readonly adapter: string
  /** Undefined where the body is nothing that the provider posts. `channel` is whose messages are reported. */
  readonly hear: (body: unknown, channel: string) => Heard | undefined
  /** The body of an answer that says: taken, or not. */
  readonly answer: (isTaken: boolean) => unknown
}

const MOST_BYTES = 1024 * 1024
const SHORTEST_SECRET = 16

/** @throws {AdapterError} `….option_invalid` */
export function smsCallbacks({ adapter, hear, answer }: SmsDialect, options: SmsCallbackOptions): WebHandler {
  const { channel = adapter, onError = () => undefined } = options
  const secret = requireSecret(adapter, 'secret', options.secret, `${SHORTEST_SECRET} random characters or more`)
  if (secret.reveal().length < SHORTEST_SECRET) {
    throw optionInvalid(adapter, 'secret', 'too short', `${SHORTEST_SECRET} random characters or more`)
  }
  requireText(adapter, 'channel', channel, 'the name that rules use')
  const key = Buffer.from(secret.reveal())
  const take = taker(adapter, { ...options, channel, onError })
  return async (request) => {
    if (request.method !== 'POST') return reply(405, answer(false), { allow: 'POST' })
    if (!isLetIn(new URL(request.url), key)) return reply(401, answer(false))
    try {
      const heard = hear(parseJson((await readBody(request, MOST_BYTES)).toString('utf8')), channel)
      if (heard === undefined) return reply(400, answer(false))
      return (await take(heard)) ? reply(200, answer(true)) : reply(503, answer(false))
    } catch (error) {
      if (error instanceof BodyTooLarge) return reply(413, answer(false))
      onError(error)
      return reply(503, answer(false))
    }
  }
}

function isLetIn({ pathname, searchParams }: URL, key: Buffer): boolean {
  const last = decoded(pathname.slice(pathname.lastIndexOf('/') + 1))
  // Both are looked at, so that the time tells nothing of which it was.
  const [inQuery, inPath] = [isKey(searchParams.get('key') ?? '', key), isKey(last, key)]
  return inQuery || inPath
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return ''
  }
}

/** Hands over what was heard. False: the provider should post it again. */
function taker(
  adapter: string,
  {
    engine,
    channel,
    optOut = {},
    onError,
  }: SmsCallbackOptions & Required<Pick<SmsCallbackOptions, 'channel' | 'onError'>>,
): (heard: Heard) => Promise<boolean> {
  const isRefusal = optOut === false ? () => false : refusalTest(optOut.words)
  const withdraw = async (one: SmsReply) => {
    const events = optOut === false ? [] : await withdrawalsOf(adapter, one, channel, optOut)
    for (const code of await ingestAnyway(engine, events)) {
      onError(new AdapterError(`${adapter}.opt_out_refused`, `An opt-out was refused: ${code}.`, code))
    }
  }
  return async ({ receipts, replies }) => {
    // First who wants no more of it: nothing may be sent to them by what a receipt sets in motion.
    for (const one of replies) if (isRefusal(one.text)) await withdraw(one)
    if (receipts.length === 0) return true
    return !isEarly(await engine.receive(receipts))
  }
}

/**
 * Takes events in; those whose time is refused, as of now: a refusal holds whatever the provider's clock says. Gives the codes
 * of those that were refused.
 */
async function ingestAnyway(
  engine: Pick<Engine, 'ingest'>,
  events: readonly IncomingEvent[],
): Promise<readonly string[]> {
  if (events.length === 0) return []
  const { results } = await engine.ingest(events)
  const refused = results.flatMap((result, index) => {
    const event = events[index]
    return result.status === 'rejected' && event !== undefined ? [{ code: result.code, event }] : []
  })
  const ofTime = refused.filter(({ code, event }) => TIME.has(code) && event.timestamp !== undefined)
  const others = refused.filter((one) => !ofTime.includes(one) && one.code !== 'person.erased').map(({ code }) => code)
  return [
    ...others,
    ...(await ingestAnyway(
      engine,
      ofTime.map(({ event: { timestamp: _, ...event } }) => event),
    )),
  ]
}

const TIME: ReadonlySet<string> = new Set(['event.time', 'event.future', 'event.too_old'])
