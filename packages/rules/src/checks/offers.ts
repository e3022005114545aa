import { DURATION_FORMS, parseDuration } from '../duration.js'
import type { Located, Pack } from '../pack.js'
import { type Problems, placeText } from '../problems.js'
import type { OfferDefinition } from '../schemas/definitions.js'
import type { JourneyDefinition } from '../schemas/journey.js'
import { CERTAIN_FLOW, certainAtEntry, takesRunsOver } from './certain.js'
import { below } from './expand.js'
import { passagesOf } from './passages.js'

/** Finds coupons that nobody can ever get. */
export function checkOffers(pack: Pack, problems: Problems): void {
  for (const offer of pack.offers) checkOffer(offer, problems)
  const offers = new Map(pack.offers.map((offer) => [offer.definition.id, offer]))
  for (const journey of pack.journeys) checkIssues(journey, offers, problems)
}

function checkOffer({ definition, place }: Located<OfferDefinition>, problems: Problems): void {
  const { total = Number.POSITIVE_INFINITY, perPerson = 1, value = 0, budget, until, expires, issuer } = definition
  if (perPerson > total) {
    const message = `One person may get ${perPerson} of these, but there are ${total} in all. Issue more, or fewer to one person.`
    problems.warning(below(place, 'perPerson'), 'offer.perPerson', message, { found: perPerson })
  }
  if (expires !== undefined && parseDuration(expires) === undefined) {
    const message = `A time that coupons are good for looks like ${DURATION_FORMS}.`
    problems.error(below(place, 'expires'), 'duration.invalid', message, { found: expires })
  }
  if (budget !== undefined && value > budget.money) {
    const message = `This pays for no coupon at all: one is worth ${value}, and the budget is ${budget.money}.`
    problems.error(below(place, 'budget/money'), 'offer.budget', message, { found: budget.money })
  }
  // An issuer says itself how long its coupons are good for.
  if (until !== undefined && expires === undefined && issuer === undefined) {
    const message = `The offer is over at ${until}, and its coupons never are. Say how long they are good for in "expires".`
    problems.warning(below(place, 'until'), 'offer.outlived', message, { found: until })
  }
}

/**
 * Whoever has asked for as many coupons of an offer as one person gets, gets no further one: those before were issued, or
 * were refused for a reason that does not go away.
 */
function checkIssues(
  { definition, place }: Located<JourneyDefinition>,
  offers: ReadonlyMap<string, Located<OfferDefinition>>,
  problems: Problems,
): void {
  // Who was moved here may not have asked for any.
  if (takesRunsOver(definition)) return
  for (const { step, pointer, known } of passagesOf(definition.steps, certainAtEntry(definition), CERTAIN_FLOW)) {
    if (!('issue' in step) || known === undefined) continue
    const offer = offers.get(step.issue.offer)
    const asked = known.asked.get(step.issue.offer) ?? 0
    const perPerson = offer?.definition.perPerson ?? 1
    if (offer === undefined || asked < perPerson) continue
    const times = asked === 1 ? 'once' : `${asked} times`
    const message = `This never issues anything: the run has asked for a coupon of "${step.issue.offer}" ${times} before it, and one person gets ${perPerson}. Take it away, or raise "perPerson" of the offer at ${placeText(offer.place)}.`
    problems.error(below(place, `${pointer}/issue/offer`), 'coupon.never', message, { found: step.issue.offer })
  }
}
