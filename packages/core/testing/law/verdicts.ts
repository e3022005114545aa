import type { Program } from '@linli/rules'
import type { Decision } from '../../src/domain/decision.js'
import type { Standing } from './oracle.js'

/** What was found of a subject: its tags and its scores. */
export interface Seen {
  readonly tags: ReadonlySet<string>
  readonly scores: ReadonlyMap<string, number>
}

/** Breaks something in a compiled program, to see that the law notices. */
export type Mutant = (program: Program) => void

/** The law does not hold. */
export class LawBroken extends Error {
  override readonly name = 'LawBroken'
}

/** Throws where a subject does not stand where the oracle does. */
export function compare(name: string, seen: Seen | undefined, right: Standing, at: number): void {
  const tags = seen?.tags ?? new Set()
  const differing = [...new Set([...tags, ...right.tags])].filter((id) => tags.has(id) !== right.tags.has(id))
  for (const id of differing) {
    throw new LawBroken(`${textOf(at)} ${name}: tag ${id} is ${tags.has(id)}, ${right.tags.has(id)} is right`)
  }
  for (const [id, value] of right.scores) {
    const found = seen?.scores.get(id) ?? 0
    if (found !== value) throw new LawBroken(`${textOf(at)} ${name}: score ${id} is ${found}, ${value} is right`)
  }
}

/**
 * Throws where something is said to have changed by itself at an instant at which it did not: a millisecond before, the
 * oracle finds what was, and at it what is. Changes of one instant count as one: somebody and their community follow each
 * other in turn.
 */
export async function checkFlips(
  decisions: readonly Decision[],
  standing: (at: number) => Promise<ReadonlyMap<string, Standing>>,
): Promise<void> {
  for (const at of new Set(decisions.map((one) => one.at))) {
    const [before, after] = [await standing(at - 1), await standing(at)]
    for (const changes of changesAt(decisions, at)) {
      const [first, last] = [changes[0], changes.at(-1)]
      if (first === undefined || last === undefined) continue
      const { subject, rule = '', decision } = first
      const [was, is] = [before.get(subject), after.get(subject)]
      const isRight =
        decision === 'score.changed'
          ? was?.scores.get(rule) === first['from'] && is?.scores.get(rule) === last['to']
          : was?.tags.has(rule) === (decision === 'tag.removed') &&
            is?.tags.has(rule) === (last.decision === 'tag.added')
      if (!isRight) throw new LawBroken(`${textOf(at)} ${subject}: ${decision} ${rule} is not of this instant`)
    }
  }
}

/** What was decided at an instant, by whom and what it is about. */
function changesAt(decisions: readonly Decision[], at: number): Iterable<readonly Decision[]> {
  const changes = new Map<string, Decision[]>()
  for (const one of decisions) {
    if (one.at !== at) continue
    const about = `${one.subject} ${one.rule}`
    changes.set(about, [...(changes.get(about) ?? []), one])
  }
  return changes.values()
}

function textOf(at: number): string {
  return new Date(at).toISOString()
}
