import { Readable } from 'node:stream'
import { codeOf } from '../../http/request.js'
import { SMTPConnection, type SmtpConnection, type SmtpConnectionOptions, type SmtpEnvelope } from './nodemailer.js'

/** Where in a session of SMTP the server said no. */
export type SmtpStage = 'connect' | 'auth' | 'sender' | 'recipient' | 'content'

/** What is known after a session. */
export type SmtpOutcome =
  /** The server has answered the end of the message with 250: it is the server's now. */
  | { readonly kind: 'taken' }
  /** The server has refused it: `reply` is 4xx or 5xx, `status` its enhanced code such as `5.1.1`. */
  | { readonly kind: 'refused'; readonly stage: SmtpStage; readonly reply: number; readonly status?: string }
  /** Certainly not one byte of the message was sent. */
  | { readonly kind: 'not_sent'; readonly code: string }
  /** The message, or some of it, was sent, and no answer came. */
  | { readonly kind: 'unknown'; readonly code: string }

export interface SmtpSession {
  readonly options: SmtpConnectionOptions
  readonly auth: { readonly user: string; readonly pass: string } | undefined
  readonly envelope: SmtpEnvelope
  readonly message: Buffer
  readonly signal: AbortSignal
}

/**
 * Hands one message to one server, over a connection of its own. Never rejects.
 *
 * Source: RFC 5321; what a server has not answered with 2xx after the end of the message, it has not taken (4.2.5).
 */
export function deliver({ options, auth, envelope, message, signal }: SmtpSession): Promise<SmtpOutcome> {
  return new Promise((resolve) => {
    const connection = new SMTPConnection(options)
    let isSending = false
    let isSettled = false
    const settle = (outcome: SmtpOutcome) => {
      if (isSettled) return
      isSettled = true
      signal.removeEventListener('abort', abort)
      resolve(outcome)
      if (outcome.kind === 'taken' || outcome.kind === 'refused') leave(connection)
      else connection.close()
    }
    const fail = (error: unknown) => settle(outcomeOf(error, isSending))
    const abort = () => fail(signal.reason)
    const send = () => {
      const content = lazily(message, () => {
        isSending = true
      })
      connection.send(envelope, content, (error) => (error ? fail(error) : settle({ kind: 'taken' })))
    }
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    connection.on('error', fail)
    // Whoever ended it may have more to say of why.
    connection.on('end', () => setImmediate(fail, Object.assign(new Error('end'), { code: 'CLOSED' })))
    connection.connect((error) => {
      if (error) return fail(error)
      if (auth === undefined) return send()
      connection.login(auth, (refused) => (refused ? fail(refused) : send()))
    })
  })
}

/** A message that tells when somebody begins to read it. */
function lazily(message: Buffer, onRead: () => void): Readable {
  return new Readable({
    read() {
      onRead()
      this.push(message)
      this.push(null)
    },
  })
}

function leave(connection: SmtpConnection): void {
  try {
    connection.quit()
  } catch {
    connection.close()
  }
}

const STAGES: ReadonlyMap<string, SmtpStage> = new Map<string, SmtpStage>([
  ['AUTH', 'auth'],
  ['MAIL', 'sender'],
  ['RCPT', 'recipient'],
  ['DATA', 'content'],
])

function outcomeOf(error: unknown, isSending: boolean): SmtpOutcome {
  const { command, response, responseCode, code } = factsOf(error)
  const stage = STAGES.get(command.split(' ')[0] ?? '') ?? (isSending ? 'content' : 'connect')
  if (responseCode >= 400 && responseCode < 600) {
    const status = /^\d{3}[ -]([45]\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1]
    return { kind: 'refused', stage, reply: responseCode, ...(status !== undefined && { status }) }
  }
  // Nodemailer itself will not: no way to sign in that both know, a mailbox that the server cannot name, a size it does not take.
  if (code === 'EAUTH') return { kind: 'refused', stage: 'auth', reply: 535 }
  if (code === 'EENVELOPE') return { kind: 'refused', stage: 'recipient', reply: 553 }
  if (code === 'EMESSAGE' && !isSending) return { kind: 'refused', stage: 'content', reply: 552 }
  return { kind: isSending ? 'unknown' : 'not_sent', code: codeOf(error) }
}

/** What nodemailer writes on its errors. Their messages hold addresses. */
function factsOf(error: unknown) {
  const given = (typeof error === 'object' && error !== null ? error : {}) as Readonly<Record<string, unknown>>
  const { command, response, responseCode, code } = given
  return {
    command: typeof command === 'string' ? command : '',
    response: typeof response === 'string' ? response : '',
    responseCode: typeof responseCode === 'number' ? responseCode : 0,
    code,
  }
}
