import type { Conditions } from '../conditions/tree.js'
import type { Located, Pack } from '../pack.js'
import type { Place } from '../problems.js'
import { exitsOf, type JourneyDefinition } from '../schemas/journey.js'
import type { TermDefinition } from '../schemas/score.js'
import { stepsOf } from '../schemas/step.js'
import type { SubjectKind } from '../subject.js'

/** Conditions of a rule, and where they stand. */
export interface Root {
  readonly conditions: Conditions
  readonly place: Place
  readonly subject: SubjectKind
}

/** A term of a score, and where it stands. */
export interface TermAt {
  readonly term: TermDefinition
  readonly place: Place
  readonly subject: SubjectKind
}

/** All conditions about subjects that a pack has, save named ones, which stand where they are used. */
export function rootsOf(pack: Pack): readonly Root[] {
  return [
    ...pack.tags.flatMap(({ definition: { conditions, subject = 'user' }, place }) => {
      return conditions === undefined ? [] : [{ conditions, place: at(place, 'conditions'), subject }]
    }),
    ...termsOf(pack).flatMap(({ term, place, subject }) => {
      return 'conditions' in term ? [{ conditions: term.conditions, place: at(place, 'conditions'), subject }] : []
    }),
    ...pack.journeys.flatMap(rootsOfJourney),
  ]
}

export function termsOf(pack: Pack): readonly TermAt[] {
  return pack.scores.flatMap(({ definition: { terms, subject = 'user' }, place }) => {
    return terms.map((term, index) => ({ term, place: at(place, `terms/${index}`), subject }))
  })
}

export function rootsOfJourney({ definition, place }: Located<JourneyDefinition>): Root[] {
  const subject = definition.subject ?? 'user'
  const root = (conditions: Conditions | undefined, pointer: string): Root[] =>
    conditions === undefined ? [] : [{ conditions, place: at(place, pointer), subject }]
  const { entry, goal } = definition
  const steps = [...stepsOf(definition.steps)].flatMap(({ step, pointer }) => {
    if ('waitFor' in step) {
      const { waitFor } = step
      if (!('any' in waitFor)) return root(waitFor.conditions, `${pointer}/waitFor/conditions`)
      return waitFor.any.flatMap((one, index) => root(one.conditions, `${pointer}/waitFor/any/${index}/conditions`))
    }
    if (!('branch' in step)) return []
    return step.branch.flatMap((one, index) => root(one.conditions, `${pointer}/branch/${index}/conditions`))
  })
  return [
    ...root(entry.conditions, 'entry/conditions'),
    ...exitsOf(definition).flatMap(({ exit, pointer }) =>
      'conditions' in exit ? root(exit.conditions, `${pointer}/conditions`) : [],
    ),
    ...root(goal?.conditions, 'goal/conditions'),
    ...steps,
  ]
}

function at(place: Place, pointer: string): Place {
  return { file: place.file, pointer: `${place.pointer}/${pointer}` }
}
