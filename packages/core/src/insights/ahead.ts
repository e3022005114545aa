import type { SubjectKey } from '../domain/subject.js'
import type { Scene } from './neighbourhood.js'
import type { Picture } from './picture.js'

/** How many changes are followed: some rules, such as a score of many events, change often before they turn. */
const MOST_CHANGES = 10_000

/**
 * When what is seen in a subject's picture becomes something else if nothing new happens; infinity when it never does. It goes from
 * change to change of whatever it depends on, in the subject and in those it is related to. A run that waits counts as
 * something that changes when the wait ends.
 */
export function turnsAt(scene: Scene, key: SubjectKey, see: (picture: Picture) => unknown): number {
  const first = scene.pictureOf(key)
  if (first === undefined) return Number.POSITIVE_INFINITY
  const seen = see(first)
  let at = first.certainUntil
  for (let changes = 1; changes < MOST_CHANGES && Number.isFinite(at); changes++) {
    const picture = scene.pictureOf(key, at)
    if (picture === undefined || see(picture) !== seen) return at
    at = picture.certainUntil
  }
  return at
}
