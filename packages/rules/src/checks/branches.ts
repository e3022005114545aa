import type { Conditions } from '../conditions/tree.js'
import type { Located } from '../pack.js'
import type { Problems } from '../problems.js'
import type { JourneyDefinition } from '../schemas/journey.js'
import { stepsOf, type WaitCaseDefinition } from '../schemas/step.js'
import type { SubjectKind } from '../subject.js'
import { below, type Tree } from './expand.js'
import type { RulesInView } from './rules-in-view.js'

/** One of several ways, of which the first whose conditions hold is taken. */
interface Choice {
  /** Undefined: it is always taken. */
  readonly tree: Tree | undefined
  readonly pointer: string
}

/** Finds ways that are never taken, because an earlier one always is when their conditions hold. */
export function checkBranches(
  { definition, place }: Located<JourneyDefinition>,
  rules: RulesInView,
  problems: Problems,
): void {
  const { subject = 'user', steps } = definition
  const choice = (conditions: Conditions | undefined, pointer: string): Choice => ({
    tree: conditions && { conditions, place: below(place, `${pointer}/conditions`) },
    pointer,
  })
  const warn = (pointer: string, message: string) => {
    problems.warning(below(place, pointer), 'step.unreachable', message)
  }
  for (const { step, pointer } of stepsOf(steps)) {
    if ('branch' in step) {
      const choices = step.branch.map(({ conditions }, index) => choice(conditions, `${pointer}/branch/${index}`))
      for (const { pointer: never } of neverTaken(choices, subject, rules)) {
        warn(never, 'This branch is never taken: whenever its conditions hold, those of an earlier one do.')
      }
      if (step.else !== undefined && takesAll(choices, subject, rules)) {
        warn(`${pointer}/else`, 'These steps are never taken: whatever is true, one of the branches is.')
      }
    }
    if ('waitFor' in step && 'any' in step.waitFor) {
      const cases = step.waitFor.any.map((one, index) => {
        return { events: eventsOf(one), ...choice(one.conditions, `${pointer}/waitFor/any/${index}`) }
      })
      for (const { pointer: never, events } of neverMet(cases, subject, rules)) {
        const why = events === undefined ? 'whenever its conditions hold' : 'whatever brings it about'
        warn(never, `This case is never taken: ${why}, an earlier one is.`)
      }
    }
  }
}

type Case = Choice & { readonly events: readonly string[] | undefined }

function eventsOf(one: WaitCaseDefinition): readonly string[] | undefined {
  if (!('event' in one)) return undefined
  return typeof one.event === 'string' ? [one.event] : one.event
}

/** Cases that are never met first; those for events are looked at event by event. */
function neverMet(cases: readonly Case[], subject: SubjectKind, rules: RulesInView): readonly Case[] {
  const ofStates = neverTaken(
    cases.filter(({ events }) => events === undefined),
    subject,
    rules,
  )
  return cases.filter((one) => {
    if (one.events === undefined) return ofStates.includes(one)
    return one.events.every((event) => {
      const rivals = cases.filter(({ events }) => events?.includes(event))
      return neverTaken(rivals, subject, rules).includes(one)
    })
  })
}

function neverTaken<T extends Choice>(choices: readonly T[], subject: SubjectKind, rules: RulesInView): readonly T[] {
  return choices.filter(({ tree }, index) => {
    const earlier = choices.slice(0, index)
    if (index === 0) return false
    if (earlier.some((one) => one.tree === undefined)) return true
    const others = earlier.map((one) => one.tree).filter((one) => one !== undefined)
    // Where one of them never holds, or always does, that has been said.
    if (tree === undefined || [tree, ...others].some((one) => rules.check(one, subject) !== undefined)) return false
    return rules.exclude([...others.map((one) => ({ tree: one, holds: false })), { tree, holds: true }], subject)
  })
}

function takesAll(choices: readonly Choice[], subject: SubjectKind, rules: RulesInView): boolean {
  const trees = choices.map(({ tree }) => tree).filter((tree) => tree !== undefined)
  if (trees.some((tree) => rules.check(tree, subject) !== undefined)) return false
  return rules.exclude(
    trees.map((tree) => ({ tree, holds: false })),
    subject,
  )
}
