import type { Decision } from '../../src/domain/decision.js'
import { inWords } from './exits.js'
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
          ...(kind === 'journey.goal' &&
            run !== undefined && { variants: inWords(Object.entries(decision['variants'] ?? {})) }),
          ...(decision['moved'] === true && { from: decision['from'] }),
          // Who waits for a place has no run that others may know of.
          ...(kind !== 'journey.held' && names.has(run) && { run: names.get(run) as string }),
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

  firstOf(runs: readonly Run[]): Run | undefined {
    const placeOf = (run: Run) => (run.isIn ? this.#placeOfNextDone(run.name) : this.#placeOfAnswer(run))
    return runs.map((run) => [placeOf(run), run] as const).toSorted(([a], [b]) => a - b)[0]?.[1]
  }

  isLetIn(run: Run): boolean {
    return this.lines[this.#placeOfAnswer(run)]?.decision === 'journey.entered'
  }

  /** Where it is said whether who waits for a place is let in. */
  #placeOfAnswer({ definition: { id }, key }: Run): number {
    const isAnswer = ({ rule, decision, reason, key: its }: Line) =>
      rule === id && its === key && (decision === 'journey.entered' || reason === 'limit')
    return this.#placeOf(isAnswer)
  }

  /** Nowhere, where others have ended it. */
  #placeOfNextDone(run: string): number {
    const place = this.#placeOfNext(run)
    const line = this.lines[place]
    return line === undefined || isEndedByOthers(line) ? Number.POSITIVE_INFINITY : place
  }

  /** Where the line stands that the interpreter has yet to come to of a run. */
  #placeOfNext(run: string): number {
    return this.#placeOf((line) => line.run === run && line.decision !== 'journey.goal')
  }

  /** Where the next line of these stands that the interpreter has yet to come to. */
  #placeOf(isMeant: (line: Line) => boolean): number {
    const known = this.behind?.lines.filter(isMeant).length ?? 0
    let before = 0
    const place = this.lines.findIndex((line) => isMeant(line) && ++before > known)
    return place >= 0 ? place : Number.POSITIVE_INFINITY
  }
}

function isEndedByOthers({ decision, reason }: Line): boolean {
  return (
    decision === 'journey.exited' &&
    /^(event |tag\.|score\.|exit conditions|stopped|cancelled|gave way)/.test(String(reason))
  )
}
