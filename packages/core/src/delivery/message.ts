import type { Program } from '@linli/rules'
import type { SubjectKey, SubjectState } from '../domain/subject.js'
import type { Outbound, Recipient } from '../ports/channel.js'
import type { Delivery } from '../ports/store.js'
import type { UnsubscribeTokens } from '../privacy/unsubscribe.js'

export type Composed =
  | { readonly ok: true; readonly message: Outbound }
  | { readonly ok: false; readonly reason: 'template' | 'no such template'; readonly detail?: string }

/** Renders a delivery for its recipient, with what is known of the recipient now. */
export function compose(
  delivery: Delivery,
  state: SubjectState,
  program: Program,
  at: number,
  tokens?: UnsubscribeTokens,
): Composed {
  const { body, source, subject, key } = delivery
  const template = program.templates.get(body.what)
  if (template === undefined) return { ok: false, reason: 'no such template', detail: body.what }
  const variables = variablesFor(delivery, state, program)
  const { channel = '', class: messageClass = 'service' } = body
  const isWanted = template.reads.has('unsubscribe') && subject.kind === 'user'
  const token = isWanted ? tokens?.tokenFor({ userId: subject.id, channel, class: messageClass }) : undefined
  const unsubscribe = token === undefined ? {} : { token }
  const copy = copyOf(delivery, at)
  const rendered = template.render({ ...variables, unsubscribe, ...(copy !== undefined && { copy }) })
  if (!rendered.ok) return { ok: false, reason: 'template', detail: rendered.error }
  return {
    ok: true,
    message: {
      deliveryKey: key,
      channel,
      class: messageClass,
      to: { ...subject, traits: variables.traits },
      content: { template: body.what, ...rendered.content },
      source,
    },
  }
}

/** Who gets something, with the addresses that are known. */
export function recipientOf(subject: SubjectKey, state: SubjectState): Recipient {
  return { ...subject, traits: traitsOf(state) }
}

/** What was written for it. What may have left with it is repeated with it; else it is not used once it is old. */
function copyOf({ body: { copy, firstCalledAt } }: Delivery, at: number): string | undefined {
  return firstCalledAt !== undefined || (copy?.until ?? 0) > at ? copy?.text : undefined
}

/** What templates may read, but for links that are made for one message. */
export function variablesFor({ body, source, subject }: Delivery, state: SubjectState, program: Program) {
  const { entry, event, coupon, digest } = body.variables ?? {}
  const journey = program.journeys.get(source.journey)
  return {
    traits: traitsOf(state),
    subject: { kind: subject.kind, id: subject.id },
    entry: entry ?? {},
    event: event ?? {},
    coupon: coupon ?? {},
    digest: digest ?? {},
    community: related('community', subject, state),
    leader: related('leader', subject, state),
    journey: { id: source.journey, name: journey?.definition.name ?? source.journey },
  }
}

function related(relation: 'community' | 'leader', { kind, id }: SubjectKey, state: SubjectState): { id?: string } {
  const found = kind === relation ? id : state.relations[relation]?.[0]
  return found === undefined ? {} : { id: found }
}

function traitsOf(state: SubjectState): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(state.traits).map(([name, [value]]) => [name, value]))
}
