import { compileConditions, compileValue } from '../conditions/compile.js'
import type { Condition } from '../conditions/condition.js'
import { type Conditions, factReference } from '../conditions/tree.js'
import { DURATION_FORMS, parseDuration } from '../duration.js'
import type { ConditionScope } from '../facts/fact.js'
import type { Demand } from '../facts/feature.js'
import { canonicalJson, contentHash, isObject } from '../json.js'
import { compileProperty, PATH_FORMS } from '../path.js'
import type { Place } from '../problems.js'
import type { JourneyDefinition } from '../schemas/journey.js'
import type { StepDefinition } from '../schemas/step.js'
import type { Template } from '../templates.js'
import { compileCrossing } from './crossing.js'
import {
  type CompiledEntry,
  type CompiledExit,
  type CompiledJourney,
  type CompiledStep,
  type CompiledVerb,
  END,
  type EventMatch,
  type Reentry,
  type SaidValue,
  type StepTarget,
  type Variant,
  type WaitCase,
} from './program.js'
import { compileWait } from './wait.js'

/** What a journey's names may refer to. */
export interface JourneyScope {
  readonly conditions: ConditionScope
  readonly templates: ReadonlyMap<string, Template>
  readonly offerIds: ReadonlySet<string>
  /** Tags without conditions, which steps may put on and take off. */
  readonly manualTagIds: ReadonlySet<string>
}

const DAY_MS = 86_400_000
/** How long a suggestion is of use when its step does not say. */
const SUGGESTION_EXPIRES_MS = 7 * DAY_MS

export function compileJourney(definition: JourneyDefinition, place: Place, scope: JourneyScope): CompiledJourney {
  return new JourneyCompiler(definition, place, scope).compile()
}

/** Names a definition of a journey, so that a run can keep the one it began with. */
export function journeyHash(definition: JourneyDefinition): string {
  return contentHash(canonicalJson(definition), 12)
}

