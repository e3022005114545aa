import type { Channel, Outbound, Recipient, SendContext, SendResult } from '@linli/core'
import { startDeadline } from '../../http/deadline.js'
import { deferred } from '../../http/deferral.js'
import { optionInvalid, outcomeUnknown } from '../../http/errors.js'
import { requireSecret, requireText, type Secret } from '../../http/secret.js'
import { ADAPTER, addressOf, mailOf, requireMailOptions, type UnsubscribeLinks } from './message.js'
import { MailComposer, type SmtpConnectionOptions } from './nodemailer.js'
import { deliver, type SmtpOutcome, type SmtpStage } from './smtp.js'

export interface SmtpOptions {
  readonly host: string
  /** Default 465, and 587 with `starttls`. */
  readonly port?: number
  /**
   * `implicit` (default): TLS from the first byte. `starttls`: it is asked for, and a server without it is left. `none`:
   * DANGEROUS, password and messages travel in clear; for a server on this machine.
   */
  readonly tls?: 'implicit' | 'starttls' | 'none'
  /** Left out: it takes messages from whoever may connect. */
  readonly user?: string
  readonly password?: string | Secret
  /** A certificate authority to trust instead of the usual ones, in PEM. */
  readonly ca?: string
}

export interface EmailOptions {
  readonly smtp: SmtpOptions
  /** Whose mail it is: `{ name: '邻里生鲜', address: 'hello@shop.example.com' }`. */
  readonly from: { readonly name?: string; readonly address: string }
  readonly replyTo?: string
  /** Where people say that they want no more. Promotions to users are refused without it. */
  readonly unsubscribe?: UnsubscribeLinks
  /**
   * Makes the HTML of a message, which is sent beside its text. Whatever people may have written must go through
   * `escapeHtml`: `({ content }) => '<p>' + escapeHtml(content.body) + '</p>'`. Default: text alone.
   */
  readonly html?: (message: Outbound) => string
  /** The channel's name in rules. Default `email`. */
  readonly name?: string
  /** The address. Default: the trait `email`. */
  readonly address?: (to: Recipient) => unknown
  /** How many messages the server takes. Default: as many as there are. */
  readonly rate?: { readonly max: number; readonly perMs: number }
  /** The longest one message may take, in milliseconds. Default 20,000. */
  readonly timeoutMs?: number
}

/**
 * E-mail by SMTP. A template's `title` is the subject and its `body` the text. Messages that are no service have a
 * `List-Unsubscribe` of one click (RFC 8058), and each has a `Message-ID` that follows from its delivery key.
 *
 * A message of unknown outcome is never repeated: SMTP knows no key that would make it harmless.
 *
 * @throws {AdapterError} `email.option_invalid`
 */
export function emailChannel(options: EmailOptions): Channel {
  const { name = ADAPTER, timeoutMs = 20_000, replyTo, unsubscribe, html, rate } = options
  const address = options.address ?? ((to: Recipient) => to.traits['email'])
  const from = { name: options.from.name ?? '', address: addressOf(options.from.address) ?? '' }
  const mailOptions = { from, replyTo, unsubscribe, html }
  requireText(ADAPTER, 'name', name, 'the name that rules use')
  requireMailOptions(mailOptions)
  const server = serverOf(options.smtp, timeoutMs)
  return {
    name,
    repeat: { kind: 'none' },
    ...(rate !== undefined && { rate }),
    async send(message, context) {
      const to = addressOf(address(message.to))
      if (to === undefined) {
        return { status: 'refused', reason: 'recipient', detail: `${ADAPTER}.no_address: no e-mail address` }
      }
      const made = mailOf(message, to, context.at, mailOptions)
      if ('refused' in made) return made.refused
      const content = await new MailComposer(made.mail).compile().build()
      const envelope = { from: from.address, to: [to], size: content.length }
      const deadline = startDeadline(context.signal, timeoutMs)
      const session = {
        options: server.options,
        auth: server.auth(),
        envelope,
        message: content,
        signal: deadline.signal,
      }
      const outcome = await deliver(session).finally(deadline.clear)
      return resultOf(outcome, context, made.mail.messageId)
    },
  }
}

function serverOf(smtp: SmtpOptions, timeoutMs: number) {
  const { host, tls = 'implicit', user, password, ca } = smtp
  const port = smtp.port ?? (tls === 'implicit' ? 465 : 587)
  requireText(ADAPTER, 'smtp.host', host, 'the name of the server')
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw optionInvalid(ADAPTER, 'smtp.port', String(port), 'a whole number from 1 to 65,535')
  }
  if ((user === undefined) !== (password === undefined)) {
    throw optionInvalid(
      ADAPTER,
      'smtp.user',
      'without its other half',
      'given together with smtp.password, or not at all',
    )
  }
  const secret = password === undefined ? undefined : requireSecret(ADAPTER, 'smtp.password', password, 'the password')
  const options: SmtpConnectionOptions = {
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    tls: { ...(ca !== undefined && { ca }) },
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    logger: false,
  }
  const auth = () => (user === undefined || secret === undefined ? undefined : { user, pass: secret.reveal() })
  return { options, auth }
}

/** Servers that make strangers wait (greylisting) want a minute or more. */
const LEAST_MS = 60_000

/** @throws {AdapterError} `email.outcome_unknown` */
function resultOf(outcome: SmtpOutcome, context: SendContext, messageId: string): SendResult {
  switch (outcome.kind) {
    case 'taken':
      return { status: 'accepted', providerId: messageId.slice(1, -1) }
    case 'unknown':
      throw outcomeUnknown(ADAPTER, outcome.code)
    case 'not_sent':
      return deferred(context, `${ADAPTER}.not_sent: ${outcome.code}`)
    case 'refused': {
      const { stage, reply, status } = outcome
      const detail = `${ADAPTER}.smtp: ${stage} ${reply}${status === undefined ? '' : ` ${status}`}`
      if (reply < 500) return deferred(context, detail, { leastMs: LEAST_MS })
      return { status: 'refused', reason: reasonOf(stage, status), detail }
    }
  }
}

function reasonOf(stage: SmtpStage, status: string | undefined) {
  if (stage === 'content') return 'content'
  // 5.7.x at a recipient: not that there is nobody, but that this sender may not write there (RFC 3463).
  return stage === 'recipient' && !status?.startsWith('5.7.') ? 'recipient' : 'configuration'
}
