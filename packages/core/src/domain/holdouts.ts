import { type CompiledJourney, hashShare } from '@linli/rules'

/** Why somebody is kept out of a journey, to compare with those who are not. */
export interface HeldOut {
  readonly reason: 'holdout' | 'control group'
  readonly share: number
  /** The policy of the control group. */
  readonly policy?: string
}

/** Whether a subject is kept out of a journey: always the same ones, of the journey by itself or of all like it. */
export function heldOutOf({ id, holdout, control }: CompiledJourney, subject: string): HeldOut | undefined {
  if (control !== undefined && hashShare(`${control.id}|${subject}`) < control.share) {
    return { reason: 'control group', share: control.share, policy: control.id }
  }
  return holdout > 0 && hashShare(`${id}|${subject}`) < holdout ? { reason: 'holdout', share: holdout } : undefined
}
