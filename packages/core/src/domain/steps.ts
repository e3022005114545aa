import {
  type CompiledJourney,
  type CompiledStep,
  END,
  hashShare,
  holds,
  type SaidValue,
  type StepTarget,
  until,
  type Variant,
  type WaitCase,
} from '@linli/rules'
import type { SayEffect, StepResult, StepVariables } from './decision.js'
import { evaluateDerived } from './derived.js'
import { beginDigest } from './digests.js'
import type { Draft } from './draft.js'
import { rememberVariant } from './goals.js'
import { exitRun, replaceRun, type StepOf, withEventOf } from './runs.js'
import type { Digest, Run, StepSource } from './subject.js'
import { mayTell } from './untold.js'

/** What one step does to a run: it goes on, it stays and waits, or it ends. */
type Outcome =
  | { readonly go: StepTarget; readonly variant?: string }
  | { readonly stay: number; readonly deadline?: number; readonly digest?: Digest }
  | { readonly exit: string }

/**
 * Takes a run on from a step, until it waits or ends. Steps nest and never lead back, so this ends. `arrival`: what is said
 * of the first step beyond that the run has come to it.
 */
export function runSteps(
  draft: Draft,
  journey: CompiledJourney,
  run: Run,
  from: StepTarget,
  arrival: Readonly<Record<string, unknown>> = {},
): void {
  let current = run
  for (let target = from; target !== END; ) {
    const step = journey.steps[target]
    if (step === undefined) break
    current = { ...withoutWait(current), step: step.id, since: draft.at, until: 0 }
    const details = { ...detailsOf(draft, journey, step), ...(target === from && arrival) }
    draft.decide('journey.stepped', journey.id, { run: run.id, step: step.id, verb: step.verb, ...details })
    const outcome = perform(draft, journey, current, step)
    if ('stay' in outcome) {
      const { stay: until, ...waiting } = outcome
      return replaceRun(draft, { ...current, until, ...waiting })
    }
    if ('exit' in outcome) return exitRun(draft, current, outcome.exit)
    if (outcome.variant !== undefined) current = rememberVariant(draft, current, outcome.variant)
    target = outcome.go
  }
  exitRun(draft, current, 'completed')
}

/** A run that waits for nothing any more. */
function withoutWait(run: Run): Run {
  if (run.deadline === undefined && run.child === undefined) return run
  const { deadline: _, child: __, ...passing } = run
  return passing
}

/** What is said of a step beyond that the run has come to it. */
function detailsOf(draft: Draft, journey: CompiledJourney, step: CompiledStep) {
  if (step.verb === 'split') return { variant: variantOf(draft, journey, step)?.id }
  return step.verb === 'wait' && step.end(draft) === undefined ? { reason: 'no date to come' } : {}
}

function perform(draft: Draft, journey: CompiledJourney, run: Run, step: CompiledStep): Outcome {
  const { moves } = run
  const source = { journey: journey.id, run: run.id, step: step.id, ...(moves !== undefined && { moves }) }
  switch (step.verb) {
    case 'wait':
      return wait(draft, step)
    case 'split':
      return takeVariant(draft, journey, step)
    case 'waitFor':
      return waitFor(draft, step)
    case 'branch':
      return { go: takeBranch(draft, run, step) }
    case 'send':
      // The run stays here until the message has left or never will, so that an exit in between still stops it.
      plan(draft, run, step, source)
      return { stay: 0 }
    case 'issue':
      issue(draft, step, source)
      return { stay: 0 }
    case 'suggest':
      suggest(draft, run, step, source)
      return { go: step.next }
    case 'tag':
      putTag(draft, step)
      return { go: step.next }
    case 'set':
      // What is said comes back as an event; only then does the run go on, so that the next step knows it.
      say(draft, run, source, 'identify', 'identify', [[step.trait, step.value]])
      return { stay: 0 }
    case 'emit':
      say(draft, run, source, 'track', step.event, step.properties)
      return { stay: 0 }
    case 'start':
      draft.starts.push({ run: run.id, step: step.id })
      return step.waitMs === undefined
        ? { stay: 0 }
        : { stay: draft.at + step.waitMs, deadline: draft.at + step.waitMs }
    case 'digest':
      return { stay: step.end(draft) ?? draft.at, digest: beginDigest(draft, run, step) }
    case 'exit':
      return { exit: step.reason }
  }
}

function wait(draft: Draft, step: StepOf<'wait'>): Outcome {
  const end = step.end(draft)
  if (end === undefined) return { go: step.otherwise }
  return end > draft.at ? { stay: end } : { go: step.next }
}

function waitFor(draft: Draft, step: StepOf<'waitFor'>): Outcome {
  const deadline = draft.at + step.timeoutMs
  // Conditions are looked at when all that brought the run here has been taken in.
  return step.cases.some(({ on }) => on === 'state') ? { stay: deadline, deadline } : { stay: deadline }
}

