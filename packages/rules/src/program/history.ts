import { DURATION_FORMS, parseDuration } from '../duration.js'
import type { Located } from '../pack.js'
import { type Problems, placeText } from '../problems.js'
import type { HistoryDefinition } from '../schemas/definitions.js'
import type { History } from './program.js'

/** How long a pack says that events are kept; undefined where it does not say, or after an error has been reported. */
export function compileHistory(
  histories: readonly Located<HistoryDefinition>[],
  problems: Problems,
): History | undefined {
  const [first, ...others] = histories
  if (first === undefined) return undefined
  for (const { definition, place } of others) {
    const said = `There is already a history, at ${placeText(first.place)}, which keeps events for ${first.definition.keep}.`
    problems.error(place, 'history.several', `${said} A pack has one.`, { found: definition.keep })
  }
  const keepMs = parseDuration(first.definition.keep)
  if (keepMs !== undefined) return { keepMs }
  const at = { ...first.place, pointer: `${first.place.pointer}/keep` }
  problems.error(at, 'duration.invalid', `A duration looks like ${DURATION_FORMS}.`, { found: first.definition.keep })
  return undefined
}
