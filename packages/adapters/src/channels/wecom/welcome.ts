import { setTimeout as sleep } from 'node:timers/promises'
import type { JsonObject } from '../../http/json.js'
import type { WecomCorp } from './corp.js'

export interface Welcome {
  /** The `welcomeCode` of the callback. It is good for 20 seconds, and once. */
  readonly code: string
  /** When the callback came in. */
  readonly at: Date
  readonly text: string
  /** As WeCom wants them, nine at most: `{ msgtype: 'link', link: { title, url } }`. */
  readonly attachments?: readonly JsonObject[]
}

/**
 * `sent`; `done` where somebody has greeted the customer before; `failed`, with what WeCom said; `late` where 20 seconds were
 * over.
 */
export type Welcomed =
  | { readonly status: 'sent' | 'done' | 'late' }
  | { readonly status: 'failed'; readonly code: string | number }

const GOOD_FOR_MS = 20_000
const PAUSE_MS = 1000
/** Another application is greeting; busy; too many at once. */
const AGAIN = new Set([41096, -1, 45033])
/** They are chatting already, or a welcome was sent. */
const DONE = 41051

/**
 * Greets a new customer (欢迎语), at once and past every queue: call it in the handler of the callback. Nothing is thrown, as
 * a greeting that fails must not lose the event.
 *
 * Wire format: https://developer.work.weixin.qq.com/document/path/92137
 *
 * @example
 * if (event.welcomeCode) await sendWelcome(corp, { code: event.welcomeCode, at: new Date(), text: '欢迎，我是团长王阿姨' })
 */
export async function sendWelcome({ api }: WecomCorp, { code, at, text, attachments }: Welcome): Promise<Welcomed> {
  const body = { welcome_code: code, text: { content: text }, ...(attachments !== undefined && { attachments }) }
  for (let isFirst = true; ; isFirst = false) {
    if (!isFirst) await sleep(PAUSE_MS)
    const leftMs = at.getTime() + GOOD_FOR_MS - Date.now()
    if (leftMs <= 0) return { status: 'late' }
    const signal = AbortSignal.timeout(leftMs)
    const outcome = await api.call({ path: '/cgi-bin/externalcontact/send_welcome_msg', body, signal })
    if (outcome.kind === 'not_sent' && !outcome.isFinal) continue
    // A second call of the same code is harmless: WeCom takes each once.
    if (outcome.kind === 'unknown') continue
    if (outcome.kind === 'not_sent') return { status: 'failed', code: outcome.code }
    const { errcode } = outcome
    if (errcode === 0) return { status: 'sent' }
    if (errcode === DONE) return { status: 'done' }
    if (!AGAIN.has(errcode)) return { status: 'failed', code: errcode }
  }
}