/** Goes on where conditions that a run waits for hold, and says whether it did; else it knows when to look again. */
export function awaitConditions(draft: Draft, journey: CompiledJourney, run: Run, step: StepOf<'waitFor'>): boolean {
  let again = run.deadline ?? Number.POSITIVE_INFINITY
  for (const one of step.cases) {
    if (one.on !== 'state') continue
    const verdict = one.condition.verdict(draft)
    if (holds(verdict)) {
      takeCase(draft, journey, run, one)
      return true
    }
    again = Math.min(again, until(verdict))
  }
  if (again !== run.until) replaceRun(draft, { ...run, until: again })
  return false
}

/** Goes on with what was waited for; where it was one of several things, says which. */
export function takeCase(draft: Draft, journey: CompiledJourney, run: Run, { id, then }: WaitCase): void {
  if (id !== undefined) {
    draft.decide('journey.stepped', journey.id, { run: run.id, step: run.step, verb: 'waitFor', case: id })
  }
  runSteps(draft, journey, run, then)
}

/** Goes on after a message; where steps depend on what became of it, says what did. */
export function followSend(
  draft: Draft,
  journey: CompiledJourney,
  run: Run,
  step: StepOf<'send'>,
  outcome: StepResult,
): void {
  if (step.branches) {
    draft.decide('journey.stepped', journey.id, { run: run.id, step: run.step, verb: 'send', outcome })
  }
  runSteps(draft, journey, run, step.on[outcome])
}

function takeVariant(draft: Draft, journey: CompiledJourney, step: StepOf<'split'>): Outcome {
  const variant = variantOf(draft, journey, step)
  return variant === undefined ? { go: END } : { go: variant.then, variant: variant.id }
}

/** Always the same for the same subject, in every run. */
function variantOf(draft: Draft, { id }: CompiledJourney, step: StepOf<'split'>): Variant | undefined {
  const share = hashShare(`${id}/${step.id}|${draft.name}`)
  return step.variants.find(({ below }) => share < below)
}

function takeBranch(draft: Draft, run: Run, step: StepOf<'branch'>): StepTarget {
  const taken = withEventOf(run, draft, () => step.cases.find(({ condition }) => holds(condition.verdict(draft))))
  return taken?.then ?? step.otherwise
}

function say(
  draft: Draft,
  run: Run,
  source: StepSource,
  type: SayEffect['type'],
  event: string,
  said: Iterable<readonly [string, SaidValue]>,
): void {
  // A fact without a value says nothing: JSON, as which it goes through the log, has no word for it.
  const values = withEventOf(run, draft, () =>
    Object.fromEntries(
      [...said].map(([name, value]) => [name, value(draft)]).filter(([, value]) => value !== undefined),
    ),
  )
  draft.effects.push({ kind: 'say', source, type, event, values, link: (run.link ?? 0) + 1, at: draft.at })
}

function plan(draft: Draft, run: Run, step: StepOf<'send'>, source: StepSource): void {
  const { template, channels, class: messageClass } = step
  const variables = variablesOf(run)
  mayTell(draft, run, source)
  const isWritten = wantsCopy(draft, template)
  const message = { template, channels, class: messageClass, variables, isWritten }
  draft.effects.push({ kind: 'send', source, ...message, at: draft.at })
  const { run: id, step: stepId } = source
  draft.decide('message.planned', source.journey, {
    run: id,
    step: stepId,
    template,
    channel: channels[0],
    class: messageClass,
  })
}

function issue(draft: Draft, { offer }: StepOf<'issue'>, source: StepSource): void {
  const issuer = draft.program.offers.get(offer)?.issuer
  draft.effects.push({ kind: 'issue', source, offer, at: draft.at, ...(issuer !== undefined && { issuer }) })
}

function suggest(draft: Draft, run: Run, step: StepOf<'suggest'>, source: StepSource): void {
  const to = draft.key.kind === 'leader' ? draft.key.id : draft.relations.leader?.[0]
  if (to === undefined) {
    const details = { run: source.run, step: source.step, template: step.template, reason: 'no leader' }
    return draft.decide('message.suppressed', source.journey, details)
  }
  const expiresAt = draft.at + step.expiresMs
  const { template } = step
  mayTell(draft, run, source)
  const variables = variablesOf(run)
  const isWritten = wantsCopy(draft, template)
  draft.effects.push({ kind: 'suggest', source, template, to, expiresAt, variables, isWritten, at: draft.at })
}

function wantsCopy({ program }: Draft, template: string): boolean {
  return program.templates.get(template)?.copy !== undefined
}

function putTag(draft: Draft, step: StepOf<'tag'>): void {
  const tag = draft.rules.tagsById.get(step.tag)
  if (tag === undefined || draft.hasTag(tag.id) === step.put) return
  draft.changeTag(tag, step.put, 0)
  evaluateDerived(draft, draft.rules.readers.tags.get(tag.id) ?? [])
}

function variablesOf(run: Run): StepVariables {
  const event = run.event ?? run.entry
  return {
    ...(run.entry && { entry: run.entry.properties }),
    ...(event && { event: event.properties }),
    ...(run.coupon && { coupon: run.coupon }),
    ...(run.digest && { digest: run.digest }),
  }
}
