import type { StepDefinition } from '../schemas/step.js'
import type { JourneyParts } from './journey-parts.js'
import type { CompiledStep, CompiledVerb, StepTarget, Variant, WaitCase } from './program.js'
import { compileWait } from './wait.js'

/** How long a suggestion is of use when its step does not say. */
const SUGGESTION_EXPIRES_MS = 7 * 86_400_000

/** Compiles the steps of a journey into one list, in which each knows where it leads. */
export class StepsCompiler {
  readonly steps: CompiledStep[] = []
  readonly stepIndex = new Map<string, number>()

  constructor(private readonly parts: JourneyParts) {}

  /** Compiles a list of steps that goes on at `after`; gives its first step. Later steps first: each knows its next. */
  sequence(steps: readonly StepDefinition[], pointer: string, after: StepTarget): StepTarget {
    let next = after
    for (const [index, step] of [...steps.entries()].reverse()) {
      next = this.step(step, `${pointer}/${index}`, next)
    }
    return next
  }

  private step(step: StepDefinition, pointer: string, next: StepTarget): StepTarget {
    if (this.stepIndex.has(step.id)) {
      this.parts.error(`${pointer}/id`, 'step.duplicate', `Two steps of this journey are called "${step.id}".`, step.id)
    }
    const compiled = this.verb(step, pointer, next)
    this.stepIndex.set(step.id, this.steps.length)
    return this.steps.push({ id: step.id, ...compiled }) - 1
  }

  private verb(step: StepDefinition, pointer: string, next: StepTarget): CompiledVerb {
    const nested = (steps: readonly StepDefinition[] | undefined, key: string) =>
      steps === undefined ? next : this.sequence(steps, `${pointer}/${key}`, next)
    if ('wait' in step) {
      const end = compileWait(step.wait, this.parts.at(`${pointer}/wait`), this.parts.scope.conditions.problems)
      return { verb: 'wait', end, next, otherwise: nested(step.else, 'else') }
    }
    if ('split' in step) return { verb: 'split', variants: this.variants(step.split, `${pointer}/split`, next) }
    if ('waitFor' in step) {
      const timeoutMs = this.parts.duration(step.waitFor.timeout, `${pointer}/waitFor/timeout`)
      const cases = this.waitCases(step, pointer, next)
      return { verb: 'waitFor', timeoutMs, cases, otherwise: nested(step.else, 'else') }
    }
    if ('branch' in step) {
      const cases = step.branch.map((one, index) => ({
        condition: this.parts.condition(one.conditions, `${pointer}/branch/${index}/conditions`, 'event'),
        then: nested(one.then, `branch/${index}/then`),
      }))
      return { verb: 'branch', cases, otherwise: nested(step.else, 'else') }
    }
    if ('send' in step) {
      const { template, channel, class: messageClass } = step.send
      this.parts.checkTemplate(template, `${pointer}/send/template`)
      const channels = typeof channel === 'string' ? [channel] : channel
      const on = {
        accepted: nested(step.on?.accepted, 'on/accepted'),
        refused: nested(step.on?.refused, 'on/refused'),
        suppressed: nested(step.on?.suppressed, 'on/suppressed'),
      }
      return { verb: 'send', template, channels, class: messageClass, on, branches: step.on !== undefined }
    }
    if ('issue' in step) {
      this.parts.checkKnown(step.issue.offer, this.parts.scope.offerIds, 'offer', `${pointer}/issue/offer`)
      return { verb: 'issue', offer: step.issue.offer, next, otherwise: nested(step.else, 'else') }
    }
    if ('suggest' in step) {
      this.parts.checkTemplate(step.suggest.template, `${pointer}/suggest/template`)
      const { expires } = step.suggest
      const expiresMs =
        expires === undefined ? SUGGESTION_EXPIRES_MS : this.parts.duration(expires, `${pointer}/suggest/expires`)
      return { verb: 'suggest', template: step.suggest.template, expiresMs, next }
    }
    if ('tag' in step) return this.tagStep(step.tag, pointer, next)
    if ('set' in step) {
      this.parts.checkUser(`${pointer}/set`, 'sets a trait')
      const { trait, value } = step.set
      return { verb: 'set', trait, value: this.parts.said(value, `${pointer}/set/value`), next }
    }
    if ('emit' in step) {
      this.parts.checkUser(`${pointer}/emit`, 'adds an event to the log')
      const { event, properties = {} } = step.emit
      const said = Object.entries(properties).map(
        ([name, value]) => [name, this.parts.said(value, `${pointer}/emit/properties/${name}`)] as const,
      )
      return { verb: 'emit', event, properties: new Map(said), next }
    }
    if ('start' in step) return this.startStep(step, pointer, next)
    if ('digest' in step) return this.digestStep(step.digest, `${pointer}/digest`, next)
    return { verb: 'exit', reason: step.exit.reason ?? 'exit step' }
  }

