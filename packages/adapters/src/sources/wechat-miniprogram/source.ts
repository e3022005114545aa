import type { Engine } from '@linli/core'
import { ADAPTER } from '../../channels/wechat-miniprogram/app.js'
import type { ConsentLedger } from '../../channels/wechat-miniprogram/ledger.js'
import { isKey } from '../../http/keys.js'
import { requireText } from '../../http/secret.js'
import { CallbackCrypt, NotVerified, signatureOf } from '../../wechat/crypt.js'
import { textOf } from '../../wechat/results.js'
import { BodyTooLarge, readBody, type WebHandler } from '../http/handler.js'
import { isEarly } from '../http/receipts.js'
import { eventOf, type MiniProgramMessage, messageOf, readBodyText, receiptOf, subscriptionsOf } from './messages.js'

export interface MiniProgramSourceOptions {
  readonly engine: Pick<Engine, 'ingest' | 'receive'>
  /** Token of 消息推送 in the console. */
  readonly token: string
  /**
   * EncodingAESKey, with the mini-program's AppID: messages are encrypted (安全模式, or 兼容模式), and what is not is refused. Left out:
   * they are not (明文模式), and whoever once saw a signature can send what they like. Encrypt.
   */
  readonly encryption?: { readonly encodingAesKey: string; readonly appId: string }
  /** Counts what people allow. Give the one that the channel has. */
  readonly ledger?: ConsentLedger
  /** The channel that the messages are sent by, for their receipts. Default `wechat-miniprogram`. */
  readonly channel?: string
  /** Told of every message, before anything is done with it. What it fails by is told to `onError`. */
  readonly onMessage?: (message: MiniProgramMessage) => unknown
  /** Default: nothing. */
  readonly onError?: (error: unknown) => void
}

const MOST_BYTES = 256 * 1024

/**
 * Takes what a mini-program's server pushes (消息推送), in XML or JSON, and answers the check of its address. Whoever allowed messages
 * of a template, or wants none any more, becomes `subscribe_accepted` or `subscribe_rejected` of whoever has the identifier `openid`,
 * and the ledger counts it; what became of a message is its receipt. What comes again changes nothing.
 *
 * Answers 200 when all of it is durable, 401 to what is not WeChat's, and 503 where it cannot be taken in: WeChat sends again.
 *
 * @throws {AdapterError} `wechat-miniprogram.option_invalid`
 * @example
 * app.all('/wechat', (c) => wechat(c.req.raw)) // Hono
 */
export function miniProgramSource(options: MiniProgramSourceOptions): WebHandler {
  const { token, onError = () => undefined } = options
  requireText(ADAPTER, 'token', token, 'the Token of the console')
  const open = openerOf(options)
  return async (request) => {
    const { searchParams } = new URL(request.url)
    const query = (name: string) => searchParams.get(name) ?? ''
    try {
      if (request.method === 'GET') return checked(token, query)
      if (request.method !== 'POST') return new Response(null, { status: 405, headers: { allow: 'GET, POST' } })
      const text = open((await readBody(request, MOST_BYTES)).toString('utf8'), query)
      const message = messageOf(readBodyText(text) ?? {})
      if (message !== undefined && !(await takeIn(message, options, onError)))
        return new Response(null, { status: 503 })
      return new Response('success')
    } catch (error) {
      if (error instanceof NotVerified) return new Response(null, { status: 401 })
      if (error instanceof BodyTooLarge) return new Response(null, { status: 413 })
      onError(error)
      return new Response(null, { status: 503 })
    }
  }
}

type Query = (name: string) => string

/** The check of an address is signed, and never encrypted. */
function checked(token: string, query: Query): Response {
  requireSignature(token, query)
  return new Response(query('echostr'))
}

function requireSignature(token: string, query: Query): void {
  const right = signatureOf(token, query('timestamp'), query('nonce'))
  if (!isKey(query('signature'), right)) throw new NotVerified(ADAPTER)
}

/** Checks who sent a body, and gives its text. @throws {NotVerified} */
function openerOf({ token, encryption }: MiniProgramSourceOptions): (body: string, query: Query) => string {
  if (encryption === undefined) {
    return (body, query) => {
      requireSignature(token, query)
      return body
    }
  }
  const { encodingAesKey, appId } = encryption
  requireText(ADAPTER, 'encryption.appId', appId, 'the AppID of the console')
  const crypt = new CallbackCrypt({ token, encodingAesKey, receiveId: appId }, ADAPTER)
  return (body, query) =>
    crypt.open(
      query('msg_signature'),
      query('timestamp'),
      query('nonce'),
      textOf(readBodyText(body)?.['Encrypt']) ?? '',
    )
}

/** False: WeChat is to send it again. */
async function takeIn(
  message: MiniProgramMessage,
  { engine, ledger, channel = ADAPTER, onMessage }: MiniProgramSourceOptions,
  onError: (error: unknown) => void,
): Promise<boolean> {
  const told = Promise.resolve(message).then(onMessage).catch(onError)
  const { openid } = message
  const subscriptions = subscriptionsOf(message)
  for (const { templateId, once, says } of subscriptions) {
    if (says.what === 'accepted' && says.scene === 'popup') await ledger?.add({ openid, templateId }, once)
    if (says.what === 'rejected' && says.scene === 'settings') await ledger?.clear({ openid, templateId })
  }
  const events = subscriptions.flatMap((one) => eventOf(message, one))
  if (events.length > 0) await engine.ingest(events)
  const receipts = subscriptions.flatMap((one) => receiptOf(message, one, channel))
  const report = receipts.length > 0 ? await engine.receive(receipts) : undefined
  await told
  return report === undefined || !isEarly(report)
}
