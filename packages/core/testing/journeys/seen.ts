import type { Decision } from '../../src/domain/decision.js'
import type { Person } from './interpreter.js'
import type { Choices, Line, Run } from './words.js'

const DETAILS = [
  'step',
  'verb',
  'case',
  'variant',
  'reason',
  'key',
  'template',
  'channel',
  'class',
  'event',
  'outcome',
  'count',
  'moved',
  'compared',
  'group',
] as const

/** What the engine has decided about one person, in the interpreter's words, and what of it only the engine can know. */
export class Seen implements Choices {
  lines: readonly Line[] = []
  /** The engine's ids of runs, by their names. */
  readonly ids = new Map<string, string>()
  readonly #keptOut = new Map<string, boolean>()
  readonly #variants = new Map<string, string>()
  behind: Pick<Person, 'lines'> | undefined

  constructor(private readonly subject: string) {}

  look(decisions: readonly Decision[]): void {
    const names = new Map<unknown, string>()
    this.ids.clear()
    const entered = new Map<string, number>()
    this.lines = decisions
      .filter(({ subject, decision }) => subject === this.subject && decision !== 'score.changed')
      .map((decision): Line => {
        const { at, decision: kind, rule = '', run, messageId } = decision
        if (kind === 'journey.entered') {
          const number = entered.get(rule) ?? 0
          entered.set(rule, number + 1)
          names.set(run, `${rule}#${number}`)
          this.ids.set(`${rule}#${number}`, String(run))
        }
        const details = DETAILS.flatMap((name) => (decision[name] === undefined ? [] : [[name, decision[name]]]))
        return {
          ...(Object.fromEntries(details) as object),
          at,
          decision: kind,
          rule,
          ...(decision['moved'] === true && { from: decision['from'] }),
          ...(run !== undefined && kind !== 'journey.held' && { run: names.get(run) ?? String(run) }),
          ...(messageId !== undefined && { messageId: messageId.startsWith('m') ? messageId : 'said' }),
        }
      })
  }

  isHeldOut(journey: string): boolean {
    return this.#isKeptOut(`holdout of ${journey}`, ({ rule, reason }) => rule === journey && reason === 'holdout')
  }

  isInControl(): boolean {
    return this.#isKeptOut('control group', ({ reason }) => reason === 'control group')
  }

  /** As the engine has it when it is asked first. */
  #isKeptOut(from: string, saysSo: (line: Line) => boolean): boolean {
    const isKeptOut = this.#keptOut.get(from) ?? this.lines.some(saysSo)
    this.#keptOut.set(from, isKeptOut)
    return isKeptOut
  }

  /** The variant that the engine takes next in a run; afterwards always the same one at this step of this definition. */
  variantOf({ name, definition, step }: Run): string {
    const split = JSON.stringify([definition, step.id])
    const known = this.#variants.get(split)
    const next = this.lines[this.#placeOfNext(name)]?.['variant']
    if (known === undefined && next !== undefined) this.#variants.set(split, String(next))
    return known ?? String(next ?? 'v0')
  }

  firstOf(runs: readonly string[]): string {
    const places = runs.map((run) => [this.#placeOfNextDone(run), run] as const)
    return places.toSorted(([a], [b]) => a - b)[0]?.[1] ?? ''
  }

  /** Nowhere, where others have ended it. */
  #placeOfNextDone(run: string): number {
    const place = this.#placeOfNext(run)
    const line = this.lines[place]
    return line === undefined || isEndedByOthers(line) ? Number.POSITIVE_INFINITY : place
  }

  /** Where the line stands that the interpreter has yet to come to of a run. */
  #placeOfNext(run: string): number {
    const known = this.behind?.lines.filter((line) => line.run === run && line.decision !== 'journey.goal').length ?? 0
    let before = 0
    const place = this.lines.findIndex((line) => {
      if (line.run !== run || line.decision === 'journey.goal') return false
      before += 1
      return before > known
    })
    return place >= 0 ? place : Number.POSITIVE_INFINITY
  }
}

function isEndedByOthers({ decision, reason }: Line): boolean {
  return (
    decision === 'journey.exited' &&
    /^(event |tag\.|score\.|exit conditions|stopped|cancelled|gave way)/.test(String(reason))
  )
}
