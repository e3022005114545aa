import { contentHash } from '@linli/rules'
import type { Effect, ReturnEffect } from '../domain/decision.js'
import { type StepSource, type SubjectKey, subjectName } from '../domain/subject.js'
import type { Delivery, DeliveryBody } from '../ports/store.js'

/** The line of drafts, beside those of channels: it is no channel's name. */
export const DRAFTS = ' drafts'

/** The deliveries that a subject's effects wish for. */
export function planDeliveries(subject: SubjectKey, effects: readonly Effect[]): Delivery[] {
  return effects.flatMap((effect) => {
    switch (effect.kind) {
      case 'send': {
        const [channel = '', ...fallbacks] = effect.channels
        const { template: what, class: messageClass, variables } = effect
        const body = { what, channel, fallbacks, class: messageClass, variables }
        if (!effect.isWritten) return [newDelivery('message', subject, effect, channel, body)]
        const wanted = { ...body, channel: DRAFTS, fallbacks: effect.channels }
        return [newDelivery('draft', subject, effect, DRAFTS, wanted)]
      }
      case 'issue':
        return [
          newDelivery('coupon', subject, effect, 'coupon', {
            what: effect.offer,
            ...(effect.issuer !== undefined && { channel: effect.issuer }),
          }),
        ]
      case 'return':
        return [planReturn(subject, effect)]
      case 'suggest': {
        const { template: what, to, expiresAt, variables } = effect
        const body = { what, to, expiresAt, variables }
        if (!effect.isWritten) return [newDelivery('suggestion', subject, effect, `leader:${to}`, body)]
        return [newDelivery('draft', subject, effect, DRAFTS, { ...body, channel: DRAFTS })]
      }
      case 'place':
        return [newDelivery('entry', subject, effect, 'entry', { what: effect.source.journey })]
      case 'say':
        return [
          newDelivery('event', subject, effect, 'log', {
            what: effect.event,
            values: effect.values,
            link: effect.link,
          }),
        ]
      default:
        return []
    }
  })
}

/** Has a coupon put back. It is wished for once: by the end of its run, or by the last that might have told its code. */
export function planReturn(subject: SubjectKey, effect: ReturnEffect): Delivery {
  const { coupon, grant, reason } = effect
  return {
    ...newDelivery('return', subject, effect, 'return', { what: coupon.offer, grant, variables: { coupon } }),
    reason,
  }
}

/** The delivery that follows when a channel could not be used and the step names another. */
export function nextChannel({ subject, source, body }: Delivery, at: number): Delivery | undefined {
  const [channel, ...fallbacks] = body.fallbacks ?? []
  if (channel === undefined) return undefined
  const { firstCalledAt: _, maybeSent: __, codeless: ___, ...rest } = body
  return newDelivery('message', subject, { source, at }, channel, { ...rest, channel, fallbacks })
}

/** What follows a draft: the message by its step's first channel, or the suggestion. */
export function afterDraft(draft: Delivery, copy: DeliveryBody['copy'], at: number): Delivery | undefined {
  const { source, subject, body } = draft
  const { to, channel: _, ...rest } = { ...body, ...(copy && { copy }) }
  if (to === undefined) return nextChannel({ ...draft, body: rest }, at)
  return newDelivery('suggestion', subject, { source, at }, `leader:${to}`, { ...rest, to })
}

function newDelivery(
  kind: Delivery['kind'],
  subject: SubjectKey,
  { source, at }: { readonly source: StepSource; readonly at: number },
  channel: string,
  body: Delivery['body'],
): Delivery {
  const key = deliveryKey(source, channel, subjectName(subject))
  return { key, kind, state: 'planned', subject, source, dueAt: at, claim: 0, attempt: 0, plannedAt: at, body }
}

/**
 * The same for every attempt of one delivery, and for no other. Steps never lead back, so a run visits each at most once by
 * one definition of its journey.
 */
function deliveryKey({ run, step, moves = 0 }: StepSource, channel: string, recipient: string): string {
  const visit = moves + 1
  return contentHash([run, step, visit, channel, recipient].join('|'), 32)
}
