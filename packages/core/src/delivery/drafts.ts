import type { Decision } from '../domain/decision.js'
import { type Ruling, rule } from '../domain/guardrails.js'
import { subjectName } from '../domain/subject.js'
import { apartFromPoison, throwFailures } from '../poison.js'
import type { CopyRequest, Copywriter } from '../ports/copywriter.js'
import type { Delivery } from '../ports/store.js'
import { type CopyFault, copyFault, trimmedCopy } from './copy-faults.js'
import { Gatherer } from './gatherer.js'
import { inTime, OutOfTime } from './in-time.js'
import { variablesFor } from './message.js'
import type { DispatcherOptions } from './options.js'
import { Outcomes } from './outcomes.js'
import { haltFor, putAside } from './paused.js'
import { afterDraft, nextChannel } from './plan.js'
import { closed } from './settlement.js'
import { noteFailures } from './unwritable.js'

/** How long what was written is used. What it says of a person, a price or a day may not be true any more. */
const FRESH_MS = 24 * 60 * 60_000
const AT_ONCE = 8
/** After so many failures in a row it is not asked for a while: messages do not wait for one that is away. */
const FAILURES_TO_REST = 3
const REST_MS = 30_000
/** How many texts are written down in one transaction at most. */
const BATCH = 50

export interface DraftsOptions extends Pick<DispatcherOptions, 'store' | 'programs' | 'clock' | 'callTimeoutMs'> {
  /** Left out: every template's fallback is sent. */
  readonly copywriter: Copywriter | undefined
  /** Told that a message can leave now. */
  readonly onWritten: () => void
  readonly onError: (error: unknown) => void
}

/** Why a template's own text is sent. */
export type Declined =
  | CopyFault
  | 'no copywriter'
  | 'no template'
  | 'template'
  | 'no answer in time'
  | 'the copywriter rests'
  | 'the copywriter failed'

type Written = { readonly text: string } | { readonly declined: Declined; readonly detail?: string | undefined }

interface Asked {
  readonly draft: Delivery
  readonly request: CopyRequest
}

interface Answer {
  readonly draft: Delivery
  readonly written: Written
}

/** Has texts written for messages and suggestions, which follow when they are there. */
export class Drafts {
  private readonly writing = new Set<Promise<void>>()
  private readonly recording = new Gatherer((answers: readonly Answer[]) => this.record(answers), BATCH)

  private failures = 0
  private restsUntil = Number.NEGATIVE_INFINITY

  constructor(private readonly options: DraftsOptions) {}

  /** How many more may be claimed now; undefined where nobody writes, and so nothing takes long. */
  get room(): number | undefined {
    const { copywriter } = this.options
    if (copywriter === undefined || this.isResting) return undefined
    return Math.max(0, (copywriter.concurrency ?? AT_ONCE) - this.writing.size)
  }

  private get isResting(): boolean {
    return this.options.clock.now() < this.restsUntil
  }

  /** Has texts written for drafts that were claimed, and does not wait for them. */
  async begin(claims: readonly Delivery[]): Promise<void> {
    const asked = await apartFromPoison(claims, (some) => this.ask(some))
    const { copywriter, onError } = this.options
    for (const one of asked) {
      if (copywriter === undefined || one.status === 'rejected' || one.value === undefined) continue
      const { draft, request } = one.value
      const written = this.write(copywriter, draft, request)
        .catch(onError)
        .finally(() => this.writing.delete(written))
      this.writing.add(written)
    }
    throwFailures(await noteFailures(this.options, claims, asked))
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    while (this.writing.size > 0) await Promise.all(this.writing)
  }

  private async write(copywriter: Copywriter, draft: Delivery, request: CopyRequest): Promise<void> {
    const answer = { draft, written: await this.writtenBy(copywriter, request) }
    const [recorded] = await Promise.allSettled([this.recording.add(answer)])
    this.options.onWritten()
    throwFailures(await noteFailures(this.options, [draft], [recorded]))
  }

  /** What there is to ask for each; undefined for those that are put off, or go on without. */
  private async ask(claims: readonly Delivery[]): Promise<readonly (Asked | undefined)[]> {
    const asked = await this.settle(claims, (draft, outcomes) => this.askFor(draft, outcomes))
    return claims.map(({ key }) => asked.get(key))
  }

  private askFor(draft: Delivery, outcomes: Outcomes): Asked | undefined {
    const prospect = prospectOf(draft, outcomes)
    if (prospect.is === 'put off') prospect.putOff()
    else if (prospect.is === 'not sent') goOn(draft, undefined, outcomes)
    if (prospect.is !== 'sent') return undefined
    const request = this.requestFor(draft, outcomes)
    if (!('declined' in request)) return { draft, request }
    goOn(draft, request, outcomes)
    return undefined
  }

  private requestFor(draft: Delivery, outcomes: Outcomes): CopyRequest | Extract<Written, { declined: Declined }> {
    const { program } = outcomes
    const copy = program.templates.get(draft.body.what)?.copy
    if (copy === undefined) return { declined: 'no template' }
    if (this.options.copywriter === undefined) return { declined: 'no copywriter' }
    if (this.isResting) return { declined: 'the copywriter rests' }
    const rendered = copy.instructions(variablesFor(draft, outcomes.subjectOf(draft).state, program))
    if (!rendered.ok) return { declined: 'template', detail: rendered.error }
    const { maxLength, forbid } = copy
    return { key: draft.key, template: draft.body.what, instructions: rendered.text, maxLength, forbid }
  }

