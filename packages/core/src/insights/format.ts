import {
  DEFAULT_ZONE,
  type Evidence,
  type Explanation,
  type FactExplanation,
  parseDuration,
  type ScoreExplanation,
  type Turn,
} from '@linli/rules'
import type { Decision } from '../domain/decision.js'
import type { Explained } from './explained.js'
import { Phrases } from './phrases.js'
import type { Trace } from './trace.js'
import { DECISION_PHRASES, type Language, REASONS_ZH } from './wording.js'

export interface FormatOptions {
  /** English when left out. */
  readonly language?: Language
}

/** How many events stand below a comparison in text; the answer itself has more. */
const EVENTS_SHOWN = 3

/** The answer as text for people: a headline, the conditions with their actual values, what would turn it, what was decided. */
export function formatExplanation(explained: Explained, { language = 'en' }: FormatOptions = {}): string {
  const phrases = new Phrases(language, explained.timeZone, explained.subject)
  const lines = [
    ...formatState(explained, phrases),
    ...turnOf(explained, phrases),
    ...decided(explained.decisions, phrases),
  ]
  return lines.join('\n')
}

function formatState(explained: Explained, phrases: Phrases): readonly string[] {
  return [
    headline(explained, phrases),
    ...entry(explained, phrases),
    ...(explained.score === undefined ? [] : score(explained.score, phrases)),
    ...(explained.conditions === undefined ? [] : tree(explained.conditions, 1, phrases)),
  ]
}

/** A decision on one line: when, what, by which rule, and its details. `timeZone`: Asia/Shanghai when left out. */
export function formatDecision(
  decision: Decision,
  { language = 'en', timeZone = DEFAULT_ZONE }: FormatOptions & { readonly timeZone?: string } = {},
): string {
  return decisionLine(decision, new Phrases(language, timeZone, decision.subject))
}

