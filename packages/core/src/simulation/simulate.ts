import type { Pack } from '@linli/rules'
import type { Decision } from '../domain/decision.js'
import { type DeliveryOutcomes, fateOf } from './outcomes.js'
import { endOf, type History, playTo, type SimulationRun, Simulator } from './simulator.js'
import type { Simulation } from './tally.js'

export interface SimulateOptions {
  readonly rules: Pack
  /** In the order they happened. */
  readonly events: History
  /** How far the simulation goes; to the last event when left out. ISO 8601 or milliseconds. */
  readonly until?: string | number
  /** What becomes of messages; all are accepted at once when left out. */
  readonly outcomes?: DeliveryOutcomes
  /** Told of every decision, in time order. */
  readonly onDecision?: (decision: Decision) => void
  /** Told how many events were taken in. */
  readonly onProgress?: (events: number) => void
  /** Keeps events and decisions, for those who look into it afterwards. */
  readonly keep?: boolean
}

/** Runs the real engine over events under a virtual clock. Nothing is sent; every channel accepts, or does as `outcomes` say. */
export async function simulate(options: SimulateOptions): Promise<Simulation> {
  const { world, result } = await runSimulation(options)
  await world.close()
  return result
}

/** Like `simulate`, but leaves the world open. The caller closes it. */
export async function runSimulation(options: SimulateOptions): Promise<SimulationRun> {
  const simulator = new Simulator(options, fateOf(options.outcomes, [options.rules]))
  const end = endOf(options.until)
  await playTo([simulator], options.events, end)
  return simulator.end(end)
}
