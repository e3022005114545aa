import type { MessageClass, Policy, PolicyScope } from '@linli/rules'

/** A message that is about to be sent. */
export interface MessageAtHand {
  readonly channel: string
  readonly class: MessageClass
  /** The journey that sends it. */
  readonly journey: string
}

/** Whether a policy is asked about a message. */
export function applies(policy: Policy, { channel, class: messageClass, journey }: MessageAtHand): boolean {
  const wanted = !('journeys' in policy) || policy.journeys === undefined || policy.journeys.has(journey)
  return wanted && covers(policy, channel, messageClass)
}

export function covers({ classes, channels }: PolicyScope, channel: string, messageClass: MessageClass): boolean {
  return classes.has(messageClass) && reaches(channels, channel)
}

export function reaches(channels: PolicyScope['channels'], channel: string): boolean {
  return channels?.has(channel) ?? true
}
