import { Temporal } from 'temporal-polyfill'
import { DURATION_FORMS, parseDuration } from '../duration.js'
import type { Located, Pack } from '../pack.js'
import type { Place, Problems } from '../problems.js'
import type { TestDefinition, TestExpectation, TestGiven } from '../schemas/rule-test.js'
import { SUBJECT_KINDS, type SubjectKind } from '../subject.js'

/** A test of rules with its times read. */
export interface CompiledTest {
  readonly definition: TestDefinition
  readonly place: Place
  /** When it begins, and when it ends. Milliseconds since the epoch. */
  readonly start: number
  readonly end: number
  /** What happens, in order of time. */
  readonly given: readonly { readonly at: number; readonly given: TestGiven }[]
  readonly expect: readonly CompiledExpectation[]
}

export interface CompiledExpectation {
  readonly expectation: TestExpectation
  readonly place: Place
  /** Whom it is about; undefined: anybody. */
  readonly subject: { readonly kind: SubjectKind; readonly id: string } | undefined
  /** Of what holds at a time: when. Of a decision: when exactly, undefined where any time will do. */
  readonly at: number | undefined
}

const START = '2026-01-01T00:00:00+08:00'

/** Reads the tests of a pack; what is wrong with them is reported. */
export function compileTests(pack: Pack, problems: Problems): readonly CompiledTest[] {
  const rules = namesOf(pack)
  return pack.tests.map((test) => new TestCompiler(test, rules, problems).compile())
}

type RuleNames = Readonly<Record<'tag' | 'score' | 'journey' | 'rule', ReadonlySet<string>>>

function namesOf(pack: Pack): RuleNames {
  const ids = (located: readonly Located<{ readonly id: string }>[]) => located.map(({ definition }) => definition.id)
  const [tag, score, journey] = [ids(pack.tags), ids(pack.scores), ids(pack.journeys)]
  const rule = new Set([...tag, ...score, ...journey, ...ids(pack.offers), ...ids(pack.policies), 'consent'])
  return { tag: new Set(tag), score: new Set(score), journey: new Set(journey), rule }
}

class TestCompiler {
  private readonly start: number

  constructor(
    private readonly test: Located<TestDefinition>,
    private readonly rules: RuleNames,
    private readonly problems: Problems,
  ) {
    this.start = this.instant(test.definition.start ?? START, 'start')
  }

  compile(): CompiledTest {
    const { definition, place } = this.test
    let latest = this.start
    const given = definition.given.map((one, index) => {
      latest = one.at === undefined ? latest : this.time(one.at, `given/${index}/at`)
      return { at: latest, given: one }
    })
    const times = definition.expect.map((one, index) =>
      'at' in one && one.at !== undefined ? this.time(one.at, `expect/${index}/at`) : undefined,
    )
    const named = [this.start, ...given.map(({ at }) => at), ...times.filter((at) => at !== undefined)]
    const last = named.reduce((a, b) => Math.max(a, b))
    const end = definition.until === undefined ? last : this.time(definition.until, 'until')
    if (end < last)
      this.error('until', 'test.until', 'The test ends before the last time that it names.', definition.until)
    const expect = definition.expect.map((one, index) => this.expectation(one, index, times[index], end))
    return { definition, place, start: this.start, end, given: [...given].sort((a, b) => a.at - b.at), expect }
  }

  private expectation(
    expectation: TestExpectation,
    index: number,
    at: number | undefined,
    end: number,
  ): CompiledExpectation {
    const pointer = `expect/${index}`
    this.checkRule(expectation, pointer)
    const subject = this.subject(expectation, pointer)
    const isDecision = 'decision' in expectation || 'never' in expectation
    return { expectation, place: this.at(pointer), subject, at: isDecision ? at : (at ?? end) }
  }

  private checkRule(expectation: TestExpectation, pointer: string): void {
    const check = (kind: keyof RuleNames, id: string | undefined) => {
      if (id === undefined || this.rules[kind].has(id)) return
      const message = `The pack has no ${kind} ${JSON.stringify(id)}.`
      this.problems.unknown(this.at(`${pointer}/${kind}`), kind, id, this.rules[kind], message)
    }
    if ('tag' in expectation) check('tag', expectation.tag)
    else if ('score' in expectation) check('score', expectation.score)
    else if ('journey' in expectation) check('journey', expectation.journey)
    else check('rule', expectation.rule)
  }

  private subject(expectation: TestExpectation, pointer: string): CompiledExpectation['subject'] {
    const named = SUBJECT_KINDS.flatMap((kind) => {
      const id = expectation[kind]
      return id === undefined ? [] : [{ kind, id }]
    })
    const mayBeAnybody = 'decision' in expectation || 'never' in expectation
    if (named.length > 1 || (named.length === 0 && !mayBeAnybody)) {
      const message = 'Say whom it is about: one of "user", "community" and "leader".'
      this.error(pointer, 'test.subject', message, Object.keys(expectation))
    }
    return named[0]
  }

  private time(text: string, pointer: string): number {
    const ms = parseDuration(text)
    if (ms !== undefined) return this.start + ms
    const at = this.instant(text, pointer)
    if (at < this.start) this.error(pointer, 'test.start', 'This is before the test begins.', text)
    return at
  }

  private instant(text: string, pointer: string): number {
    try {
      return Temporal.Instant.from(text).epochMilliseconds
    } catch {
      const relative = pointer === 'start' ? '' : ` or how long after the start: ${DURATION_FORMS}`
      const message = `A time is ISO 8601 with a zone, such as "2026-03-01T08:00:00+08:00"${relative}.`
      this.error(pointer, 'test.time', message, text)
      return this.start ?? 0
    }
  }

  private error(pointer: string, code: string, message: string, found: unknown): void {
    this.problems.error(this.at(pointer), code, message, { found })
  }

  private at(pointer: string): Place {
    const { file, pointer: own } = this.test.place
    return { file, pointer: `${own}/${pointer}` }
  }
}
