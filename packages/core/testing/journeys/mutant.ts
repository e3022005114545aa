import type {
  CompiledExit,
  CompiledJourney,
  CompiledStep,
  CompiledVerb,
  Condition,
  EventMatch,
  Program,
  WaitCase,
} from '@linli/rules'
import type { Fate } from '../../src/domain/fates.js'
import type { IncomingEvent } from '../../src/ingest/event.js'
import type { Focus, Operate } from './commands.js'

// Seeded bugs in what journeys do. An interpreter that does not notice one of them proves nothing.

export interface JourneyMutant {
  /** The JSON of journeys that can show it; left out: all. */
  readonly about?: RegExp
  /** The cases that can show it; left out: all. */
  readonly focus?: Focus
  /** Breaks the rules that the engine goes by. */
  readonly program?: (program: Program) => void
  /** Breaks what the engine is told. */
  readonly event?: (event: IncomingEvent, now: number) => IncomingEvent
  /** Breaks what is halted. */
  readonly operate?: (operate: Operate) => Operate
  /** Breaks what versions make of earlier runs that a newer one finds. */
  readonly fates?: (fates: readonly Fate[]) => readonly Fate[]
  /** Breaks which run is cancelled. */
  readonly cancel?: (run: string, runs: readonly string[]) => string
  /** Breaks what is published. */
  readonly journeys?: (journeys: readonly unknown[]) => readonly unknown[]
}

/** Programs are immutable to all but us. */
export function overwrite<T extends object>(target: T, change: Partial<T>): void {
  Object.assign(target, change)
}

export function everyJourney(
  change: (journey: CompiledJourney) => Partial<CompiledJourney> | undefined,
): JourneyMutant {
  return {
    program: ({ journeysByHash }) => {
      for (const journey of journeysByHash.values()) overwrite(journey, change(journey) ?? {})
    },
  }
}

/** What is asked by another answer each time. */
export function everySecondTime<K extends 'holdout' | 'control'>(
  name: K,
  ...answers: readonly [CompiledJourney[K], CompiledJourney[K]]
): JourneyMutant {
  return everyJourney((journey) => {
    let asked = 0
    const get = () => answers[asked++ % 2]
    if (journey[name] !== undefined && journey[name] !== 0) Object.defineProperty(journey, name, { get })
    return undefined
  })
}

type Verb = CompiledVerb['verb']
type StepOf<V extends Verb> = Extract<CompiledStep, { verb: V }>

export function everyStep<V extends Verb>(
  verb: V,
  change: (step: StepOf<V>) => Partial<StepOf<V>> | undefined,
): JourneyMutant {
  const isMeant = (step: CompiledStep): step is StepOf<V> => step.verb === verb
  return everyJourney(({ steps }) => {
    for (const step of steps.filter(isMeant)) overwrite<StepOf<V>>(step, change(step) ?? {})
    return undefined
  })
}

export function everyExit(change: (exit: CompiledExit) => CompiledExit): JourneyMutant {
  return everyJourney(({ exits }) => ({ exits: exits.map(change) }))
}

/** Keys of these events are taken for the one that was entered by last. */
export function ignoringKey(namesOf: (journey: CompiledJourney) => Iterable<string>): JourneyMutant {
  return everyJourney((journey) => {
    const { key, entry } = journey
    if (key === undefined) return undefined
    const names = new Set(namesOf(journey))
    let last: unknown
    return {
      key: (view) => {
        const name = view.event?.event ?? ''
        const isEntry = entry.on === 'event' && entry.events.has(name)
        if (isEntry) last = key(view)
        return names.has(name) && !isEntry ? last : key(view)
      },
    }
  })
}

export function eventsOf(matches: readonly (EventMatch | WaitCase | CompiledExit)[]): readonly string[] {
  return matches.flatMap((match) => ('events' in match ? [...match.events] : []))
}

export function waitedFor({ steps }: CompiledJourney): readonly WaitCase[] {
  return steps.flatMap((step) => (step.verb === 'waitFor' ? step.cases : []))
}

/** The same conditions, as they were or will be so many milliseconds from then. */
export function shifted({ verdict, ...rest }: Condition, ms: number): Condition {
  return {
    ...rest,
    verdict: (view) => {
      const found = verdict(Object.create(view, { at: { value: view.at + ms } }) as typeof view)
      return found - Math.sign(found) * ms
    },
  }
}

export const shiftedEnd =
  (ms: number) =>
  (end: StepOf<'wait'>['end']): StepOf<'wait'>['end'] => {
    return (view) => {
      const at = end(view)
      return at === undefined ? undefined : at + ms
    }
  }

export function later(event: IncomingEvent, at: number): IncomingEvent {
  return { ...event, timestamp: at }
}

export const millisecondsOf = ({ timestamp }: IncomingEvent, now: number) => Number(timestamp ?? now)

export function about(pattern: RegExp, mutant: JourneyMutant): JourneyMutant {
  return { ...mutant, about: pattern }
}

/** Earlier runs are told something else. */
export function earlierBecomes(about: RegExp, change: (earlier: unknown, journey: object) => unknown): JourneyMutant {
  const changed = (journey: unknown) => {
    const { earlier, ...rest } = journey as { readonly earlier?: unknown }
    const other = change(earlier, rest)
    return other === undefined ? rest : { ...rest, earlier: other }
  }
  return { about, journeys: (journeys) => journeys.map(changed) }
}

/** Only in cases that are about such things. */
export function focused(focus: Focus, mutants: Readonly<Record<string, JourneyMutant>>): typeof mutants {
  return Object.fromEntries(Object.entries(mutants).map(([name, mutant]) => [name, { ...mutant, focus }]))
}
