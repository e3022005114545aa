import type { Part } from './part.js'
import { MODEL } from './parts/model.js'
import { POINTS } from './parts/points.js'
import { SEEDED_BUGS } from './parts/seeded-bugs.js'
import { DATABASE, KILLED, REDIS, STOPPED, UNANSWERED } from './parts/storms.js'
import { TIME } from './parts/time.js'

/** The whole campaign, what is cheap first. */
export const PARTS: readonly Part[] = [TIME, MODEL, DATABASE, POINTS, STOPPED, SEEDED_BUGS, KILLED, UNANSWERED, REDIS]
