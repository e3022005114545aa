import type { Conditions } from '../conditions/tree.js'
import type { Demand } from '../facts/feature.js'
import { canonicalJson, contentHash, isObject } from '../json.js'
import { compileProperty, PATH_FORMS } from '../path.js'
import type { Place } from '../problems.js'
import { type ExitDefinition, exitsOf, type JourneyDefinition } from '../schemas/journey.js'
import type { SubjectView } from '../subject.js'
import { DEFAULT_ZONE, isTimeZone } from '../time-zone.js'
import { compileCrossing } from './crossing.js'
import { JourneyParts, type JourneyScope } from './journey-parts.js'
import {
  type CompiledEntry,
  type CompiledExit,
  type CompiledGoal,
  type CompiledJourney,
  type CompiledStep,
  type CompiledTrigger,
  type ControlGroup,
  END,
  ENTRY_REQUEST,
  type Reentry,
} from './program.js'
import { compileSchedule } from './schedule.js'
import { StepsCompiler } from './steps.js'

/** `rank`: its place among the journeys of the pack. */
export function compileJourney(
  definition: JourneyDefinition,
  place: Place,
  scope: JourneyScope,
  rank: number,
): CompiledJourney {
  return new JourneyCompiler(definition, place, scope, rank).compile()
}

/** Names a definition of a journey, so that a run can keep the one it began with. */
export function journeyHash(definition: JourneyDefinition): string {
  return contentHash(canonicalJson(definition), 12)
}

/** A property of the entry event that an entry demands, for the index of journeys by event. */
export function entryDemand({ id, entry }: JourneyDefinition): Demand | undefined {
  if (entry.on === 'api') return { of: 'event', property: 'journey', values: [id] }
  return entry.on === 'event' && entry.conditions !== undefined ? demandOnEvent(entry.conditions) : undefined
}

function demandOnEvent(tree: Conditions): Demand | undefined {
  if ('all' in tree) return tree.all.map(demandOnEvent).find((demand) => demand !== undefined)
  if (!('fact' in tree) || tree.fact !== 'event' || tree.path !== undefined || isObject(tree.value)) return undefined
  const property = tree.params?.['property']
  if (typeof property !== 'string' || property.startsWith('$')) return undefined
  if (tree.operator === 'equal') return { of: 'event', property, values: [tree.value] }
  return tree.operator === 'in' && Array.isArray(tree.value) ? { of: 'event', property, values: tree.value } : undefined
}

class JourneyCompiler {
  private readonly parts: JourneyParts

  constructor(
    private readonly definition: JourneyDefinition,
    place: Place,
    scope: JourneyScope,
    private readonly rank: number,
  ) {
    this.parts = new JourneyParts(definition, place, scope)
  }

  compile(): CompiledJourney {
    const { definition } = this
    const entry = this.entry()
    const compiler = new StepsCompiler(this.parts)
    const first = compiler.sequence(definition.steps, 'steps', END)
    return {
      id: definition.id,
      subject: definition.subject ?? 'user',
      hash: journeyHash(definition),
      version: definition.version ?? 1,
      definition,
      entry,
      priority: definition.priority ?? 0,
      rank: this.rank,
      exclusive: definition.exclusive,
      limit: this.limit(),
      key: this.key(),
      reentry: this.reentry(),
      exits: this.exits(),
      goal: this.goal(),
      holdout: definition.holdout ?? 0,
      control: this.control(compiler.steps),
      steps: compiler.steps,
      first,
      stepIndex: compiler.stepIndex,
      keepsEvent: this.parts.readsEvent,
      earlier: this.earlier(compiler.stepIndex),
    }
  }

  private limit(): CompiledJourney['limit'] {
    const { limit } = this.definition
    if (limit === undefined) return undefined
    const { max, within, timeZone = DEFAULT_ZONE } = limit
    if (!isTimeZone(timeZone)) {
      const message = 'This is no IANA time zone, such as "Asia/Shanghai".'
      this.parts.error('limit/timeZone', 'timeZone.unknown', message, timeZone)
    }
    return { max, within, timeZone }
  }

