import type { Place, Problems } from '../problems.js'
import type { PolicyDefinition } from '../schemas/definitions.js'
import { DEFAULT_ZONE } from '../time-zone.js'
import type { Budget } from './program.js'
import { compileSendWindow } from './send-window.js'

type BudgetDefinition = Extract<PolicyDefinition, { budget: unknown }>['budget']

const MILLION = 1_000_000

/** Reads a budget; undefined after an error has been reported. */
export function compileBudget(definition: BudgetDefinition, place: Place, problems: Problems): Budget | undefined {
  const { within, during, timeZone = DEFAULT_ZONE, of, journeys } = definition
  const limit = limitOf(definition, place, problems)
  const isForEver = within === undefined && during === undefined
  const window = isForEver ? undefined : compileSendWindow({ within, during, timeZone }, place, problems)
  if (limit === undefined || (window === undefined && !isForEver)) return undefined
  return { ...limit, window, journeys: journeys && new Set(journeys), of }
}

function limitOf(
  { messages, money, costs, channels }: BudgetDefinition,
  place: Place,
  problems: Problems,
): Pick<Budget, 'max' | 'costs'> | undefined {
  const error = (code: string, text: string, found: unknown) => {
    problems.error(place, code, text, { found })
    return undefined
  }
  if ((messages === undefined) === (money === undefined)) {
    const text = 'A budget is either of "messages", such as 5000, or of "money", such as 200 with what messages cost.'
    return error('budget.one', text, { messages, money })
  }
  if (messages !== undefined) {
    if (costs === undefined) return { max: messages, costs: undefined }
    return error('budget.costs', 'A budget of messages has no "costs": each counts one.', costs)
  }
  if (costs === undefined || Object.keys(costs).length === 0) {
    const text = 'A budget of money says what one message costs, such as "costs": { "sms": 0.05 }.'
    return error('budget.costs', text, costs)
  }
  if (channels !== undefined) {
    const text = 'A budget of money is about the channels that its "costs" name: leave out "channels".'
    return error('budget.channels', text, channels)
  }
  const inMillionths = Object.entries(costs).map(([channel, cost]) => [channel, millionths(cost)] as const)
  const odd = [money ?? 0, ...Object.values(costs)].find((amount) => !isExact(amount))
  if (odd !== undefined) return error('budget.precision', 'Money has at most six places after the point.', odd)
  return { max: millionths(money ?? 0), costs: new Map(inMillionths) }
}

function millionths(amount: number): number {
  return Math.round(amount * MILLION)
}

function isExact(amount: number): boolean {
  return millionths(amount) / MILLION === amount
}