/** How a decision came about, as text for people: the decision, the event, what came before it, and why the rule said so. */
export function formatTrace(
  { decision, rule, event, explained, earlier }: Trace,
  { language = 'en' }: FormatOptions = {},
): string {
  const phrases = new Phrases(language, explained?.timeZone ?? DEFAULT_ZONE, decision.subject)
  const { words } = phrases
  const title =
    rule === undefined
      ? undefined
      : `${'name' in rule && rule.name !== undefined ? `${rule.name} ` : ''}(${rule.kind} ${rule.id})`
  return [
    `${decision.subject}  ${decisionLine(decision, phrases)}`,
    ...(title === undefined ? [] : [`${words.rule} ${title}`]),
    ...(event === undefined
      ? [words.noEvent]
      : [
          words.broughtBy,
          `  ${phrases.time(event.at)}  ${event.event}  (${event.messageId})  ${JSON.stringify(event.properties)}`,
        ]),
    ...(earlier.length === 0 ? [] : [words.earlier, ...earlier.map((one) => `  ${decisionLine(one, phrases)}`)]),
    ...(explained === undefined ? [] : [words.asOf, ...indented(formatState(explained, phrases))]),
  ].join('\n')
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`)
}

function decisionLine(
  { at, subject: _, decision, rule, messageId: __, run: ___, ...details }: Decision,
  phrases: Phrases,
) {
  const said = Object.entries(details).filter(([, value]) => value !== undefined)
  const text = said.map(([name, value]) => `${name}=${detail(name, value, phrases)}`)
  const what = DECISION_PHRASES[decision]?.[phrases.language] ?? decision
  return [phrases.time(at), what, ...(rule === undefined ? [] : [rule]), ...text].join('  ')
}

function detail(name: string, value: unknown, { language }: Phrases): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return name === 'reason' && language === 'zh' ? (REASONS_ZH[text] ?? text) : text
}

function headline(
  { kind, holds, since, until, name, rule, subject, at, timeZone, score: value }: Explained,
  phrases: Phrases,
) {
  const { words } = phrases
  const title = name === undefined ? rule : `${name} (${rule})`
  const state = {
    tag: holds ? words.tagOn : words.tagOff,
    journey: holds ? words.inside : words.outside,
    score: words.score(phrases.value(value?.value ?? 0, '')),
  }[kind]
  const tier = value?.tier === undefined ? '' : `${words.comma}${words.tier} ${value.tier}`
  const from = since === null ? '' : `${words.comma}${words.since} ${phrases.time(since)}`
  const to = until === null ? '' : `${words.comma}${words.until} ${phrases.time(until)}`
  return `${phrases.time(at)} (${timeZone})  ${subject} ${state} ${title}${tier}${from}${to}`
}

/** Where somebody is in a journey, and what the conditions below are about. */
function entry({ kind, holds, event, askedAt, runs = [], conditions }: Explained, phrases: Phrases): string[] {
  if (kind !== 'journey') return []
  const { words } = phrases
  const places = runs.map(({ step, until, key }) => {
    const which = key === undefined ? '' : ` (${key})`
    return `  ${words.step(step)}${which}${until === null ? '' : `${words.comma}${words.until} ${phrases.time(until)}`}`
  })
  const shown =
    event === undefined
      ? []
      : [`  ${words.event}${words.colon}${phrases.time(event.at)}  ${event.event} (${event.messageId})`]
  if (conditions === undefined) return [...places, ...shown]
  return [...places, holds && askedAt !== undefined ? words.entered(phrases.time(askedAt)) : words.entry, ...shown]
}

function score({ terms }: ScoreExplanation, phrases: Phrases): string[] {
  const { words } = phrases
  const lines = terms.flatMap(({ term, contribution, until, conditions, actual, ...evidence }) => {
    const end = until === null ? '' : `  (${words.until} ${phrases.time(until)})`
    const points = words.points(phrases.value(contribution, ''))
    if ('conditions' in term) return [`  ${points}${end}`, ...(conditions ? tree(conditions, 2, phrases) : [])]
    const fact = 'per' in term ? term.per : { fact: 'eventCount', params: { ...term } }
    const halfLife = 'event' in term ? parseDuration(term.halfLife) : undefined
    const halving = halfLife === undefined ? '' : words.halving(phrases.duration(halfLife))
    const line = `  ${points}${words.colon}${phrases.fact(fact)}${halving}${words.is}${phrases.value(actual, fact.fact)}${end}`
    return [line, ...evidenceLines(evidence, 2, phrases)]
  })
  return [words.given, ...lines]
}

function tree(node: Explanation, depth: number, phrases: Phrases): string[] {
  const { words } = phrases
  const mark = `${'  '.repeat(depth)}${node.holds ? '✓' : '✗'} `
  const until = node.until === null ? '' : `  (${words.until} ${phrases.time(node.until)})`
  switch (node.kind) {
    case 'all':
    case 'any':
      return [`${mark}${words[node.kind]}${until}`, ...node.parts.flatMap((part) => tree(part, depth + 1, phrases))]
    case 'not':
      return [`${mark}${words.not}`, ...tree(node.part, depth + 1, phrases)]
    case 'condition':
      return [`${mark}${words.condition} ${node.name}`, ...tree(node.part, depth + 1, phrases)]
    case 'fact':
      return [`${mark}${comparison(node, phrases)}${until}`, ...below(node, depth + 1, phrases)]
  }
}

function comparison(
  { fact, params, path, operator, expected, actual, about, figures = {} }: FactExplanation,
  phrases: Phrases,
): string {
  const said = Object.entries(figures).map(([name, figure]) => `${name} ${figure}`)
  const made = said.length === 0 ? '' : ` (${said.join(phrases.words.comma)})`
  const test = `${phrases.fact({ fact, params, path })} ${phrases.comparison(fact, operator, expected)}`
  return `${about === undefined ? '' : `${about}${phrases.words.colon}`}${test}${phrases.words.is}${phrases.value(actual, fact)}${made}`
}

/** The events behind a comparison, or why what it reads is as it is. */
function below({ because, ...leaf }: FactExplanation, depth: number, phrases: Phrases): string[] {
  return [...evidenceLines(leaf, depth, phrases), ...(because === undefined ? [] : tree(because, depth, phrases))]
}

function evidenceLines(
  { events = [], eventsTotal = 0, rounded, forgotten }: Evidence,
  depth: number,
  phrases: Phrases,
) {
  const { words } = phrases
  const indent = '  '.repeat(depth)
  const lines = events.slice(0, EVENTS_SHOWN).map(({ at, event, messageId, value, userId }) => {
    const read = value === undefined ? '' : `  ${phrases.value(value, '')}`
    return `${indent}· ${phrases.time(at)}  ${event}${read}  (${messageId}${userId === undefined || phrases.subject === `user:${userId}` ? '' : `, ${userId}`})`
  })
  if (eventsTotal > lines.length) lines.push(`${indent}· ${words.more(eventsTotal - lines.length)}`)
  if (rounded !== undefined) lines.push(`${indent}· ${words.rounded(rounded)}`)
  if (forgotten !== undefined) lines.push(`${indent}· ${words.forgotten(phrases.time(forgotten))}`)
  return lines
}

function turnOf({ kind, holds, toTurn }: Explained, phrases: Phrases): string[] {
  if (toTurn === undefined) return []
  const { words } = phrases
  const heading = {
    tag: holds ? words.toEnd : words.toBegin,
    journey: holds ? words.toLeave : words.toEnter,
    score: words.toRise,
  }[kind]
  return [heading, ...turnLines(toTurn, 1, phrases)]
}

function turnLines(turn: Turn, depth: number, phrases: Phrases): string[] {
  const indent = '  '.repeat(depth)
  const { words } = phrases
  switch (turn.kind) {
    case 'all':
    case 'any':
      return [`${indent}${words[turn.kind]}`, ...turn.parts.flatMap((part) => turnLines(part, depth + 1, phrases))]
    case 'time':
      return [`${indent}${words.time(phrases.time(turn.at))}`]
    case 'never':
      return [`${indent}${words.never}`]
    case 'trigger':
      return [
        `${indent}${triggerText(turn.trigger)}${turn.from === undefined ? '' : words.notBefore(phrases.time(turn.from))}`,
      ]
    case 'fact': {
      const about = turn.about === undefined ? '' : `${turn.about}${words.colon}`
      const before = turn.before === undefined ? '' : words.before(phrases.time(turn.before))
      const from = turn.from === undefined ? '' : words.from(phrases.time(turn.from))
      return [`${indent}${about}${change(turn, phrases)}${before}${from}`]
    }
  }
}

function change(turn: Extract<Turn, { kind: 'fact' }>, phrases: Phrases): string {
  const { words } = phrases
  const { fact, params, more, value, operator, expected, holds } = turn
  const grown = more === undefined ? undefined : phrases.more(turn, Math.abs(more))
  if (grown !== undefined && more !== undefined && more > 0) return grown
  if (grown !== undefined && more !== undefined) return words.less(phrases.value(-more, ''), phrases.fact(turn))
  if (more === undefined) {
    const test = `${phrases.fact(turn)} ${phrases.comparison(fact, operator, expected)}`
    return holds ? test : `${words.no} ${test}`
  }
  const property = String(params?.['property'] ?? '')
  if (property === '') return phrases.oneEvent(turn)
  const test =
    value === undefined ? phrases.comparison(fact, operator, expected) : phrases.comparison('', 'equal', value)
  return `${phrases.oneEvent(turn)}${words.withProperty(property, holds || value !== undefined ? test : `${words.not} ${test}`)}`
}

/** `event cart`, `tag.added regular`, `score.crossed loyalty above 100`: in the words of the rule. */
function triggerText(trigger: Readonly<Record<string, unknown>>): string {
  const { on, ...rest } = trigger
  const said = Object.entries(rest).map(([name, value]) => {
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
    return ['event', 'tag', 'score', 'schedule'].includes(name) ? text : `${name} ${text}`
  })
  return [String(on), ...said].join(' ')
}

function decided(decisions: readonly Decision[], phrases: Phrases): string[] {
  if (decisions.length === 0) return []
  return [phrases.words.decided, ...decisions.map((decision) => `  ${decisionLine(decision, phrases)}`)]
}
