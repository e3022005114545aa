import type { Condition, EventRecord, Feature, FeatureState, Program, SubjectView } from '@linli/rules'
import type { Mutant } from './verdicts.js'

// Seeded bugs. A law that does not notice one of them proves nothing.

type Rules = Program['subjects']['user']
type Fold = Feature['fold']

/** Programs are immutable to all but us. */
function overwrite<T extends object>(target: T, change: Partial<T>): void {
  Object.assign(target, change)
}

function everyKind(change: (rules: Rules) => void): Mutant {
  return ({ subjects }) => Object.values(subjects).forEach(change)
}

function everyFold(
  change: (fold: Fold, state: FeatureState | undefined, event: EventRecord, now: number) => FeatureState | undefined,
): Mutant {
  return everyKind(({ features }) => {
    for (const feature of features.values()) {
      const fold = feature.fold.bind(feature)
      overwrite<Feature>(feature, { fold: (state, event, now) => change(fold, state, event, now) })
    }
  })
}

function everyVerdict(change: (verdict: Condition['verdict'], view: SubjectView) => number): Mutant {
  return everyKind(({ tags }) => {
    for (const { condition } of tags) {
      const { verdict } = condition
      overwrite<Condition>(condition, { verdict: (view) => change(verdict, view) })
    }
  })
}

function everyScore(
  change: (
    evaluated: readonly [number, number],
    again: (at: number) => readonly [number, number],
    view: SubjectView,
  ) => readonly [number, number],
): Mutant {
  return everyKind(({ scoresById }) => {
    for (const score of scoresById.values()) {
      const { evaluate } = score
      overwrite<typeof score>(score, {
        evaluate: (view) => change(evaluate(view), (at) => evaluate(viewedAt(view, at)), view),
      })
    }
  })
}

/** The same, certain for a millisecond more. */
function later(verdict: number): number {
  return verdict + Math.sign(verdict)
}

function earlier(verdict: number): number {
  return verdict - Math.sign(verdict)
}

function viewedAt(view: SubjectView, at: number): SubjectView {
  return Object.create(view, { at: { value: at } }) as SubjectView
}

function withoutReaders<Of extends keyof Rules['readers']>(of: Of, name?: string): Mutant {
  return everyKind(({ readers }) => {
    const map = readers[of] as Map<unknown, unknown>
    if (name === undefined) map.clear()
    else map.delete(name)
  })
}

/** Bugs that one user's life is enough to notice. */
export const MUTANTS: Readonly<Record<string, Mutant>> = {
  'events count when they arrive': everyFold((fold, state, event, now) => fold(state, { ...event, at: now }, now)),
  'late events are dropped': everyFold((fold, state, event, now) =>
    event.at < now - 1000 ? state : fold(state, event, now),
  ),
  'the oldest entry is forgotten': everyFold((fold, state, event, now) => {
    const [total, times, counts, ...rest] = fold(state, event, now) ?? []
    if (!Array.isArray(times) || times.length < 2) return fold(state, event, now)
    return [total, times.slice(1), ...(Array.isArray(counts) ? [counts.slice(1)] : []), ...rest]
  }),
  'events without items are not found': everyKind(({ featuresByEvent }) => {
    const find = featuresByEvent.find.bind(featuresByEvent)
    overwrite(featuresByEvent, { find: (event) => ('items' in event.properties ? find(event) : []) })
  }),
  'of two events of one instant the second is lost': everyKind(({ featuresByEvent }) => {
    const find = featuresByEvent.find.bind(featuresByEvent)
    let last: EventRecord | undefined
    overwrite(featuresByEvent, {
      find: (event) => {
        const isSecond = last !== undefined && last !== event && last.at === event.at && last.event === event.event
        last = event
        return isSecond ? [] : find(event)
      },
    })
  }),
  'tags flip a millisecond late': everyVerdict((verdict, view) => later(verdict(view))),
  'windows are a millisecond short': everyVerdict((verdict, view) => earlier(verdict(viewedAt(view, view.at + 1)))),
  'windows are a millisecond long': everyVerdict((verdict, view) => later(verdict(viewedAt(view, view.at - 1)))),
  'time alone turns no tag': everyVerdict((verdict, view) => Math.sign(verdict(view)) * Number.POSITIVE_INFINITY),
  'time alone changes no score': everyScore(([value]) => [value, Number.POSITIVE_INFINITY]),
  'scores are a millisecond behind': everyScore(([, until], again, view) => [again(view.at - 1)[0], until + 1]),
  'scores are a millionth too high': everyScore(([value, until]) => [value === 0 ? 0 : value + 1e-6, until]),
  'tags that read tags are not looked at again': withoutReaders('tags'),
  'what reads scores is not looked at again': withoutReaders('scores'),
  'what reads consent is not looked at again': withoutReaders('consent'),
  'calendars stay when somebody moves': withoutReaders('traits', 'timeZone'),
  'traits change nothing': withoutReaders('traits'),
  'the community of somebody changes nothing': withoutReaders('relations'),
  'nobody is born with anything': everyKind((rules) => overwrite(rules, { bornWith: [] })),
  'rules are worked out in the wrong order': everyKind(({ derived }) => {
    for (const one of derived) overwrite(one, { rank: -one.rank })
  }),
}

/** Bugs that take a community. */
export const MUTANTS_OF_TOWNS: Readonly<Record<string, Mutant>> = {
  'members are not told when their community turns': everyKind(({ tags }) => {
    for (const tag of tags) Reflect.deleteProperty(tag, 'readAs')
  }),
  'members who are told do not look': withoutReaders('related'),
  'communities do not hear of events': ({ subjects: { community } }) =>
    overwrite(community, { listensTo: new Set<string>() }),
  'leaders do not hear of events': ({ subjects: { leader } }) => overwrite(leader, { listensTo: new Set<string>() }),
}

/** Bugs that take a visitor who turns out to be a user. */
export const MUTANTS_OF_PEOPLE: Readonly<Record<string, Mutant>> = {
  'what a visitor did is lost': everyKind(({ features }) => {
    for (const feature of features.values()) overwrite<Feature>(feature, { merge: (mine) => mine })
  }),
  'what a user did before is lost': everyKind(({ features }) => {
    for (const feature of features.values()) overwrite<Feature>(feature, { merge: (_, its) => its })
  }),
}
