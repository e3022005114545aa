import type { Readable } from 'node:stream'
import { AdapterError } from '../../http/errors.js'

/** What is used of nodemailer's `SMTPConnection`: one connection to one server. */
export interface SmtpConnection {
  connect(done: (error?: Error) => void): void
  login(auth: { readonly user: string; readonly pass: string }, done: (error: Error | null) => void): void
  /** Reads the message only once the server has agreed to take it (354). */
  send(envelope: SmtpEnvelope, message: Readable, done: (error: Error | null) => void): void
  quit(): void
  close(): void
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'end', listener: () => void): unknown
}

export interface SmtpEnvelope {
  readonly from: string
  readonly to: readonly string[]
  /** In bytes: a server may say that it takes no message of that size. */
  readonly size: number
}

export interface SmtpConnectionOptions {
  readonly host: string
  readonly port: number
  /** Whether TLS comes before everything else. */
  readonly secure: boolean
  /** Whether a server that does not know STARTTLS is left. */
  readonly requireTLS: boolean
  readonly ignoreTLS: boolean
  readonly tls: { readonly ca?: string }
  readonly connectionTimeout: number
  readonly greetingTimeout: number
  readonly socketTimeout: number
  readonly logger: false
}

export interface Mail {
  readonly from: MailAddress
  readonly to: MailAddress
  readonly replyTo?: string
  readonly subject: string
  readonly text: string
  readonly textEncoding: 'base64'
  readonly html?: string
  readonly messageId: string
  readonly date: Date
  readonly headers: readonly MailHeader[]
  readonly disableFileAccess: true
  readonly disableUrlAccess: true
}

/** `prepared`: it is sent as it is. */
export interface MailHeader {
  readonly key: string
  readonly value: string
  readonly prepared: true
}

export interface MailAddress {
  readonly name: string
  readonly address: string
}

/** What is used of nodemailer's `MailComposer`: a message as it goes over the wire. */
interface Composer {
  compile(): { build(): Promise<Buffer> }
}

interface Nodemailer {
  readonly SMTPConnection: new (options: SmtpConnectionOptions) => SmtpConnection
  readonly MailComposer: new (mail: Mail) => Composer
}

/** An optional peer, so its types are not needed by who does not use it. */
const PACKAGE: string = 'nodemailer'

async function load(): Promise<Nodemailer> {
  try {
    const names = ['smtp-connection', 'mail-composer'].map((name) => `${PACKAGE}/lib/${name}`)
    const [smtp, composer] = await Promise.all(
      names.map((name) => import(name) as Promise<{ readonly default: unknown }>),
    )
    return { SMTPConnection: smtp?.default, MailComposer: composer?.default } as Nodemailer
  } catch (cause) {
    const message = 'E-mail needs the package nodemailer, version 10: npm install nodemailer'
    throw Object.assign(new AdapterError('email.no_nodemailer', message), { cause })
  }
}

/** @throws {AdapterError} `email.no_nodemailer`, when this file is imported */
export const { SMTPConnection, MailComposer } = await load()
