import {
  about,
  earlierBecomes,
  eventsOf,
  everyExit,
  everyJourney,
  everySecondTime,
  everyStep,
  focused,
  ignoringKey,
  type JourneyMutant,
  later,
  millisecondsOf,
  overwrite,
  shifted,
  shiftedEnd,
  waitedFor,
} from './mutant.js'

// Seeded bugs in what journeys do.

const TURNED = { 'tag.added': 'tag.removed', 'tag.removed': 'tag.added' } as const

const OF_ENTRY: Readonly<Record<string, JourneyMutant>> = {
  'anybody may enter again at any time': everyJourney(() => ({ reentry: { kind: 'always' } })),
  'who may never enter again does once the run has ended': about(
    /"reentry":"never"/,
    everyJourney(({ reentry }) => (reentry.kind === 'never' ? { reentry: { kind: 'oneAtATime' } } : undefined)),
  ),
  'the pause before entering again is a millisecond long': about(
    /"reentry":\{/,
    everyJourney(({ reentry }) =>
      reentry.kind === 'after' ? { reentry: { ...reentry, ms: reentry.ms + 1 } } : undefined,
    ),
  ),
  'conditions of entries are not asked': everyJourney(({ entry }) => ({ entry: { ...entry, condition: undefined } })),
  'late events happen when they come': { event: (event, now) => later(event, now) },
  'late events happen a millisecond earlier': {
    event: (event, now) => {
      const at = millisecondsOf(event, now)
      return at < now ? later(event, at - 1) : event
    },
  },
  'what comes twice counts twice': {
    event: (event, now) => ({ ...event, messageId: `${event.messageId}-${now}` }),
  },
}

const OF_OTHERS: Readonly<Record<string, JourneyMutant>> = {
  'priorities are not looked at': about(
    /"priority":/,
    everyJourney(() => ({ priority: 0 })),
  ),
  'who is in a journey of a group may enter another one': about(
    /"exclusive":.*"exclusive":/,
    everyJourney(() => ({ exclusive: undefined })),
  ),
  'who is held out is another one each time': about(/"holdout":/, everySecondTime('holdout', 1, 0)),
  'who is in the control group is another one each time': everySecondTime('control', undefined, {
    id: 'control',
    share: 1,
    classes: new Set<never>(),
  }),
  'there is one place more than there is': about(
    /"limit":/,
    everyJourney(({ limit }) => limit && { limit: { ...limit, max: limit.max + 1 } }),
  ),
  'places of a day are never given again': about(
    /"limit":[^}]*"within"/,
    everyJourney(({ limit }) => limit && { limit: { ...limit, within: undefined } }),
  ),
  'programs are not heard': about(
    /"on":"api"/,
    everyJourney(({ entry }) => (entry.on === 'api' ? { entry: { ...entry, events: new Set() } } : undefined)),
  ),
  'journeys begin by themselves a millisecond late': about(
    /"on":"schedule"/,
    everyJourney(({ entry }) => {
      if (entry.on !== 'schedule') return undefined
      const { schedule } = entry
      // Those that begin by themselves are kept apart; what they are entered by is the same thing.
      overwrite(entry, {
        schedule: (view, after) => {
          const at = schedule(view, after - 1)
          return at === undefined ? undefined : at + 1
        },
      })
      return undefined
    }),
  ),
}

