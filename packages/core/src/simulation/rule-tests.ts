import {
  type CompiledExpectation,
  type CompiledTest,
  canonicalJson,
  compileProgram,
  compileTests,
  type Pack,
  type Place,
  Problems,
  type Program,
  type TestDefinition,
} from '@linli/rules'
import { DECISION_KINDS, type Decision } from '../domain/decision.js'
import { subjectName } from '../domain/subject.js'
import type { IncomingEvent } from '../ingest/event.js'
import type { Explained } from '../insights/explained.js'
import { memoryStore } from '../storage/memory/store.js'
import { openWorld, type World } from './world.js'

/** What came of one test of a pack. */
export interface RuleTestResult {
  readonly id: string
  readonly name?: string
  readonly passed: boolean
  /** What was expected and was not so. */
  readonly failures: readonly RuleTestFailure[]
}

export interface RuleTestFailure {
  /** Where the expectation stands. */
  readonly place: Place
  /** What was expected, and what was found. */
  readonly message: string
  /** Why it is as it is, where the expectation names a subject and a rule that can say so. */
  readonly explained?: Explained
}

/**
 * Runs the tests of a pack (`"kind": "test"`), each in a world of its own: the real engine under a virtual clock, on the
 * pack's rules, with every channel accepting.
 */
export async function runRuleTests(pack: Pack): Promise<readonly RuleTestResult[]> {
  const results: RuleTestResult[] = []
  for (const test of ruleTests(pack)) results.push(await test.run())
  return results
}

/** The tests of a pack, to be run one by one. */
export function ruleTests(pack: Pack): readonly { readonly id: string; run(): Promise<RuleTestResult> }[] {
  const program = compileProgram(pack)
  return compileTests(pack, new Problems()).map((test) => ({
    id: test.definition.id,
    run: () => new RuleTest(test, pack, program).run(),
  }))
}

/** What is expected of decisions. */
type DecisionExpectation = Extract<CompiledExpectation['expectation'], { decision: string } | { never: string }>

class RuleTest {
  private readonly failures: RuleTestFailure[] = []

  constructor(
    private readonly test: CompiledTest,
    private readonly pack: Pack,
    private readonly program: Program,
  ) {}

  async run(): Promise<RuleTestResult> {
    const { definition, start, end } = this.test
    const { pack: rules, program } = this
    const world = await openWorld({ rules, now: start, database: memoryStore(), program })
    try {
      for (const at of this.times()) {
        await world.advanceTo(at)
        await this.happen(world, at)
        for (const one of this.expectedAt(at)) await this.checkState(world, one)
      }
      await world.advanceTo(end)
      const decisions = await world.decisions()
      for (const one of this.test.expect) await this.checkDecision(world, decisions, one)
    } finally {
      await world.close()
    }
    const { failures } = this
    const { id, name } = definition
    return { id, ...(name !== undefined && { name }), passed: failures.length === 0, failures }
  }

  /** All times at which something happens or is looked at, in order. */
  private times(): readonly number[] {
    const states = this.test.expect.filter(isOfState).map(({ at }) => at ?? this.test.end)
    return [...new Set([...this.test.given.map(({ at }) => at), ...states])].sort((a, b) => a - b)
  }

  private async happen(world: World, at: number): Promise<void> {
    const events = this.test.given.flatMap((one, index) =>
      one.at === at ? [eventOf(one.given, `given-${index}`, at)] : [],
    )
    if (events.length === 0) return
    const { results } = await world.ingest(...events)
    for (const result of results) {
      if (result.status === 'rejected') this.fail(this.test.place, `What is given was refused: ${result.message}`)
    }
  }

  private expectedAt(at: number): readonly CompiledExpectation[] {
    return this.test.expect.filter((one) => isOfState(one) && (one.at ?? this.test.end) === at)
  }

  private async checkState(world: World, { expectation, subject, at = this.test.end, place }: CompiledExpectation) {
    if (subject === undefined) return
    const { kind, id } = subject
    const found = await world.engine.subject(kind, id)
    const name = `${subjectName(subject)} at ${isoOf(at)}`
    const explain = (rule: string, message: string) => this.failExplained(world, place, message, { subject, rule, at })
    if ('tag' in expectation) {
      const { tag, is = true } = expectation
      const has = found?.tags.includes(tag) ?? false
      if (has !== is) await explain(tag, `${name} should ${is ? 'have' : 'not have'} the tag "${tag}".`)
    } else if ('score' in expectation) {
      const { score, is } = expectation
      const { value = 0, tier } = found?.scores[score] ?? {}
      const actual = typeof is === 'number' ? value : tier
      if (actual !== is)
        await explain(score, `${name}: the score "${score}" should be ${is}, and is ${actual ?? 'in no tier'}.`)
    } else if ('journey' in expectation) {
      const { journey, is = true } = expectation
      const steps = (found?.runs ?? []).filter((run) => run.journey === journey).map(({ step }) => step)
      const right = typeof is === 'string' ? steps.includes(is) : steps.length > 0 === is
      const where = steps.length === 0 ? 'not in it' : `at ${steps.map((step) => `"${step}"`).join(', ')}`
      if (!right) await explain(journey, `${name} should be ${wordsFor(is, journey)}, and is ${where}.`)
    }
  }

