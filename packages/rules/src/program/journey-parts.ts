import { compileConditions, compileValue } from '../conditions/compile.js'
import type { Condition } from '../conditions/condition.js'
import { type Conditions, factReference } from '../conditions/tree.js'
import { DURATION_FORMS, parseDuration } from '../duration.js'
import type { ConditionScope } from '../facts/fact.js'
import { isObject } from '../json.js'
import type { Place } from '../problems.js'
import type { JourneyDefinition } from '../schemas/journey.js'
import type { SubjectKind } from '../subject.js'
import type { Template } from '../templates.js'
import type { ControlGroup, EventMatch, SaidValue } from './program.js'

/** What a journey's names may refer to. */
export interface JourneyScope {
  readonly conditions: ConditionScope
  readonly templates: ReadonlyMap<string, Template>
  readonly offerIds: ReadonlySet<string>
  /** Tags without conditions, which steps may put on and take off. */
  readonly manualTagIds: ReadonlySet<string>
  /** The control group, where the pack has one. */
  readonly control: ControlGroup | undefined
}

/** Names that something may refer to. */
type KnownNames = ReadonlySet<string> | ReadonlyMap<string, unknown>

const DAY_MS = 86_400_000

/** Reads what the parts of a journey are made of: conditions, names, durations. What is wrong is reported. */
export class JourneyParts {
  /** Whether anything reads the event that brings a run to a step, so that the run must keep it. */
  readsEvent = false

  constructor(
    readonly definition: JourneyDefinition,
    private readonly place: Place,
    readonly scope: JourneyScope,
  ) {}

  get subject(): SubjectKind {
    return this.definition.subject ?? 'user'
  }

  eventMatch(
    { event, conditions }: { event: string | string[]; conditions?: Conditions | undefined },
    pointer: string,
  ): EventMatch {
    const condition = conditions && this.condition(conditions, `${pointer}/conditions`, 'event', true)
    return { events: new Set(typeof event === 'string' ? [event] : event), condition }
  }

  condition(tree: Conditions, pointer: string, moment: 'state' | 'instant' | 'event', atHand = false): Condition {
    if (!atHand && readsEventFact(tree)) this.readsEvent = true
    return compileConditions(tree, this.at(pointer), { ...this.scope.conditions, moment })
  }

  duration(text: string, pointer: string): number {
    const ms = parseDuration(text)
    if (ms === undefined) this.error(pointer, 'duration.invalid', `A duration looks like ${DURATION_FORMS}.`, text)
    return ms ?? DAY_MS
  }

  checkTemplate(id: string, pointer: string): void {
    this.checkKnown(id, new Set(this.scope.templates.keys()), 'template', pointer)
    const reads = this.scope.templates.get(id)?.reads
    if (reads?.has('event') || reads?.has('entry')) this.readsEvent = true
  }

  checkTag(id: string, pointer: string): boolean {
    return this.checkKnown(id, this.scope.conditions.tagIds, 'tag', pointer)
  }

  checkKnown(id: string, known: KnownNames, kind: string, pointer: string): boolean {
    if (known.has(id)) return true
    const message = `The pack has no ${kind} ${JSON.stringify(id)}.`
    this.scope.conditions.problems.unknown(this.at(pointer), kind, id, known.keys(), message)
    return false
  }

  error(pointer: string, code: string, message: string, found: unknown): void {
    this.scope.conditions.problems.error(this.at(pointer), code, message, { found })
  }

  at(pointer: string): Place {
    return { file: this.place.file, pointer: `${this.place.pointer}/${pointer}` }
  }

  said(value: unknown, pointer: string): SaidValue {
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

  /** A program asks by an event of the log, and the log is of users. */
  checkUserEntry(): void {
    if (this.subject === 'user') return
    const message = `Programs enter users only, and this is a journey of a ${this.subject}. Enter it by an event of its members.`
    this.error('entry/on', 'entry.unfit', message, this.subject)
  }

  /** The log is of users. */
  checkUser(pointer: string, does: string): void {
    if (this.subject === 'user') return
    this.error(
      pointer,
      'step.unfit',
      `A step that ${does} is for journeys of users, and this is one of a ${this.subject}.`,
      this.subject,
    )
  }
}

function readsEventFact(tree: Conditions): boolean {
  if ('all' in tree) return tree.all.some(readsEventFact)
  if ('any' in tree) return tree.any.some(readsEventFact)
  if ('not' in tree) return readsEventFact(tree.not)
  return 'condition' in tree || tree.fact === 'event'
}
