import type { CheckedLeaf } from '../conditions/leaf.js'
import { type Verdict, verdictOf } from '../conditions/verdict.js'
import type { SubjectView } from '../subject.js'
import type { FactUse } from './fact.js'
import type { Timed } from './grid.js'
import type { Span, Window } from './window.js'

/** A value worked out from the entries inside a window, kept up to date while they enter and leave, oldest first. */
export interface Tally<E> {
  enter(entry: E): void
  leave(entry: E): void
  value(): unknown
}

/**
 * Entries, in order of time, on their way through a window: both ends only move forwards, so that going through all
 * changes of the value takes as long as there are entries.
 */
class Sweep<E extends Timed> {
  /** The oldest entry that has not left, and the oldest that has not entered. */
  private first = 0
  private next = 0

  constructor(
    private readonly entries: readonly E[],
    private readonly span: Span,
    readonly tally: Tally<E>,
    at: number,
  ) {
    while (this.first < entries.length && span.leaves(this.timeOf(this.first)) <= at) this.first += 1
    this.next = this.first
    this.moveTo(at)
  }

  /** The next instant at which an entry enters or leaves; infinity when none does. */
  get nextChange(): number {
    const { first, next, entries, span } = this
    const leaves = first < next ? span.leaves(this.timeOf(first)) : Number.POSITIVE_INFINITY
    const enters = next < entries.length ? span.enters(this.timeOf(next)) : Number.POSITIVE_INFINITY
    return Math.min(leaves, enters)
  }

  moveTo(at: number): void {
    const { entries, span, tally } = this
    for (; this.next < entries.length && span.enters(this.timeOf(this.next)) <= at; this.next++) {
      tally.enter(entryAt(entries, this.next))
    }
    for (; this.first < this.next && span.leaves(this.timeOf(this.first)) <= at; this.first++) {
      tally.leave(entryAt(entries, this.first))
    }
  }

  private timeOf(index: number): number {
    return entryAt(this.entries, index)[0]
  }
}

function entryAt<E>(entries: readonly E[], index: number): E {
  return entries[index] as E
}

/** What a fact is worked out from. */
export interface Tallied<E extends Timed> {
  readonly window: Window
  /** The entries, in order of time. */
  entries(view: SubjectView): readonly E[]
  tally(view: SubjectView): Tally<E>
}

/** A fact whose value is worked out from the entries inside its window: exact until the very entry that turns it. */
export function useOfTally<E extends Timed>(fact: Tallied<E>, leaf: CheckedLeaf | undefined): FactUse {
  const sweepAt = (view: SubjectView) =>
    new Sweep(fact.entries(view), fact.window.spanFor(view), fact.tally(view), view.at)
  const use = {
    read: (view: SubjectView) => sweepAt(view).tally.value(),
    changesAt: (view: SubjectView) => sweepAt(view).nextChange,
    over: (view: SubjectView, test: (value: unknown) => boolean) => sweepVerdict(sweepAt(view), test),
  }
  const holdsFor = leaf && testOf(leaf)
  return holdsFor === undefined ? use : { ...use, verdict: (view) => sweepVerdict(sweepAt(view), holdsFor) }
}

function sweepVerdict<E extends Timed>(sweep: Sweep<E>, holdsFor: (value: unknown) => boolean): Verdict {
  const holding = holdsFor(sweep.tally.value())
  for (let at = sweep.nextChange; Number.isFinite(at); at = sweep.nextChange) {
    sweep.moveTo(at)
    if (holdsFor(sweep.tally.value()) !== holding) return verdictOf(holding, at)
  }
  return verdictOf(holding, Number.POSITIVE_INFINITY)
}

/** A leaf's comparison with its constant; undefined where it is compared with another fact. */
export function testOf({ reference, test, path, constant }: CheckedLeaf): ((value: unknown) => boolean) | undefined {
  if (reference !== undefined) return undefined
  return path === undefined ? (value) => test(value, constant) : (value) => test(path(value), constant)
}
