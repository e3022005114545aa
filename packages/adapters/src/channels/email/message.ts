import { createHash } from 'node:crypto'
import { domainToASCII } from 'node:url'
import type { Outbound, Recipient, UnsubscribeTokens } from '@linli/core'
import { optionInvalid } from '../../http/errors.js'
import { type Refused, unfit } from '../../http/verdicts.js'
import type { Mail, MailAddress, MailHeader } from './nodemailer.js'

/** Begins the codes of errors and details, and is the channel's usual name. */
export const ADAPTER = 'email'

export interface UnsubscribeLinks {
  /** Those of the engine. */
  readonly tokens: Pick<UnsubscribeTokens, 'tokenFor'>
  /** The page's address, up to the token: `https://shop.example.com/unsubscribe?t=`. It must take the POST of one click. */
  readonly page: string
}

export interface MailOptions {
  readonly from: MailAddress
  readonly replyTo?: string | undefined
  readonly unsubscribe?: UnsubscribeLinks | undefined
  readonly html?: ((message: Outbound) => string) | undefined
}

const CONTROL = /\p{Cc}/u
// Narrower than RFC 5321: no quoted names, no comments, no addresses in brackets, no names that need SMTPUTF8.
const LOCAL = /^[\w!#$%&'*+/=?^`{|}~.-]{1,64}$/
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/
const LONGEST_ADDRESS = 254

/** One address that mail is sent to, its domain as the wire has it; undefined where a text is none, or more than one. */
export function addressOf(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined
  const [local = '', domain = '', ...more] = text.trim().split('@')
  const host = domainToASCII(domain)
  const address = `${local}@${host}`
  const isOne = more.length === 0 && LOCAL.test(local) && DOMAIN.test(host) && address.length <= LONGEST_ADDRESS
  return isOne ? address : undefined
}

/** @throws {AdapterError} `email.option_invalid` */
export function requireMailOptions({ from, replyTo, unsubscribe }: MailOptions): void {
  if (addressOf(from.address) === undefined) throw optionInvalid(ADAPTER, 'from.address', 'no address', 'one address')
  if (CONTROL.test(from.name)) throw optionInvalid(ADAPTER, 'from.name', 'not one line', 'one line')
  if (replyTo !== undefined && addressOf(replyTo) === undefined)
    throw optionInvalid(ADAPTER, 'replyTo', 'no address', 'one address')
  const page = unsubscribe?.page
  if (page !== undefined && !/^https:\/\/[^\s<>]+$/.test(page)) {
    throw optionInvalid(ADAPTER, 'unsubscribe.page', 'no address of HTTPS', 'where the page is, up to the token')
  }
}

/** A message as it is to be sent; or why it never can be. */
export function mailOf(
  message: Outbound,
  to: string,
  at: Date,
  options: MailOptions,
): { readonly mail: Mail } | { readonly refused: Refused } {
  const { title, body } = message.content
  if (title === undefined || title.trim() === '') return unfit(`${ADAPTER}.title: an e-mail needs a title`)
  if (CONTROL.test(title)) return unfit(`${ADAPTER}.header: the title is not one line`)
  const link = linkFor(message, message.to, options.unsubscribe)
  if (link === undefined && message.class === 'promotion' && message.to.kind === 'user') {
    const detail = `${ADAPTER}.unsubscribe: a promotion needs the option unsubscribe`
    return { refused: { status: 'refused', reason: 'configuration', detail } }
  }
  const html = htmlOf(message, options.html)
  if (html === null) return unfit(`${ADAPTER}.html: the option html threw`)
  const mail = {
    from: options.from,
    to: { name: '', address: to },
    ...(options.replyTo !== undefined && { replyTo: options.replyTo }),
    subject: title,
    text: body.replace(/\r?\n/g, '\r\n'),
    textEncoding: 'base64',
    ...(html !== undefined && { html }),
    messageId: messageIdFor(message.deliveryKey, options.from.address),
    date: at,
    headers: link === undefined ? [] : oneClick(link),
    disableFileAccess: true,
    disableUrlAccess: true,
  } as const
  return { mail }
}

/** Null where it cannot be made: nothing is sent then, and that is certain. */
function htmlOf(message: Outbound, make: MailOptions['html']): string | undefined | null {
  try {
    return make?.(message)
  } catch {
    return null
  }
}

/** The link that ends messages of this class; undefined where there is none: what is service cannot be refused by it. */
function linkFor(
  { class: messageClass, channel }: Outbound,
  to: Recipient,
  links?: UnsubscribeLinks,
): string | undefined {
  if (links === undefined || messageClass === 'service' || to.kind !== 'user') return undefined
  return links.page + links.tokens.tokenFor({ userId: to.id, channel, class: messageClass })
}

/** RFC 8058: mail programs show a button, and post to the link. */
function oneClick(link: string): readonly MailHeader[] {
  const header = (key: string, value: string) => ({ key, value, prepared: true }) as const
  return [header('List-Unsubscribe', `<${link}>`), header('List-Unsubscribe-Post', 'List-Unsubscribe=One-Click')]
}

/** The same for every attempt of a delivery, so that who gets it twice can tell. */
export function messageIdFor(deliveryKey: string, from: string): string {
  const name = createHash('sha256').update(`linli ${deliveryKey}`).digest('hex').slice(0, 40)
  return `<${name}@${from.slice(from.lastIndexOf('@') + 1)}>`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** A text for HTML: what it says is shown, and does nothing. Use it for every text that goes into the `html` of a message. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign)
}