  private entry(): CompiledEntry {
    const { entry } = this.definition
    if (entry.on === 'schedule') {
      const { problems } = this.parts.scope.conditions
      // In the audience, conditions are looked at while time passes, as those of a tag are.
      const condition = entry.conditions && this.parts.condition(entry.conditions, 'entry/conditions', 'state')
      return { on: entry.on, schedule: compileSchedule(entry, this.parts.at('entry'), problems), condition }
    }
    if (entry.on === 'api') {
      this.parts.checkUserEntry()
      return { on: entry.on, ...this.parts.eventMatch({ ...entry, event: ENTRY_REQUEST }, 'entry') }
    }
    const trigger = this.trigger(entry, 'entry')
    if (trigger.on === 'event') return trigger
    const condition = entry.conditions && this.parts.condition(entry.conditions, 'entry/conditions', 'instant')
    return { ...trigger, condition }
  }

  private exits(): readonly CompiledExit[] {
    return exitsOf(this.definition).map(({ exit, pointer }): CompiledExit => {
      if (exit.on !== 'conditions') return this.trigger(exit, pointer)
      return { on: 'conditions', condition: this.parts.condition(exit.conditions, `${pointer}/conditions`, 'state') }
    })
  }

  private trigger(
    trigger:
      | Exclude<JourneyDefinition['entry'], { on: 'schedule' | 'api' }>
      | Exclude<ExitDefinition, { on: 'conditions' }>,
    pointer: string,
  ): CompiledTrigger {
    if (trigger.on === 'start') return { on: 'start' }
    if (trigger.on === 'event') return { on: 'event' as const, ...this.parts.eventMatch(trigger, pointer) }
    if (trigger.on === 'score.crossed') {
      const crosses = compileCrossing(trigger, this.parts.at(pointer), this.parts.scope.conditions)
      return { on: trigger.on, score: trigger.score, crosses }
    }
    this.parts.checkTag(trigger.tag, `${pointer}/tag`)
    return { on: trigger.on, tag: trigger.tag }
  }

  private earlier(steps: ReadonlyMap<string, number>): CompiledJourney['earlier'] {
    const { earlier = 'drain', id } = this.definition
    if (typeof earlier === 'string') return earlier
    const { moveTo } = earlier
    if (!steps.has(moveTo)) {
      const place = this.parts.at('earlier/moveTo')
      const message = `Journey "${id}" has no step ${JSON.stringify(moveTo)} that runs could move to.`
      this.parts.scope.conditions.problems.unknown(place, 'step', moveTo, steps.keys(), message)
    }
    return { moveTo }
  }

  private goal(): CompiledGoal | undefined {
    const { goal } = this.definition
    if (goal === undefined) return undefined
    const value = goal.value === undefined ? undefined : this.property(goal.value, 'goal/value')
    const withinMs = this.parts.duration(goal.within, 'goal/within')
    return { ...this.parts.eventMatch(goal, 'goal'), withinMs, value }
  }

  /** A journey that serves somebody is for all; one that does nothing but tag and tell leaders, too. */
  private control(steps: readonly CompiledStep[]): ControlGroup | undefined {
    const { control } = this.parts.scope
    if (control === undefined) return undefined
    const classes = steps.flatMap((step) => (step.verb === 'send' ? [step.class] : []))
    const gives = classes.length > 0 || steps.some(({ verb }) => verb === 'issue')
    return gives && classes.every((one) => control.classes.has(one)) ? control : undefined
  }

  /** Reads a property of the event at hand. */
  private property(text: string, pointer: string): (view: SubjectView) => unknown {
    const read = compileProperty(text)
    if (read === undefined) {
      const message = `This is a property's name, or a path such as ${PATH_FORMS}.`
      this.parts.error(pointer, 'path.invalid', message, text)
    }
    return (view) => view.event && read?.(view.event.properties)
  }

  private key(): CompiledJourney['key'] {
    const { key } = this.definition
    if (key === undefined) return undefined
    const read = this.property(key, 'key')
    if (!['event', 'start', 'api'].includes(this.definition.entry.on)) {
      this.parts.error(
        'key',
        'key.entry',
        'A key is read from the entry event, and this journey is not entered by one.',
        key,
      )
    }
    return read
  }

  private reentry(): Reentry {
    const reentry = this.definition.reentry ?? 'oneAtATime'
    if (typeof reentry === 'string') return { kind: reentry }
    return { kind: 'after', ms: this.parts.duration(reentry.after, 'reentry/after') }
  }
}