  private async checkDecision(world: World, decisions: readonly Decision[], one: CompiledExpectation): Promise<void> {
    const { expectation, subject, at, place } = one
    if (!('decision' in expectation || 'never' in expectation)) return
    const kind = 'decision' in expectation ? expectation.decision : expectation.never
    if (!(DECISION_KINDS as readonly string[]).includes(kind)) {
      return this.fail(place, `There is no decision ${JSON.stringify(kind)}. There are: ${DECISION_KINDS.join(', ')}.`)
    }
    const alike = decisions.filter((decision) => decision.decision === kind && isAbout(decision, expectation, subject))
    const matching = alike.filter((decision) => at === undefined || decision.at === at)
    const what = describe(kind, expectation, one)
    let message: string | undefined
    if ('never' in expectation) {
      if (matching.length > 0) message = `There should never be ${what}, and there was: ${listOf(matching)}.`
    } else if (expectation.times === undefined ? matching.length === 0 : matching.length !== expectation.times) {
      const times = expectation.times === undefined ? '' : `${expectation.times} times `
      const others = decisions.filter((decision) => decision.decision === kind)
      const found = [matching, alike, others].find((list) => list.length > 0) ?? []
      message = `There should be ${times}${what}. ${found.length === 0 ? `There was no ${kind}` : `There was: ${listOf(found)}`}.`
    }
    if (message === undefined) return
    const { rule } = expectation
    if (subject === undefined || rule === undefined) return this.fail(place, message)
    await this.failExplained(world, place, message, { subject, rule, at: at ?? this.test.end })
  }

  private async failExplained(
    world: World,
    place: Place,
    message: string,
    { subject, rule, at }: { subject: NonNullable<CompiledExpectation['subject']>; rule: string; at: number },
  ): Promise<void> {
    const explained = await world.engine
      .explain({ subject: [subject.kind, subject.id], rule, at })
      // Of a subject that nothing has happened to, and of rules such as offers, there is nothing to explain.
      .catch(() => undefined)
    this.failures.push({ place, message, ...(explained && { explained }) })
  }

  private fail(place: Place, message: string): void {
    this.failures.push({ place, message })
  }
}

function isOfState({ expectation }: CompiledExpectation): boolean {
  return !('decision' in expectation || 'never' in expectation)
}

function eventOf(given: TestDefinition['given'][number], messageId: string, at: number): IncomingEvent {
  const base = { messageId, userId: given.user, timestamp: at }
  if ('event' in given) return { ...base, event: given.event, properties: given.properties ?? {} }
  if ('traits' in given) return { ...base, type: 'identify', traits: given.traits }
  const traits = given.leader === undefined ? {} : { leaderId: given.leader }
  return { ...base, type: 'group', groupId: given.community, traits }
}

function isAbout(
  decision: Decision,
  { rule, with: details = {} }: DecisionExpectation,
  subject: CompiledExpectation['subject'],
): boolean {
  if (subject !== undefined && decision.subject !== subjectName(subject)) return false
  if (rule !== undefined && decision.rule !== rule && decision['journey'] !== rule) return false
  return Object.entries(details).every(([key, value]) => canonicalJson(decision[key]) === canonicalJson(value))
}

function describe(
  kind: string,
  { rule, with: details }: DecisionExpectation,
  { subject, at }: Pick<CompiledExpectation, 'subject' | 'at'>,
): string {
  const parts = [
    rule && `of "${rule}"`,
    subject && `about ${subjectName(subject)}`,
    details && `with ${JSON.stringify(details)}`,
    at !== undefined && `at ${isoOf(at)}`,
  ]
  return [`a ${kind}`, ...parts.filter((part) => typeof part === 'string')].join(' ')
}

function wordsFor(is: boolean | string, journey: string): string {
  if (typeof is === 'string') return `at the step "${is}" of the journey "${journey}"`
  return `${is ? '' : 'not '}in the journey "${journey}"`
}

/** How many decisions a message lists. */
const LISTED = 3

function listOf(decisions: readonly Decision[]): string {
  const listed = decisions.slice(0, LISTED).map(({ at, subject, decision, rule }) => {
    return `${decision} ${rule ?? ''} about ${subject} at ${isoOf(at)}`
  })
  const more = decisions.length - listed.length
  return `${listed.join('; ')}${more > 0 ? `; and ${more} more` : ''}`
}

function isoOf(at: number): string {
  return new Date(at).toISOString()
}
