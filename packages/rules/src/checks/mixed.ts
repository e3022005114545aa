import type { Pack } from '../pack.js'
import type { Place, Problems } from '../problems.js'
import type { Policy, Program } from '../program/program.js'
import { type StepDefinition, stepsOf } from '../schemas/step.js'
import { SUBJECT_KINDS, type SubjectKind } from '../subject.js'
import { channelsOf, isCapped } from './crowded.js'
import { below } from './expand.js'

type Mix = Extract<Policy, { kind: 'mix' }>

interface SendAt {
  readonly send: Extract<StepDefinition, { send: unknown }>['send']
  readonly id: string
  readonly place: Place
  readonly subject: SubjectKind
}

/** Finds messages that a mix never lets through, because the pack sends nothing beside them that would make room for them. */
export function checkMixed(pack: Pack, { policies }: Program, problems: Problems): void {
  const mixes = policies.filter((policy) => policy.kind === 'mix').filter(({ share }) => share < 1)
  if (mixes.length === 0) return
  const sends = sendsOf(pack)
  const withRoom = new Map(mixes.map((mix) => [mix, subjectsWithRoom(sends, mix)]))
  for (const message of sends) {
    const mix = mixes.find((one) => isCapped(message.send, one) && !withRoom.get(one)?.has(message.subject))
    if (mix === undefined) continue
    const share = `${Math.round(mix.share * 1000) / 10}%`
    const others = [...mix.classes].join(' and ')
    const reason =
      mix.share === 0
        ? 'Raise the share.'
        : `Nothing in the pack sends ${mix.of === undefined ? `a ${message.subject}` : 'members'} anything else. Send something of use, too, or leave out the policy.`
    const text = `This is never sent: the policy "${mix.id}" lets ${others} messages be at most ${share} of all. ${reason}`
    problems.warning(message.place, 'message.mix', text, { found: message.id })
  }
}

function sendsOf({ journeys }: Pack): readonly SendAt[] {
  return journeys.flatMap(({ definition, place }) =>
    [...stepsOf(definition.steps)].flatMap(({ step, pointer }): SendAt[] =>
      'send' in step
        ? [{ send: step.send, id: step.id, place: below(place, pointer), subject: definition.subject ?? 'user' }]
        : [],
    ),
  )
}

/** Kinds of subjects that the pack also sends other messages, beside which those of the mix are a smaller share. */
function subjectsWithRoom(sends: readonly SendAt[], { share, classes, channels, of }: Mix): ReadonlySet<SubjectKind> {
  const others = sends.filter(
    ({ send }) => !classes.has(send.class) && channelsOf(send).some((channel) => channels?.has(channel) ?? true),
  )
  if (share === 0 || others.length === 0) return new Set()
  // What one member gets makes room for another, and what the community itself gets does for both.
  return new Set(of === undefined ? others.map(({ subject }) => subject) : SUBJECT_KINDS)
}
