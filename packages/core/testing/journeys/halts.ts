import type { Life } from './life.js'
import type { Halted, Orphan, Run, Wish } from './words.js'

// What somebody has paused or stopped keeps people out, and things from leaving.

/** Where everything is paused, people enter. */
export function keptOutBy({ outside: { halts } }: Life, journey: string): Halted | undefined {
  return halts.get(`journey:${journey}`) ?? (halts.get('everything') === 'stopped' ? 'stopped' : undefined)
}

/** Whether a wish waits on for what it was put aside for. */
export function isAside({ outside: { halts } }: Life, { waiting }: Run | Orphan): boolean {
  if (waiting.kind !== 'wish' || waiting.aside === undefined) return false
  return halts.get(waiting.aside) === 'paused'
}

/** What keeps a wish from being done: what is stopped before what is paused, and of those what was halted first. */
export function haltOf({ outside: { halts } }: Life, { definition }: Run, wish: Wish): string | undefined {
  const channel = wish.kind === 'message' ? wish.channels[0] : undefined
  const ways = ['everything', `journey:${definition.id}`, `channel:${channel}`]
  const found = [...halts.keys()].filter((one) => ways.includes(one))
  return found.find((one) => halts.get(one) === 'stopped') ?? found[0]
}
