import { pointerTo } from '../json.js'
import type { Pack } from '../pack.js'
import { editDistance, type Place, type Problems } from '../problems.js'
import { stepsOf } from '../schemas/step.js'
import { channelsOf } from './crowded.js'
import { below } from './expand.js'
import { usesOf } from './uses.js'

/** A channel that a rule names. */
interface Named {
  readonly channel: string
  readonly place: Place
}

/** Finds names of channels that there are not, or, where nobody says which there are, that look mistyped. */
export function checkChannels(pack: Pack, known: readonly string[] | undefined, problems: Problems): void {
  const named = [...namedBySends(pack), ...namedElsewhere(pack)]
  if (known === undefined) return checkSpelling(named, problems)
  for (const { channel, place } of named) {
    if (known.includes(channel)) continue
    const message = `There is no channel ${JSON.stringify(channel)}. There are: ${known.join(', ')}.`
    problems.unknown(place, 'channel', channel, known, message)
  }
}

function namedBySends(pack: Pack): readonly Named[] {
  return pack.journeys.flatMap(({ definition, place }) => {
    return [...stepsOf(definition.steps)].flatMap(({ step, pointer }) => {
      if (!('send' in step)) return []
      const at = below(place, `${pointer}/send/channel`)
      return channelsOf(step.send).map((channel, index) => {
        return { channel, place: typeof step.send.channel === 'string' ? at : below(at, String(index)) }
      })
    })
  })
}

function namedElsewhere(pack: Pack): readonly Named[] {
  const policies = pack.policies.flatMap(({ definition, place }) => {
    const [kind, scope] = scopeOf(definition)
    const listed = (scope.channels ?? []).map((channel, index) => ({
      channel,
      place: below(place, `${kind}/channels/${index}`),
    }))
    const costs = 'costs' in scope ? Object.keys(scope.costs ?? {}) : []
    const priced = costs.map((channel) => ({ channel, place: below(place, `${kind}/costs${pointerTo('', channel)}`) }))
    return [...listed, ...priced]
  })
  const facts = usesOf(pack).flatMap(({ params: { channel }, place }) => {
    return typeof channel === 'string' ? [{ channel, place: below(place, 'params/channel') }] : []
  })
  return [...policies, ...facts]
}

function scopeOf(policy: Pack['policies'][number]['definition']) {
  if ('control' in policy) return ['control', { channels: [] }] as const
  if ('consent' in policy) return ['consent', policy.consent] as const
  if ('quietHours' in policy) return ['quietHours', policy.quietHours] as const
  if ('quota' in policy) return ['quota', policy.quota] as const
  if ('mix' in policy) return ['mix', policy.mix] as const
  if ('budget' in policy) return ['budget', policy.budget] as const
  return ['cap', policy.cap] as const
}

/** A name that stands in one place only, and nearly stands in several. */
function checkSpelling(named: readonly Named[], problems: Problems): void {
  const times = new Map<string, number>()
  for (const { channel } of named) times.set(channel, (times.get(channel) ?? 0) + 1)
  const often = [...times].filter(([, count]) => count > 1).map(([channel]) => channel)
  for (const { channel, place } of named) {
    if (times.get(channel) !== 1) continue
    const similar = often.filter((other) => isMistyped(channel, other))
    if (similar.length === 0) continue
    const message = `The channel ${JSON.stringify(channel)} is named here only.`
    problems.warning(place, 'channel.rare', message, { found: channel, name: channel, known: similar })
  }
}

/** One letter of five, or two of eight, are other ones; numbers tell channels apart on purpose. */
function isMistyped(name: string, other: string): boolean {
  const withoutDigits = (text: string) => text.replace(/\d/g, '')
  if (withoutDigits(name) === withoutDigits(other)) return false
  const longer = Math.max(name.length, other.length)
  return editDistance(name.toLowerCase(), other.toLowerCase()) <= (longer >= 8 ? 2 : Number(longer >= 4))
}
