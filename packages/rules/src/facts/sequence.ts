import * as z from 'zod'
import { conditionsSchema } from '../conditions/tree.js'
import { DURATION_FORMS, parseDuration } from '../duration.js'
import { canonicalJson, contentHash } from '../json.js'
import type { EventRecord, SubjectView } from '../subject.js'
import { type ChainEntry, type ChainShape, type Completion, completionsOf, reachOf } from './chains.js'
import { compileFilterAt, eventNames, filterParams, propertyParam, readProperty } from './event-filter.js'
import { type FactRequest, type FactType, type FactUse, paramsPlace } from './fact.js'
import type { EventFilter } from './feature.js'
import { SequenceFeature, type SequencePart, type SequenceState } from './sequence-feature.js'
import { stateReader } from './state-reader.js'
import { type Tally, useOfTally } from './sweep.js'
import { checkNumericLeaf } from './thresholds.js'
import { countsFrom, isInside, readWindow, type Window, windowParams } from './window.js'

const filterSchema = z.strictObject(filterParams)

const stepSchema = z.strictObject({
  event: eventNames.optional(),
  where: conditionsSchema.optional().describe("Conditions over the event's properties."),
  item: conditionsSchema.optional().describe('Conditions over one element of its "items"; one match is enough.'),
  within: z.string().optional().describe('At most this long after the step before. Each step but the first needs it.'),
  unless: filterSchema.optional().describe('Such an event must not lie between the step before and this one.'),
  no: filterSchema.optional().describe('Instead of "event", as the last step: such an event must not follow …'),
  for: z.string().optional().describe('… for this long.'),
})

const sequenceParams = z.strictObject({
  steps: z.array(stepSchema).min(2).max(8).describe('The steps, one after the other.'),
  by: propertyParam.optional().describe('A property that all events of one sequence have the same value of.'),
  ...windowParams,
})

type SequenceParams = z.infer<typeof sequenceParams>
type SequenceRequest = FactRequest<SequenceParams>
type Step = z.infer<typeof stepSchema>

export const sequence: FactType<SequenceParams> = {
  name: 'sequence',
  summary: 'How many times events followed one another in this order. It needs a window.',
  params: sequenceParams,
  compile: compileSequence,
}

function compileSequence(request: SequenceRequest): FactUse | undefined {
  const { params, place, scope, leaf } = request
  const window = readWindow(params, place, scope)
  const known = readSteps(request)
  const by = params.by === undefined ? undefined : readProperty(params.by, place, scope)
  if (window === undefined || known === undefined || !checkNumericLeaf(leaf, 'sequence', scope)) return undefined
  if (params.by !== undefined && by === undefined) return undefined
  if (window.endless) {
    const message = 'A sequence needs a window: one of "within", "between", "since", "during".'
    scope.problems.error(paramsPlace(place), 'sequence.window', message, { found: params })
    return undefined
  }
  const { shape, parts } = known
  const definition = { shape, parts: parts.map(({ filter }) => filter.definition), by: params.by }
  const key = contentHash(canonicalJson({ measure: 'sequence', ...definition }), 12)
  const keyOf = by && ((event: EventRecord) => by(event.properties))
  const feature = scope.features.obtain(key, () => new SequenceFeature(key, parts, keyOf))
  feature.retention.need(Number.POSITIVE_INFINITY, window, reachOf(shape))
  const state = stateReader<SequenceState>(key, scope)
  const entries = (view: SubjectView) => {
    return completionsOf(state(view)?.[0] ?? [], shape).map(({ at }): readonly [number] => [at])
  }
  return {
    ...useOfTally({ window, entries, tally: () => new Completions() }, leaf),
    window: window.text,
    forgotten: (view) => state(view)?.[1],
    moved: { by: 'counting', from: countsFrom(window) },
    evidence: (view, events) => eventsOfChains(view, events, { feature, shape, window }),
  }
}

class Completions implements Tally<unknown> {
  private count = 0

  enter(): void {
    this.count += 1
  }

  leave(): void {
    this.count -= 1
  }

  value(): number {
    return this.count
  }
}