/** A property of the entry event that an entry demands, for the index of journeys by event. */
export function entryDemand(entry: JourneyDefinition['entry']): Demand | undefined {
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
  private readonly steps: CompiledStep[] = []
  private readonly stepIndex = new Map<string, number>()
  private readsEvent = false

  constructor(
    private readonly definition: JourneyDefinition,
    private readonly place: Place,
    private readonly scope: JourneyScope,
  ) {}

  compile(): CompiledJourney {
    const { definition } = this
    const entry = this.entry()
    const first = this.sequence(definition.steps, 'steps', END)
    return {
      id: definition.id,
      subject: definition.subject ?? 'user',
      hash: journeyHash(definition),
      version: definition.version ?? 1,
      definition,
      entry,
      key: this.key(),
      reentry: this.reentry(),
      exit: this.exit(),
      goal: definition.goal && {
        ...this.eventMatch(definition.goal, 'goal'),
        withinMs: this.duration(definition.goal.within, 'goal/within'),
      },
      holdout: definition.holdout ?? 0,
      steps: this.steps,
      first,
      stepIndex: this.stepIndex,
      keepsEvent: this.readsEvent,
    }
  }

  private entry(): CompiledEntry {
    const { entry } = this.definition
    const trigger = this.trigger(entry, 'entry')
    if (trigger.on === 'event') return trigger
    const condition = entry.conditions && this.condition(entry.conditions, 'entry/conditions', 'instant')
    return { ...trigger, condition }
  }

  private exit(): CompiledExit | undefined {
    const { exit } = this.definition
    return exit && this.trigger(exit, 'exit')
  }

  private trigger(trigger: JourneyDefinition['entry'] | NonNullable<JourneyDefinition['exit']>, pointer: string) {
    if (trigger.on === 'event') return { on: 'event' as const, ...this.eventMatch(trigger, pointer) }
    if (trigger.on === 'score.crossed') {
      const crosses = compileCrossing(trigger, this.at(pointer), this.scope.conditions)
      return { on: trigger.on, score: trigger.score, crosses }
    }
    this.checkTag(trigger.tag, `${pointer}/tag`)
    return { on: trigger.on, tag: trigger.tag }
  }

  private key(): CompiledJourney['key'] {
    const { key } = this.definition
    if (key === undefined) return undefined
    const read = compileProperty(key)
    if (read === undefined) {
      this.error('key', 'path.invalid', `A key is a property's name, or a path such as ${PATH_FORMS}.`, key)
    }
    if (this.definition.entry.on !== 'event') {
      this.error('key', 'key.entry', 'A key is read from the entry event, and this journey is not entered by one.', key)
    }
    return (view) => view.event && read?.(view.event.properties)
  }

  private reentry(): Reentry {
    const reentry = this.definition.reentry ?? 'oneAtATime'
    if (typeof reentry === 'string') return { kind: reentry }
    return { kind: 'after', ms: this.duration(reentry.after, 'reentry/after') }
  }

  /** Compiles a list of steps that goes on at `after`; gives its first step. Later steps first: each knows its next. */
  private sequence(steps: readonly StepDefinition[], pointer: string, after: StepTarget): StepTarget {
    let next = after
    for (const [index, step] of [...steps.entries()].reverse()) {
      if ('exit' in step && index + 1 < steps.length) {
        const message = 'This step is never reached: the one before ends the run.'
        this.scope.conditions.problems.warning(this.at(`${pointer}/${index + 1}`), 'step.unreachable', message)
      }
      next = this.step(step, `${pointer}/${index}`, next)
    }
    return next
  }

  private step(step: StepDefinition, pointer: string, next: StepTarget): StepTarget {
    if (this.stepIndex.has(step.id)) {
      this.error(`${pointer}/id`, 'step.duplicate', `Two steps of this journey are called "${step.id}".`, step.id)
    }
    const compiled = this.verb(step, pointer, next)
    this.stepIndex.set(step.id, this.steps.length)
    return this.steps.push({ id: step.id, ...compiled }) - 1
  }

  private verb(step: StepDefinition, pointer: string, next: StepTarget): CompiledVerb {
    const nested = (steps: readonly StepDefinition[] | undefined, key: string) =>
      steps === undefined ? next : this.sequence(steps, `${pointer}/${key}`, next)
    if ('wait' in step) {
      const end = compileWait(step.wait, this.at(`${pointer}/wait`), this.scope.conditions.problems)
      return { verb: 'wait', end, next, otherwise: nested(step.else, 'else') }
    }
    if ('split' in step) return { verb: 'split', variants: this.variants(step.split, `${pointer}/split`, next) }
    if ('waitFor' in step) {
      const timeoutMs = this.duration(step.waitFor.timeout, `${pointer}/waitFor/timeout`)
      const cases = this.waitCases(step, pointer, next)
      return { verb: 'waitFor', timeoutMs, cases, otherwise: nested(step.else, 'else') }
    }
    if ('branch' in step) {
      const cases = step.branch.map((one, index) => ({
        condition: this.condition(one.conditions, `${pointer}/branch/${index}/conditions`, 'event'),
        then: nested(one.then, `branch/${index}/then`),
      }))
      return { verb: 'branch', cases, otherwise: nested(step.else, 'else') }
    }
    if ('send' in step) {
      const { template, channel, class: messageClass } = step.send
      this.checkTemplate(template, `${pointer}/send/template`)
      const channels = typeof channel === 'string' ? [channel] : channel
      return { verb: 'send', template, channels, class: messageClass, next }
    }
    if ('issue' in step) {
      this.checkKnown(step.issue.offer, this.scope.offerIds, 'offer', `${pointer}/issue/offer`)
      return { verb: 'issue', offer: step.issue.offer, next, otherwise: nested(step.else, 'else') }
    }
    if ('suggest' in step) {
      this.checkTemplate(step.suggest.template, `${pointer}/suggest/template`)
      const { expires } = step.suggest
      const expiresMs =
        expires === undefined ? SUGGESTION_EXPIRES_MS : this.duration(expires, `${pointer}/suggest/expires`)
      return { verb: 'suggest', template: step.suggest.template, expiresMs, next }
    }
    if ('tag' in step) return this.tagStep(step.tag, pointer, next)
    if ('set' in step) {
      this.checkUser(`${pointer}/set`, 'sets a trait')
      const { trait, value } = step.set
      return { verb: 'set', trait, value: this.said(value, `${pointer}/set/value`), next }
    }
    if ('emit' in step) {
      this.checkUser(`${pointer}/emit`, 'adds an event to the log')
      const { event, properties = {} } = step.emit
      const said = Object.entries(properties).map(
        ([name, value]) => [name, this.said(value, `${pointer}/emit/properties/${name}`)] as const,
      )
      return { verb: 'emit', event, properties: new Map(said), next }
    }
    return { verb: 'exit', reason: step.exit.reason ?? 'exit step' }
  }

  private waitCases(
    { waitFor, then }: Extract<StepDefinition, { waitFor: unknown }>,
    pointer: string,
    next: StepTarget,
  ): readonly WaitCase[] {
    const nested = (steps: readonly StepDefinition[] | undefined, at: string) =>
      steps === undefined ? next : this.sequence(steps, at, next)
    if (!('any' in waitFor)) {
      const match = this.eventMatch(waitFor, `${pointer}/waitFor`)
      return [{ on: 'event', ...match, then: nested(then, `${pointer}/then`) }]
    }
    if (then !== undefined) {
      const message = 'Of several things that are waited for, each has its own "then". Put these steps there.'
      this.error(`${pointer}/then`, 'waitFor.then', message, Object.keys(waitFor))
    }
    return waitFor.any.map((one, index): WaitCase => {
      const at = `${pointer}/waitFor/any/${index}`
      if (waitFor.any.findIndex(({ id }) => id === one.id) < index) {
        this.error(`${at}/id`, 'case.duplicate', `Two cases are called "${one.id}".`, one.id)
      }
      const target = { id: one.id, then: nested(one.then, `${at}/then`) }
      if ('event' in one) return { on: 'event', ...target, ...this.eventMatch(one, at) }
      return { on: 'state', ...target, condition: this.condition(one.conditions, `${at}/conditions`, 'state') }
    })
  }

  private variants(
    split: Extract<StepDefinition, { split: unknown }>['split'],
    pointer: string,
    next: StepTarget,
  ): readonly Variant[] {
    const whole = split.reduce((sum, { weight }) => sum + weight, 0)
    let sum = 0
    return split.map(({ id, weight, then }, index) => {
      if (split.findIndex((one) => one.id === id) < index) {
        this.error(`${pointer}/${index}/id`, 'variant.duplicate', `Two variants are called "${id}".`, id)
      }
      sum += weight
      const target = then === undefined ? next : this.sequence(then, `${pointer}/${index}/then`, next)
      return { id, below: index + 1 === split.length ? 1 : sum / whole, then: target }
    })
  }

  /** The log is of users. */
  private checkUser(pointer: string, does: string): void {
    const { subject = 'user' } = this.definition
    if (subject === 'user') return
    this.error(
      pointer,
      'step.unfit',
      `A step that ${does} is for journeys of users, and this is one of a ${subject}.`,
      subject,
    )
  }

  private said(value: unknown, pointer: string): SaidValue {
    if (!isObject(value) || typeof value['fact'] !== 'string') return () => value
    const shape = factReference.safeParse(value)
    if (!shape.success) {
      this.error(pointer, 'value.fact', 'A fact is { "fact", "params", "path" }.', value)
      return () => undefined
    }
    this.readsEvent ||= shape.data.fact === 'event'
    const use = compileValue(shape.data, this.at(pointer), { ...this.scope.conditions, moment: 'event' })
    return (view) => use?.read(view)
  }

  private tagStep(change: { add: string } | { remove: string }, pointer: string, next: StepTarget): CompiledVerb {
    const put = 'add' in change
    const tag = put ? change.add : change.remove
    const at = `${pointer}/tag/${put ? 'add' : 'remove'}`
    if (this.checkTag(tag, at) && !this.scope.manualTagIds.has(tag)) {
      const message = `The tag "${tag}" has conditions, which decide who has it; a step can only change a tag without.`
      this.error(at, 'tag.computed', message, tag)
    }
    return { verb: 'tag', tag, put, next }
  }

  private eventMatch(
    { event, conditions }: { event: string | string[]; conditions?: Conditions | undefined },
    pointer: string,
  ): EventMatch {
    const condition = conditions && this.condition(conditions, `${pointer}/conditions`, 'event', true)
    return { events: new Set(typeof event === 'string' ? [event] : event), condition }
  }

  private condition(
    tree: Conditions,
    pointer: string,
    moment: 'state' | 'instant' | 'event',
    atHand = false,
  ): Condition {
    if (!atHand && readsEventFact(tree)) this.readsEvent = true
    return compileConditions(tree, this.at(pointer), { ...this.scope.conditions, moment })
  }

  private duration(text: string, pointer: string): number {
    const ms = parseDuration(text)
    if (ms === undefined) this.error(pointer, 'duration.invalid', `A duration looks like ${DURATION_FORMS}.`, text)
    return ms ?? DAY_MS
  }

  private checkTemplate(id: string, pointer: string): void {
    this.checkKnown(id, new Set(this.scope.templates.keys()), 'template', pointer)
    const reads = this.scope.templates.get(id)?.reads
    if (reads?.has('event') || reads?.has('entry')) this.readsEvent = true
  }

  private checkTag(id: string, pointer: string): boolean {
    return this.checkKnown(id, this.scope.conditions.tagIds, 'tag', pointer)
  }

  private checkKnown(id: string, known: ReadonlySet<string>, kind: string, pointer: string): boolean {
    if (known.has(id)) return true
    const message = `The pack has no ${kind} ${JSON.stringify(id)}.`
    this.scope.conditions.problems.unknown(this.at(pointer), kind, id, known, message)
    return false
  }

  private error(pointer: string, code: string, message: string, found: unknown): void {
    this.scope.conditions.problems.error(this.at(pointer), code, message, { found })
  }

  private at(pointer: string): Place {
    return { file: this.place.file, pointer: `${this.place.pointer}/${pointer}` }
  }
}

function readsEventFact(tree: Conditions): boolean {
  if ('all' in tree) return tree.all.some(readsEventFact)
  if ('any' in tree) return tree.any.some(readsEventFact)
  if ('not' in tree) return readsEventFact(tree.not)
  return 'condition' in tree || tree.fact === 'event'
}
