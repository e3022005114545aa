import { type CompiledJourney, type CompiledStep, END, hashShare, holds, type StepTarget } from '@linli/rules'
import type { StepSource, StepVariables } from './decision.js'
import { evaluateDerived } from './derived.js'
import type { Draft } from './draft.js'
import type { Run } from './subject.js'

/** What one step does to a run: it goes on, it stays and waits, or it ends. */
type Outcome = { readonly go: StepTarget } | { readonly stay: number } | { readonly exit: string }

type StepOf<Verb extends CompiledStep['verb']> = Extract<CompiledStep, { verb: Verb }>

/** Writes down that the run has come to a step. */
type Stepped = (details?: Readonly<Record<string, unknown>>) => void

/** Takes a run on from a step, until it waits or ends. Steps nest and never lead back, so this ends. */
export function runSteps(draft: Draft, journey: CompiledJourney, run: Run, from: StepTarget): void {
  let current = run
  for (let target = from; target !== END; ) {
    const step = journey.steps[target]
    if (step === undefined) break
    current = { ...current, step: step.id, until: 0 }
    const outcome = perform(draft, journey, current, step)
    if ('stay' in outcome) return replaceRun(draft, { ...current, until: outcome.stay })
    if ('exit' in outcome) return exitRun(draft, current, outcome.exit)
    target = outcome.go
  }
  exitRun(draft, current, 'completed')
}

export function exitRun(draft: Draft, run: Run, reason: string): void {
  draft.writeRuns(
    draft.runs.filter((one) => one.id !== run.id),
    run.journey,
  )
  draft.decide('journey.exited', run.journey, { run: run.id, step: run.step, reason })
}

function replaceRun(draft: Draft, run: Run): void {
  draft.writeRuns(
    draft.runs.map((one) => (one.id === run.id ? run : one)),
    run.journey,
  )
}

function perform(draft: Draft, journey: CompiledJourney, run: Run, step: CompiledStep): Outcome {
  const stepped: Stepped = (details = {}) =>
    draft.decide('journey.stepped', journey.id, { run: run.id, step: step.id, verb: step.verb, ...details })
  if (step.verb === 'wait') return wait(draft, step, stepped)
  if (step.verb === 'split') return split(draft, journey, step, stepped)
  stepped()
  return act(draft, run, step, { journey: journey.id, run: run.id, step: step.id })
}

function act(
  draft: Draft,
  run: Run,
  step: StepOf<Exclude<CompiledStep['verb'], 'wait' | 'split'>>,
  source: StepSource,
): Outcome {
  // biome-ignore lint/nursery/useExhaustiveSwitchCases: the type leaves out the two that are missing.
  switch (step.verb) {
    case 'waitFor':
      return { stay: draft.at + step.timeoutMs }
    case 'branch':
      return { go: takeBranch(draft, run, step) }
    case 'send':
      // The run stays here until the message has left or never will, so that an exit in between still stops it.
      plan(draft, run, step, source)
      return { stay: 0 }
    case 'issue':
      draft.effects.push({ kind: 'issue', source, offer: step.offer, at: draft.at })
      return { stay: 0 }
    case 'suggest':
      suggest(draft, run, step, source)
      return { go: step.next }
    case 'tag':
      putTag(draft, step)
      return { go: step.next }
    case 'exit':
      return { exit: step.reason }
  }
}

function wait(draft: Draft, step: StepOf<'wait'>, stepped: Stepped): Outcome {
  const end = step.end(draft)
  if (end === undefined) {
    stepped({ reason: 'no date to come' })
    return { go: step.otherwise }
  }
  stepped()
  return end > draft.at ? { stay: end } : { go: step.next }
}

/** The variant is always the same for the same subject, in every run. */
function split(draft: Draft, { id }: CompiledJourney, step: StepOf<'split'>, stepped: Stepped): Outcome {
  const share = hashShare(`${id}/${step.id}|${draft.name}`)
  const variant = step.variants.find(({ below }) => share < below)
  stepped({ variant: variant?.id })
  return { go: variant?.then ?? END }
}

function takeBranch(draft: Draft, run: Run, step: StepOf<'branch'>): StepTarget {
  const atHand = draft.event
  // The event that brought the run here, also when time has passed since.
  draft.event = run.event ?? run.entry ?? atHand
  const taken = step.cases.find(({ condition }) => holds(condition.verdict(draft)))
  draft.event = atHand
  return taken?.then ?? step.otherwise
}

function plan(draft: Draft, run: Run, step: StepOf<'send'>, source: StepSource): void {
  const { template, channels, class: messageClass } = step
  const variables = variablesOf(run)
  draft.effects.push({ kind: 'send', source, template, channels, class: messageClass, variables, at: draft.at })
  const { run: id, step: stepId } = source
  draft.decide('message.planned', source.journey, {
    run: id,
    step: stepId,
    template,
    channel: channels[0],
    class: messageClass,
  })
}

function suggest(draft: Draft, run: Run, step: StepOf<'suggest'>, source: StepSource): void {
  const to = draft.key.kind === 'leader' ? draft.key.id : draft.relations.leader?.[0]
  if (to === undefined) {
    const details = { run: source.run, step: source.step, template: step.template, reason: 'no leader' }
    return draft.decide('message.suppressed', source.journey, details)
  }
  const expiresAt = draft.at + step.expiresMs
  const { template } = step
  draft.effects.push({ kind: 'suggest', source, template, to, expiresAt, variables: variablesOf(run), at: draft.at })
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
  }
}
