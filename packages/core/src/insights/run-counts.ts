import type { Decision } from '../domain/decision.js'

/** How many runs came by, of one journey. */
export interface JourneyCounts {
  readonly entered: number
  readonly goals: number
  /** By the id of the step: how many runs came to it. */
  readonly steps: ReadonlyMap<string, number>
  /** By why they ended. */
  readonly exits: ReadonlyMap<string, number>
}

/** Counts the runs of one journey, decision by decision. */
export class RunCounter {
  private entered = 0
  private goals = 0
  private readonly runs = new Map<string, Set<unknown>>()
  private readonly exits = new Map<string, number>()

  count({ decision, step, run, reason }: Decision): void {
    if (decision === 'journey.entered') this.entered += 1
    else if (decision === 'journey.goal') this.goals += run === undefined ? 0 : 1
    else if (decision === 'journey.exited') this.exits.set(String(reason), (this.exits.get(String(reason)) ?? 0) + 1)
    else if (decision === 'journey.stepped') {
      const runs = this.runs.get(String(step))
      if (runs === undefined) this.runs.set(String(step), new Set([run]))
      else runs.add(run)
    }
  }

  counts(): JourneyCounts {
    const { entered, goals, exits } = this
    return { entered, goals, exits, steps: new Map([...this.runs].map(([id, runs]) => [id, runs.size])) }
  }
}

/** Counts the runs of a journey, by its decisions. */
export async function countRuns(
  decisions: Iterable<Decision> | AsyncIterable<Decision>,
  journey: string,
): Promise<JourneyCounts> {
  const counter = new RunCounter()
  for await (const decision of decisions) if (decision.rule === journey) counter.count(decision)
  return counter.counts()
}
