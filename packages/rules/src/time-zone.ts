/** The zone that counts where a subject has none of its own. */
export const DEFAULT_ZONE = 'Asia/Shanghai'

/** Whether a text names a time zone of the IANA database. */
export function isTimeZone(text: unknown): text is string {
  if (typeof text !== 'string') return false
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
