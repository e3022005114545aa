import { parseDuration } from '../duration.js'
import type { Located } from '../pack.js'
import type { Place, Problems } from '../problems.js'
import type { OfferDefinition } from '../schemas/definitions.js'
import { DEFAULT_ZONE } from '../time-zone.js'
import type { Offer } from './program.js'
import { compileSendWindow, type SendWindow } from './send-window.js'

/** An instant that is the same everywhere: with a zone. */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/

/** Reads an offer; what is wrong is reported, and left out. */
export function compileOffer({ definition, place }: Located<OfferDefinition>, problems: Problems): Offer {
  const at = (member: string): Place => ({ ...place, pointer: `${place.pointer}/${member}` })
  const { until, expires, budget } = definition
  checkSource(definition, place, at, problems)
  const endsAt = until !== undefined && INSTANT.test(until) ? Date.parse(until) : Number.NaN
  if (until !== undefined && Number.isNaN(endsAt)) {
    const message = 'An instant looks like "2026-12-01T00:00:00+08:00": with its time zone.'
    problems.error(at('until'), 'instant.invalid', message, { found: until })
  }
  const expiresMs = parseDuration(expires)
  const window = budget && windowOf(budget, at('budget'), problems)
  return {
    ...definition,
    ...(!Number.isNaN(endsAt) && { endsAt }),
    ...(expiresMs !== undefined && { expiresMs }),
    ...(window && { window }),
  }
}

function checkSource(
  { total, codes, issuer, stock, budget, value, returns }: OfferDefinition,
  place: Place,
  at: (member: string) => Place,
  problems: Problems,
): void {
  if (total === undefined && codes === undefined && issuer === undefined) {
    const message = '"total" is missing: how many coupons may ever be issued.'
    problems.error(place, 'offer.total', message)
  }
  if (codes !== undefined && issuer !== undefined) {
    const message = 'An issuer has codes of its own. Take away "codes" or "issuer".'
    problems.error(at('codes'), 'offer.codes', message, { found: codes })
  }
  if (stock !== undefined && issuer === undefined) {
    const message = 'A "stock" is something of an issuer, and the offer names none.'
    problems.error(at('stock'), 'offer.stock', message, { found: stock })
  }
  if (returns === 'unsent' && issuer !== undefined) {
    const message = `The issuer ${JSON.stringify(issuer)} has given the coupon to its holder, and an issuer is not asked to take one back. Take away "returns" or "issuer".`
    problems.error(at('returns'), 'offer.returns', message, { found: returns })
  }
  if (budget !== undefined && (value ?? 0) <= 0) {
    const message = 'A budget counts what coupons are worth: give the offer a "value" above 0.'
    problems.error(at('budget'), 'offer.value', message, { found: value })
  }
}

function windowOf(
  { within, during, timeZone = DEFAULT_ZONE }: NonNullable<OfferDefinition['budget']>,
  place: Place,
  problems: Problems,
): SendWindow | undefined {
  if (within === undefined && during === undefined) return undefined
  return compileSendWindow({ within, during, timeZone }, place, problems)
}
