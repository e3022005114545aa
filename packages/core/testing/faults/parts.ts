import type { Part } from './part.js'
import { ERASURE } from './parts/erasure.js'
import { FOLDER } from './parts/folder.js'
import { LONG_TRANSACTION } from './parts/long-transaction.js'
import { MALFORMED } from './parts/malformed.js'
import { MODEL } from './parts/model.js'
import { POINTS } from './parts/points.js'
import { PROVIDERS } from './parts/providers.js'
import { RACES } from './parts/races.js'
import { SEEDED_BUGS } from './parts/seeded-bugs.js'
import { IN_MEMORY, ON_PGLITE } from './parts/simulations.js'
import { DATABASE, KILLED, REDIS, STOPPED, UNANSWERED } from './parts/storms.js'
import { TIME } from './parts/time.js'

/** The whole campaign. What takes long comes first, so that those that run beside each other end together. */
export const PARTS: readonly Part[] = [
  IN_MEMORY,
  KILLED,
  ON_PGLITE,
  SEEDED_BUGS,
  TIME,
  UNANSWERED,
  MALFORMED,
  POINTS,
  MODEL,
  STOPPED,
  DATABASE,
  REDIS,
  FOLDER,
  RACES,
  ERASURE,
  PROVIDERS,
  LONG_TRANSACTION,
]

/** They measure how much is done in a second, and want the machine for themselves. */
export const ALONE: ReadonlySet<string> = new Set(['T16'])