  private startStep(
    { start, then, else: otherwise }: Extract<StepDefinition, { start: unknown }>,
    pointer: string,
    next: StepTarget,
  ): CompiledVerb {
    const { parts } = this
    const { journey, wait } = start
    parts.checkKnown(journey, parts.scope.conditions.journeySteps, 'journey', `${pointer}/start/journey`)
    // The other journey is entered by the event that brought the run here.
    parts.readsEvent = true
    const nested = (steps: readonly StepDefinition[] | undefined, key: string) =>
      steps === undefined ? next : this.sequence(steps, `${pointer}/${key}`, next)
    return {
      verb: 'start',
      journey,
      waitMs: wait === undefined ? undefined : parts.duration(wait, `${pointer}/start/wait`),
      then: nested(then, 'then'),
      otherwise: nested(otherwise, 'else'),
    }
  }

  private digestStep(
    digest: Extract<StepDefinition, { digest: unknown }>['digest'],
    pointer: string,
    next: StepTarget,
  ): CompiledVerb {
    const { parts } = this
    const { entry } = parts.definition
    const { event, conditions, keep = 20 } = digest
    // The event that the run was entered by is the first of them.
    parts.readsEvent = true
    const collected = event !== undefined || entry.on !== 'event' ? { event: event ?? [], conditions } : entry
    if (event === undefined && entry.on !== 'event') {
      const message = 'Say what is collected, "event": …; this journey is not entered by an event.'
      parts.error(pointer, 'digest.event', message, digest)
    }
    if (event === undefined && conditions !== undefined) {
      const message = 'Say whose conditions these are, "event": …; without, the events are those of the entry.'
      parts.error(`${pointer}/conditions`, 'digest.conditions', message, conditions)
    }
    return {
      verb: 'digest',
      end: compileWait(digest.for, parts.at(`${pointer}/for`), parts.scope.conditions.problems),
      match: parts.eventMatch(collected, event === undefined ? 'entry' : pointer),
      keep,
      next,
    }
  }

  private waitCases(
    { waitFor, then }: Extract<StepDefinition, { waitFor: unknown }>,
    pointer: string,
    next: StepTarget,
  ): readonly WaitCase[] {
    const nested = (steps: readonly StepDefinition[] | undefined, at: string) =>
      steps === undefined ? next : this.sequence(steps, at, next)
    if (!('any' in waitFor)) {
      const match = this.parts.eventMatch(waitFor, `${pointer}/waitFor`)
      return [{ on: 'event', ...match, then: nested(then, `${pointer}/then`) }]
    }
    if (then !== undefined) {
      const message = 'Of several things that are waited for, each has its own "then". Put these steps there.'
      this.parts.error(`${pointer}/then`, 'waitFor.then', message, Object.keys(waitFor))
    }
    return waitFor.any.map((one, index): WaitCase => {
      const at = `${pointer}/waitFor/any/${index}`
      if (waitFor.any.findIndex(({ id }) => id === one.id) < index) {
        this.parts.error(`${at}/id`, 'case.duplicate', `Two cases are called "${one.id}".`, one.id)
      }
      const target = { id: one.id, then: nested(one.then, `${at}/then`) }
      if ('event' in one) return { on: 'event', ...target, ...this.parts.eventMatch(one, at) }
      return { on: 'state', ...target, condition: this.parts.condition(one.conditions, `${at}/conditions`, 'state') }
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
        this.parts.error(`${pointer}/${index}/id`, 'variant.duplicate', `Two variants are called "${id}".`, id)
      }
      sum += weight
      const target = then === undefined ? next : this.sequence(then, `${pointer}/${index}/then`, next)
      return { id, below: index + 1 === split.length ? 1 : sum / whole, then: target }
    })
  }

  private tagStep(change: { add: string } | { remove: string }, pointer: string, next: StepTarget): CompiledVerb {
    const put = 'add' in change
    const tag = put ? change.add : change.remove
    const at = `${pointer}/tag/${put ? 'add' : 'remove'}`
    if (this.parts.checkTag(tag, at) && !this.parts.scope.manualTagIds.has(tag)) {
      const message = `The tag "${tag}" has conditions, which decide who has it; a step can only change a tag without.`
      this.parts.error(at, 'tag.computed', message, tag)
    }
    return { verb: 'tag', tag, put, next }
  }
}
