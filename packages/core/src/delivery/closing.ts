import { EngineError } from '../errors.js'
import type { Channel } from '../ports/channel.js'
import { inTime } from './in-time.js'

/** How long a channel may take to close. */
const CLOSE_TIMEOUT_MS = 10_000

/** Closes channels. One that fails, or never ends, is reported, and holds up neither the others nor the database. */
export async function closeChannels(
  channels: Iterable<Pick<Channel, 'name' | 'close'>>,
  onError: (error: unknown) => void,
  timeoutMs = CLOSE_TIMEOUT_MS,
): Promise<void> {
  await Promise.all(
    Array.from(channels, async (channel) => {
      const cause = await whyNotClosed(channel, timeoutMs)
      if (cause === undefined) return
      const message = `Channel ${JSON.stringify(channel.name)} was not closed. Its \`close\` should resolve within ${timeoutMs / 1000} seconds.`
      onError(new EngineError('channel.close', message, { channel: channel.name }, { cause }))
    }),
  )
}

async function whyNotClosed(channel: Pick<Channel, 'close'>, timeoutMs: number): Promise<unknown> {
  try {
    await inTime(timeoutMs, () => channel.close?.())
    return undefined
  } catch (error) {
    return error
  }
}
