import type { Engine } from '@linli/core'
import { CallbackCrypt, type CallbackKeys, NotVerified } from '../../wechat/crypt.js'
import { fieldOf, readXml } from '../../wechat/xml.js'
import { BodyTooLarge, readBody, type WebHandler } from '../http/handler.js'
import { callbackOf, eventsOf, type WecomCallback } from './callbacks.js'
import type { WecomGroups } from './groups.js'

export interface WecomSourceOptions {
  readonly engine: Pick<Engine, 'ingest'>
  /** Token and EncodingAESKey of the application's 接收消息, and the corp's id. */
  readonly keys: CallbackKeys
  /**
   * Told of every callback before its events are taken in: greet a new customer here, within 20 seconds, or ask for a group's
   * members. What it fails by is told to `onError`, and the events are taken in all the same.
   */
  readonly onCallback?: (callback: WecomCallback) => unknown
  /** Has the members of groups who join and leave become events: `wecomGroups`. */
  readonly groups?: Pick<WecomGroups, 'changed'>
  /** Default: nothing. */
  readonly onError?: (error: unknown) => void
}

const MOST_BYTES = 256 * 1024

/**
 * Takes the callbacks of a WeCom application (接收消息服务器配置), and answers the check of its address. A new customer becomes
 * `contact_added`, a lost one `contact_lost`, one of whom a member changed the notes `contact_edited`, each of whoever has the identifier `externalUserId`; list it in the
 * engine's `identifiers`. A callback that WeCom sends again changes nothing.
 *
 * Answers 200 when the events are durable, 401 to what is not WeCom's, and 503 where they cannot be taken in: WeCom sends again.
 *
 * @example
 * app.all('/wecom', (c) => wecom(c.req.raw)) // Hono
 */
export function wecomSource(options: WecomSourceOptions): WebHandler {
  const { engine, keys, onError = () => undefined } = options
  const crypt = new CallbackCrypt(keys)
  return async (request) => {
    const { searchParams } = new URL(request.url)
    const query = (name: string) => searchParams.get(name) ?? ''
    const open = (encrypted: string) =>
      crypt.open(query('msg_signature'), query('timestamp'), query('nonce'), encrypted)
    try {
      if (request.method === 'GET') return new Response(open(query('echostr')))
      if (request.method !== 'POST') return new Response(null, { status: 405, headers: { allow: 'GET, POST' } })
      const outer = readXml((await readBody(request, MOST_BYTES)).toString('utf8'))
      const xml = open((outer && fieldOf(outer, 'Encrypt')) ?? '')
      const fields = readXml(xml)
      const callback = fields && callbackOf(fields, xml)
      if (callback === undefined) return new Response(null)
      const told = Promise.resolve(callback).then(options.onCallback).catch(onError)
      options.groups?.changed(callback)
      const events = eventsOf(callback, xml)
      if (events.length > 0) await engine.ingest(events)
      await told
      return new Response(null)
    } catch (error) {
      if (error instanceof NotVerified) return new Response(null, { status: 401 })
      if (error instanceof BodyTooLarge) return new Response(null, { status: 413 })
      onError(error)
      return new Response(null, { status: 503 })
    }
  }
}
