import type { Channel, Outbound } from '@linli/core'

export interface ConsoleChannelOptions {
  /** The channel's name in rules, so that a console can stand in for `sms` or any other. Default `console`. */
  readonly name?: string
  /** Takes one block of text for each message, line ends included. Default: standard output. */
  readonly write?: (text: string) => void
}

/**
 * A channel that prints each message, for trying rules before a provider is connected.
 *
 * Repeats are `none`: a terminal drops no repeats and cannot be asked what it showed.
 *
 * @example
 * const channels = [consoleChannel({ name: 'wechat-miniprogram' }), consoleChannel({ name: 'sms' })]
 */
export function consoleChannel(options: ConsoleChannelOptions = {}): Channel {
  const { name = 'console', write = (text: string) => void process.stdout.write(text) } = options
  return {
    name,
    repeat: { kind: 'none' },
    async send(message) {
      write(`${blockOf(name, message).map(printable).join('\n')}\n`)
      return { status: 'accepted' }
    },
  }
}

/** The message as lines; the first says who gets it, and why. Traits stay out: phone numbers do not belong on screens. */
function blockOf(name: string, { class: messageClass, content, source, to }: Outbound): string[] {
  const origin = `${source.journey}/${source.step}, template ${content.template}`
  const fields = Object.entries(content.data ?? {}).map(([key, value]) => `${key}: ${value}`)
  const text = [...(content.title === undefined ? [] : [content.title]), ...content.body.split('\n'), ...fields]
  return [`[${name}] ${messageClass} to ${to.kind} ${to.id} (${origin})`, ...text.map((line) => `  ${line}`)]
}

/** Control characters in a person's data could otherwise steer the terminal. */
function printable(line: string): string {
  return line.replace(/\p{Cc}/gu, '\u{fffd}')
}