const OF_LEAVING: Readonly<Record<string, JourneyMutant>> = {
  'exits are not looked at': about(
    /"exit":[{[]/,
    everyJourney(() => ({ exits: [] })),
  ),
  'of several exits only the first counts': about(
    /"exit":\[/,
    everyJourney(({ exits }) => ({ exits: exits.slice(0, 1) })),
  ),
  'tags end runs when they turn the other way': about(
    /"exit":[{[][^}]*"on":"tag/,
    everyExit((exit) =>
      exit.on === 'tag.added' || exit.on === 'tag.removed' ? { ...exit, on: TURNED[exit.on] } : exit,
    ),
  ),
  'any change of a score ends runs': about(
    /"exit":[{[][^}]*"on":"score/,
    everyExit((exit) => (exit.on === 'score.crossed' ? { ...exit, crosses: () => true } : exit)),
  ),
  'conditions end runs a millisecond late': about(
    /"exit":[{[][^}]*"on":"conditions"/,
    everyExit((exit) => (exit.on === 'conditions' ? { ...exit, condition: shifted(exit.condition, -1) } : exit)),
  ),
  'events of another key end runs': about(
    /"exit":[{[][^}]*"on":"event".*"key":/,
    ignoringKey(({ exits }) => eventsOf(exits)),
  ),
}

const OF_GOALS: Readonly<Record<string, JourneyMutant>> = {
  'goals can be reached for one millisecond': about(
    /"goal"/,
    everyJourney(({ goal }) => goal && { goal: { ...goal, withinMs: 1 } }),
  ),
  'goals can be reached a millisecond too long': about(
    /"goal"/,
    everyJourney(({ goal }) => goal && { goal: { ...goal, withinMs: goal.withinMs + 1 } }),
  ),
  'conditions of goals are not asked': about(
    /"goal":[^}]*"conditions"/,
    everyJourney(({ goal }) => goal && { goal: { ...goal, condition: undefined } }),
  ),
  'events of another key reach goals': about(
    /"goal".*"key":/,
    ignoringKey(({ goal }) => (goal === undefined ? [] : eventsOf([goal]))),
  ),
}

const OF_WAITS: Readonly<Record<string, JourneyMutant>> = {
  'waits end a millisecond late': everyStep('wait', ({ end }) => ({ end: shiftedEnd(1)(end) })),
  'waits end a millisecond early': everyStep('wait', ({ end }) => ({ end: shiftedEnd(-1)(end) })),
  'a wait without a date goes on below': everyStep('wait', ({ next }) => ({ otherwise: next })),
  'timeouts come a millisecond late': everyStep('waitFor', ({ timeoutMs }) => ({ timeoutMs: timeoutMs + 1 })),
  'timeouts come a millisecond early': everyStep('waitFor', ({ timeoutMs }) => ({ timeoutMs: timeoutMs - 1 })),
  'then and else of a wait for something are taken for each other': everyStep('waitFor', ({ cases, otherwise }) => {
    const [first, ...others] = cases
    return first && { cases: [{ ...first, then: otherwise }, ...others], otherwise: first.then }
  }),
  'of several things that are waited for, the last counts first': about(
    /"id":"c1"/,
    everyStep('waitFor', ({ cases }) => ({
      cases: cases.toReversed(),
    })),
  ),
  'conditions about what is waited for are not asked': everyStep('waitFor', ({ cases }) => ({
    cases: cases.map((one) => (one.on === 'event' ? { ...one, condition: undefined } : one)),
  })),
  'what is waited for may have another key': about(
    /"key":.*"waitFor"/,
    ignoringKey((journey) => eventsOf(waitedFor(journey))),
  ),
}

const OF_STEPS: Readonly<Record<string, JourneyMutant>> = {
  'the first branch is skipped': everyStep('branch', ({ cases }) => ({ cases: cases.slice(1) })),
  'of several branches the last that holds is taken': about(
    /"branch":/,
    everyStep('branch', ({ cases }) => ({
      cases: cases.toReversed(),
    })),
  ),
  'who meets no branch ends': everyStep('branch', () => ({ otherwise: -1 })),
  'a variant goes the way of another': everyStep('split', ({ variants }) => ({
    variants: variants.map((one, index) => ({ ...one, then: variants.at(index - 1)?.then ?? one.then })),
  })),
  'tags are put on where they should come off': everyStep('tag', ({ put }) => ({ put: !put })),
  'traits are set to nothing': everyStep('set', () => ({ value: () => null })),
  'only the first of several channels is tried': about(
    /"channel":\[/,
    everyStep('send', ({ channels }) => ({
      channels: channels.slice(0, 1),
    })),
  ),
  'promotions leave without consent': everyStep('send', () => ({ class: 'service' })),
  'an outcome of a message is taken for another': everyStep('send', ({ on }) => ({
    on: { accepted: on.refused, refused: on.suppressed, suppressed: on.accepted },
  })),
  'digests end a millisecond late': everyStep('digest', ({ end }) => ({ end: shiftedEnd(1)(end) })),
  'then and else of a start are taken for each other': everyStep('start', (step) => ({
    then: step.otherwise,
    otherwise: step.then,
  })),
  'a refused coupon goes on below': about(
    /"issue":[^}]*\},"else"/,
    everyStep('issue', ({ next }) => ({ otherwise: next })),
  ),
}

const OF_HALTS: Readonly<Record<string, JourneyMutant>> = {
  'what is paused is stopped': { operate: (one) => ({ ...one, does: one.does === 'pause' ? 'stop' : one.does }) },
  'what is resumed stays halted': { operate: (one) => ({ ...one, does: one.does === 'resume' ? 'pause' : one.does }) },
  'a journey that is stopped lets its runs go on': {
    operate: (one) => ({ ...one, does: one.does === 'stop' ? 'pause' : one.does }),
  },
  'one channel halts everything': {
    operate: (one) => (Object.hasOwn(Object(one.target), 'channel') ? { ...one, target: 'everything' } : one),
  },
}

const OF_FATES: Readonly<Record<string, JourneyMutant>> = {
  'another run is cancelled': { cancel: (run, runs) => runs.find((one) => one !== run) ?? run },
  'runs that should stop go on': earlierBecomes(/"earlier":"stop"/, (earlier) =>
    earlier === 'stop' ? undefined : earlier,
  ),
  'runs that should go on stop': earlierBecomes(/^/, (earlier) => (typeof earlier === 'object' ? earlier : 'stop')),
  'runs that should move go on': earlierBecomes(/"moveTo"/, (earlier) =>
    typeof earlier === 'object' ? undefined : earlier,
  ),
  'nobody is stopped by a version that a newer one came before': {
    fates: (fates) => fates.filter(({ then }) => then !== 'stop'),
  },
  'nobody is moved by a version that a newer one came before': {
    fates: (fates) => fates.filter(({ then }) => then === 'stop'),
  },
  'runs move to the first step': earlierBecomes(/"moveTo":"s[2-9]/, (earlier) =>
    typeof earlier === 'object' ? { moveTo: 's1' } : earlier,
  ),
}

/** Bugs by what they do. */
export const JOURNEY_MUTANTS: Readonly<Record<string, JourneyMutant>> = {
  ...focused({ several: false, deeds: false }, { ...OF_ENTRY, ...OF_LEAVING, ...OF_GOALS, ...OF_WAITS, ...OF_STEPS }),
  ...focused({ several: true, deeds: false }, OF_OTHERS),
  ...focused({ several: false, deeds: true }, { ...OF_HALTS, ...OF_FATES }),
}
