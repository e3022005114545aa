import {
  type Explanation,
  formatDuration,
  isObject,
  parseDuration,
  type ScoreExplanation,
  type Turn,
} from '@linli/rules'
import type { Decision } from '../domain/decision.js'

/** The answer to "why?" about one subject and one rule at one instant. All instants are ISO 8601. */
export interface Explained {
  /** `user:u-1` */
  readonly subject: string
  readonly rule: string
  readonly kind: 'tag' | 'score' | 'journey'
  readonly name?: string
  readonly at: string
  /** The subject's time zone, in which days and months of its rules begin. */
  readonly timeZone: string
  /** Tag: whether it is on. Score: whether it is not 0. Journey: whether the subject is in it. */
  readonly holds: boolean
  /** Since when that is so (of a score: its value), by what was decided; null where nothing was. */
  readonly since: string | null
  /** When that next changes by itself, if nothing new happens; null when only something new can change it. */
  readonly until: string | null
  /** The conditions (of a journey: its entry conditions) with their actual values; absent where there are none. */
  readonly conditions?: Explanation
  /** Of a journey, the instant that the conditions are shown at: of somebody inside, when they were let in; else `at`. */
  readonly askedAt?: string
  /** Of a journey that events enter: the one that let the subject in; else the latest that could have. */
  readonly event?: ExplainedEvent
  /** Of a journey: where the subject is in it. */
  readonly runs?: readonly ExplainedRun[]
  /** Of a score: its value, its tier, and what each term gives. */
  readonly score?: ScoreExplanation
  /**
   * What would have to happen for `holds` to turn: of a score, to reach the next tier. Each part turns it as long as all else
   * stays as it is. Absent where nothing is known that would.
   */
  readonly toTurn?: Turn
  /** What was decided by this rule about this subject so far. */
  readonly decisions: readonly Decision[]
}

export interface ExplainedEvent {
  readonly messageId: string
  readonly event: string
  readonly at: string
  readonly properties: Readonly<Record<string, unknown>>
}

export interface ExplainedRun {
  readonly run: string
  readonly key?: string
  readonly enteredAt: string
  /** The step at which it waits. */
  readonly step: string
  /** When the wait ends by itself; null while it waits for an outcome. */
  readonly until: string | null
}

type Language = 'en' | 'zh'

const WORDS = {
  en: {
    score: 'has the score',
    on: 'has the tag',
    off: 'does not have the tag',
    inside: 'is in the journey',
    outside: 'is not in the journey',
    until: 'until',
    all: 'all of these',
    any: 'one of these',
    not: 'not',
    condition: 'condition',
    actual: 'is',
    none: 'no value',
    entry: 'To enter it:',
    decided: 'What was decided:',
  },
  zh: {
    score: '有分数',
    on: '有标签',
    off: '没有标签',
    inside: '正在旅程中',
    outside: '不在旅程中',
    until: '到',
    all: '全部满足',
    any: '满足其一',
    not: '不满足',
    condition: '条件',
    actual: '实际',
    none: '无',
    entry: '进入条件：',
    decided: '已作决定：',
  },
} as const

const SIGNS: Readonly<Record<string, string>> = {
  equal: '=',
  notEqual: '≠',
  lessThan: '<',
  lessThanInclusive: '≤',
  greaterThan: '>',
  greaterThanInclusive: '≥',
}

/** The answer as text for people: a headline, the tree of conditions with the actual values, what was decided. */
export function formatExplanation(
  explained: Explained,
  { language = 'en' }: { readonly language?: Language } = {},
): string {
  const words = WORDS[language]
  const { kind, holds, until, name, rule, subject, at, conditions, decisions, score } = explained
  const state =
    kind === 'score'
      ? `${words.score} ${score?.value}`
      : kind === 'tag'
        ? holds
          ? words.on
          : words.off
        : holds
          ? words.inside
          : words.outside
  const title = name === undefined ? rule : `${name} (${rule})`
  const lines = [`${at}  ${subject} ${state} ${title}${until === null ? '' : `, ${words.until} ${until}`}`]
  if (conditions !== undefined) {
    if (kind === 'journey') lines.push(words.entry)
    lines.push(...tree(conditions, 1, language))
  }
  if (decisions.length > 0) lines.push(words.decided, ...decisions.map((decision) => `  ${decisionLine(decision)}`))
  return lines.join('\n')
}

function tree(node: Explanation, depth: number, language: Language): string[] {
  const words = WORDS[language]
  const indent = '  '.repeat(depth)
  const until = node.until === null ? '' : `  (${words.until} ${node.until})`
  const mark = `${indent}${node.holds ? '✓' : '✗'} `
  switch (node.kind) {
    case 'all':
    case 'any':
      return [`${mark}${words[node.kind]}${until}`, ...node.parts.flatMap((part) => tree(part, depth + 1, language))]
    case 'not':
      return [`${mark}${words.not}`, ...tree(node.part, depth + 1, language)]
    case 'condition':
      return [`${mark}${words.condition} ${node.name}`, ...tree(node.part, depth + 1, language)]
    case 'fact': {
      const operator = SIGNS[node.operator] ?? node.operator
      const about = describeFact(node.fact, node.params, node.path)
      const actual = node.actual === undefined ? words.none : showValue(node.actual, node.fact)
      const figures = Object.entries(node.figures ?? {}).map(([name, figure]) => `${name} ${figure}`)
      const made = figures.length === 0 ? '' : ` (${figures.join(', ')})`
      const expected = showValue(node.expected, node.fact)
      return [`${mark}${about} ${operator} ${expected}   ${words.actual} ${actual}${made}${until}`]
    }
  }
}

function describeFact(fact: string, params: Readonly<Record<string, unknown>> | undefined, path: string | undefined) {
  const { event, within, property, name, id, where, item, by, of } = params ?? {}
  const parts = [event, property, name, id].filter((part) => part !== undefined).map((part) => String(part))
  if (where !== undefined) parts.push(`where ${describeConditions(where)}`)
  if (item !== undefined) parts.push(`item ${describeConditions(item)}`)
  if (isObject(by)) parts.push(`by ${describeFact(String(by['fact']), by['params'] as typeof params, undefined)}`)
  if (within !== undefined) parts.push(`within ${String(within)}`)
  if (of !== undefined) parts.push(`of ${String(of)}`)
  const inner = parts.length === 0 ? '' : `(${parts.join(', ')})`
  return `${fact}${inner}${path === undefined ? '' : ` ${path}`}`
}

function describeConditions(tree: unknown): string {
  const { all, any, not, condition, fact, operator, value } = tree as Record<string, unknown>
  if (Array.isArray(all)) return all.map(describeConditions).join(' and ')
  if (Array.isArray(any)) return `(${any.map(describeConditions).join(' or ')})`
  if (not !== undefined) return `not (${describeConditions(not)})`
  if (condition !== undefined) return String(condition)
  return `${String(fact)} ${SIGNS[String(operator)] ?? String(operator)} ${JSON.stringify(value)}`
}

function showValue(value: unknown, fact: string): string {
  if (fact === 'sinceLastEvent') {
    return formatDuration(typeof value === 'number' ? value : (parseDuration(value) ?? 0))
  }
  return JSON.stringify(value) ?? 'undefined'
}

/** A decision on one line: when, what, and its details. */
export function decisionLine({ at, subject: _, decision, rule, messageId: __, ...details }: Decision): string {
  const said = Object.entries(details).filter(([name, value]) => value !== undefined && name !== 'run')
  const text = said.map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return [new Date(at).toISOString(), decision, rule ?? '', ...text].join('  ')
}
