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

/** The whole campaign, what is cheap first. */
export const PARTS: readonly Part[] = [
  TIME,
  MODEL,
  PROVIDERS,
  ERASURE,
  MALFORMED,
  RACES,
  LONG_TRANSACTION,
  IN_MEMORY,
  ON_PGLITE,
  FOLDER,
  DATABASE,
  POINTS,
  STOPPED,
  SEEDED_BUGS,
  KILLED,
  UNANSWERED,
  REDIS,
]