  private async writtenBy(copywriter: Copywriter, request: CopyRequest): Promise<Written> {
    const { clock, callTimeoutMs } = this.options
    const at = new Date(clock.now())
    try {
      const text: unknown = await inTime(callTimeoutMs, (signal) => copywriter.write(request, { at, signal }))
      this.failures = 0
      const trimmed = typeof text === 'string' ? trimmedCopy(text) : ''
      const fault = copyFault(trimmed, request)
      return fault === undefined ? { text: trimmed } : { declined: fault }
    } catch (error) {
      this.failures += 1
      if (this.failures >= FAILURES_TO_REST) this.restsUntil = clock.now() + REST_MS
      if (error instanceof OutOfTime) return { declined: 'no answer in time' }
      return { declined: 'the copywriter failed', detail: codeOf(error) }
    }
  }

  private async record(answers: readonly Answer[]): Promise<readonly undefined[]> {
    const byKey = new Map(answers.map(({ draft, written }) => [draft.key, written]))
    await this.settle(
      answers.map(({ draft }) => draft),
      (draft, outcomes) => {
        const written = byKey.get(draft.key)
        if (written !== undefined) goOn(draft, written, outcomes, this.options.copywriter?.name)
      },
    )
    return answers.map(() => undefined)
  }

  /** Has something become of drafts, in one transaction. Gives what comes of each, by its key. */
  private settle<T>(
    claims: readonly Delivery[],
    settleOne: (draft: Delivery, outcomes: Outcomes) => T,
  ): Promise<ReadonlyMap<string, T>> {
    return this.options.store.transaction(async (tx) => {
      const edition = await this.options.programs.in(tx)
      const outcomes = await Outcomes.lock(tx, this.options, edition, await tx.lockDeliveries(claims))
      const settled = new Map(outcomes.locked.map((draft) => [draft.key, settleOne(draft, outcomes)]))
      await outcomes.write()
      return settled
    })
  }
}

/** What would become now of the message that follows. */
type Prospect = { readonly is: 'sent' | 'not sent' } | { readonly is: 'put off'; readonly putOff: () => void }

/** Nothing is written, and nothing said of anybody, for what may not leave; nor before its time, as it might not be true later. */
function prospectOf(draft: Delivery, outcomes: Outcomes): Prospect {
  const { now } = outcomes
  const isSuggestion = draft.body.to !== undefined
  // A suggestion does not end with its run.
  if (!isSuggestion && outcomes.whyCalledOff(draft) !== undefined) return { is: 'not sent' }
  const halt = haltFor(draft, outcomes)
  if (halt?.state === 'paused') return { is: 'put off', putOff: () => putAside(draft, halt, outcomes, now) }
  if (halt !== undefined) return { is: 'not sent' }
  for (let next = nextChannel(draft, now); next !== undefined; next = nextChannel(next, now)) {
    const ruling = rulingFor(next, outcomes)
    if (ruling.ruling === 'defer') return { is: 'put off', putOff: () => putOff(draft, next, ruling, outcomes) }
    if (ruling.ruling === 'send') return { is: 'sent' }
  }
  return { is: isSuggestion ? 'sent' : 'not sent' }
}

function rulingFor({ subject, source, body }: Delivery, outcomes: Outcomes): Ruling {
  const { channel = '', class: messageClass = 'service' } = body
  const message = { channel, class: messageClass, journey: source.journey }
  return rule(outcomes.subjectOf({ subject }).state, message, outcomes.program.policies, outcomes.now)
}

function putOff(
  draft: Delivery,
  { body: { channel } }: Delivery,
  { until, reason, policy }: Extract<Ruling, { ruling: 'defer' }>,
  outcomes: Outcomes,
): void {
  outcomes.save({ ...draft, state: 'retry_at', dueAt: until, reason })
  const about = { ...aboutDraft(draft), channel, class: draft.body.class }
  const decision: Decision = { at: outcomes.now, decision: 'message.deferred', ...about, reason, rule: policy }
  outcomes.say({ ...decision, until: new Date(until).toISOString() })
}

function aboutDraft({ subject, source, body }: Delivery) {
  const { journey, run, step } = source
  return { subject: subjectName(subject), rule: journey, journey, run, step, template: body.what }
}

/**
 * Ends the draft; what follows it leaves with what was written, or with the template's own text. `written` is left out where it
 * will not leave: what follows says why.
 */
function goOn(draft: Delivery, written: Written | undefined, outcomes: Outcomes, by?: string): void {
  const { now } = outcomes
  const copy = written !== undefined && 'text' in written ? { text: written.text, until: now + FRESH_MS } : undefined
  const next = afterDraft(draft, copy, now)
  if (next !== undefined) outcomes.plan(next)
  const about = { at: now, ...aboutDraft(draft), ...(by !== undefined && { by }) }
  if (written === undefined) return outcomes.save(closed(draft, 'suppressed'))
  if (!('declined' in written)) {
    outcomes.save(closed(draft, 'accepted'))
    return outcomes.say({ ...about, decision: 'copy.written' })
  }
  const { declined: reason, detail } = written
  outcomes.save(closed(draft, 'rejected', reason))
  outcomes.say({ ...about, decision: 'copy.declined', reason, ...(detail !== undefined && { detail }) })
}

/** A short name of an error. Its text may say what was asked for. */
function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[\w.-]{1,60}$/.test(code) ? code : undefined
}
