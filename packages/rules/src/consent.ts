import type { Dated } from './subject.js'

/** What was said about being messaged, by `channel|class`, where `*` means any. */
export type Consent = Readonly<Record<string, Dated<boolean>>>

/**
 * What was said last about messages of a channel and a class; undefined when nothing was. What was said of all channels
 * or of all classes counts for each of them. With `*`, only what was said of all of them is asked. Of a grant and a
 * withdrawal at the same instant, the withdrawal stands.
 */
export function consentOf(consent: Consent, channel: string, messageClass: string): boolean | undefined {
  return latestWord(consent, channel, messageClass)?.[0]
}

/** The word that decides, and when it was said. */
export function latestWord(consent: Consent, channel: string, messageClass: string): Dated<boolean> | undefined {
  let latest: Dated<boolean> | undefined
  for (const key of new Set([`${channel}|${messageClass}`, `${channel}|*`, `*|${messageClass}`, '*|*'])) {
    const said = consent[key]
    if (said === undefined) continue
    if (latest === undefined || said[1] > latest[1] || (said[1] === latest[1] && !said[0])) latest = said
  }
  return latest
}
