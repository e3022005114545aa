import type { Relation } from './rules.js'

/** An event as the log has it. */
export interface LoggedEvent {
  readonly messageId: string
  readonly event: string
  readonly at: number
  readonly properties: Readonly<Record<string, unknown>>
  readonly userId?: string
}

/** Something that was said about a subject, and when. */
export interface Said {
  readonly name: string
  readonly value: unknown
  readonly at: number
}

/** All that has arrived about one subject, in plain lists. */
export interface Known {
  readonly events: readonly LoggedEvent[]
  readonly traits: readonly Said[]
  readonly relations: Readonly<Partial<Record<Relation, string>>>
}

/** What was said last; of two words of the same instant, the one with the greater JSON text. */
export function latest(said: readonly Said[], name: string): unknown {
  let best: Said | undefined
  for (const one of said) {
    if (one.name !== name) continue
    if (best === undefined || one.at > best.at || (one.at === best.at && textOf(one.value) > textOf(best.value))) {
      best = one
    }
  }
  return best?.value
}

/** JSON with the keys of objects in order. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

/** Whether messages of a channel and a class are allowed, by the consent events there were; undefined: nothing was said. */
export function consentAt(events: readonly LoggedEvent[], channel = '*', messageClass = '*'): boolean | undefined {
  let best: { readonly at: number; readonly granted: boolean } | undefined
  for (const { event, at, properties } of events) {
    if (event !== 'consent_granted' && event !== 'consent_withdrawn') continue
    const granted = event === 'consent_granted'
    const concerns = (key: string, asked: string) => [undefined, asked].includes(properties[key] as string | undefined)
    if (!concerns('channel', channel) || !concerns('class', messageClass)) continue
    if (best === undefined || at > best.at || (at === best.at && !granted)) best = { at, granted }
  }
  return best?.granted
}
