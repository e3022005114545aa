import { type Consent, type Dated, latestWord, MESSAGE_CLASSES } from '@linli/rules'

/**
 * What two people who turn out to be one have said about being messaged. Where they differ the stricter word stands, as of
 * the later of the two; where one has said nothing, the other's word.
 */
export function stricterConsent(a: Consent, b: Consent): Consent {
  const keys = [...Object.keys(a), ...Object.keys(b)]
  if (keys.length === Object.keys(a).length) return a
  if (keys.length === Object.keys(b).length) return b
  const channels = ['*', ...new Set(keys.map((key) => key.slice(0, key.indexOf('|'))).filter((one) => one !== '*'))]
  const merged: Record<string, Dated<boolean>> = {}
  // What is about less comes after what is about more, and has to be later where it says something else.
  for (const channel of channels) {
    for (const messageClass of ['*', ...MESSAGE_CLASSES]) {
      const word = stricterOf(latestWord(a, channel, messageClass), latestWord(b, channel, messageClass))
      const general = latestWord(merged, channel, messageClass)
      if (word === undefined || (word[0] === general?.[0] && word[1] <= general[1])) continue
      // Of a grant and a withdrawal at the same instant, the withdrawal would stand.
      const earliest = general === undefined ? 0 : general[1] + (word[0] ? 1 : 0)
      merged[`${channel}|${messageClass}`] = [word[0], Math.max(word[1], earliest)]
    }
  }
  return merged
}

/** What was said last by either; of a grant and a withdrawal at the same instant, the withdrawal. */
export function latestConsent(a: Consent, b: Consent): Consent {
  const merged: Record<string, Dated<boolean>> = { ...a }
  for (const [name, said] of Object.entries(b)) {
    const known = merged[name]
    if (known === undefined || said[1] > known[1] || (said[1] === known[1] && !said[0])) merged[name] = said
  }
  return merged
}

function stricterOf(a: Dated<boolean> | undefined, b: Dated<boolean> | undefined): Dated<boolean> | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return [a[0] && b[0], Math.max(a[1], b[1])]
}