/** The events of those chains that count, each once, in order of time. */
function eventsOfChains(
  view: SubjectView,
  events: readonly EventRecord[],
  { feature, shape, window }: { feature: SequenceFeature; shape: ChainShape; window: Window },
): readonly EventRecord[] {
  const found = new Map<ChainEntry, EventRecord>()
  for (const event of events.filter(({ at }) => at <= view.at).sort((a, b) => a.at - b.at)) {
    const entry = feature.entryOf(event)
    if (entry !== undefined) found.set(entry, event)
  }
  const span = window.spanFor(view)
  const counting = (completion: Completion<ChainEntry>) => isInside(span, completion.at, view.at)
  const chains = completionsOf([...found.keys()], shape).filter(counting)
  const used = new Set(chains.flatMap((completion) => completion.chain()))
  return [...found].filter(([entry]) => used.has(entry)).map(([, event]) => event)
}

/** The steps as bits and filters; undefined after an error has been reported. */
function readSteps(request: SequenceRequest): { shape: ChainShape; parts: readonly SequencePart[] } | undefined {
  const { steps } = request.params
  const read = steps.map((step, index) => readStep(request, step, index))
  const parts: SequencePart[] = []
  const part = (filter: EventFilter | undefined) => {
    if (filter === undefined) return 0
    const bit = 2 ** parts.length
    parts.push({ bit, filter })
    return bit
  }
  const chain: ChainShape['steps'][number][] = []
  let absence: ChainShape['absence']
  for (const step of read) {
    if (step === undefined) return undefined
    const { filter, ms, unless } = step
    if (step.kind === 'absence') absence = { part: part(filter), forMs: ms }
    else chain.push({ part: part(filter), withinMs: ms, unless: part(unless) })
  }
  return { shape: { steps: chain, absence }, parts }
}

interface ReadStep {
  readonly kind: 'event' | 'absence'
  readonly filter: EventFilter
  readonly ms: number
  readonly unless?: EventFilter | undefined
}

function readStep(request: SequenceRequest, step: Step, index: number): ReadStep | undefined {
  const { params, place, scope } = request
  const at = paramsPlace(place, 'steps', String(index))
  const refuse = (message: string) => {
    scope.problems.error(at, 'sequence.step', message, { found: step })
    return undefined
  }
  const filterAt = (filter: z.infer<typeof filterSchema>, ...tokens: string[]) =>
    compileFilterAt(filter, { file: at.file, pointer: [at.pointer, ...tokens].join('/') }, scope)
  if (step.no !== undefined) {
    const { no, for: length, ...rest } = step
    if (index === 0 || index < params.steps.length - 1) return refuse('"no" is for the last step.')
    if (Object.values(rest).some((value) => value !== undefined))
      return refuse('"no" goes with "for", and nothing else.')
    if (length === undefined) return refuse('"no" needs "for": how long such an event must not follow, such as "2h".')
    const ms = readLength(length, [at.pointer, 'for'], request)
    return ms === undefined ? undefined : { kind: 'absence', filter: filterAt(no, 'no'), ms }
  }
  const { event, where, item, within, unless } = step
  if (event === undefined) return refuse('A step needs "event" (or, as the last one, "no" and "for").')
  if (step.for !== undefined) return refuse('"for" goes with "no". How long a step may take is said by "within".')
  const filter = filterAt({ event, where, item })
  if (index === 0) {
    if (within !== undefined || unless !== undefined) {
      return refuse('The first step has no step before it: leave out "within" and "unless".')
    }
    return { kind: 'event', filter, ms: Number.POSITIVE_INFINITY }
  }
  if (within === undefined) return refuse('"within" is missing: how long after the step before, such as "2h".')
  const ms = readLength(within, [at.pointer, 'within'], request)
  return ms === undefined ? undefined : { kind: 'event', filter, ms, unless: unless && filterAt(unless, 'unless') }
}

function readLength(text: string, pointer: readonly string[], { place, scope }: SequenceRequest): number | undefined {
  const ms = parseDuration(text)
  if (ms !== undefined) return ms
  const at = { file: place.file, pointer: pointer.join('/') }
  scope.problems.error(at, 'duration.invalid', `A length of time looks like ${DURATION_FORMS}.`, { found: text })
  return undefined
}
