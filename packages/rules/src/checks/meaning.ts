import type { Pack } from '../pack.js'
import { inReadingOrder, type Problem, Problems } from '../problems.js'
import { checkHistory } from './history.js'
import { warnAbout } from './warnings.js'

/**
 * What is allowed but cannot be meant, or is seldom meant. A pack that is not right otherwise is checked less: of what
 * does not fit together nobody knows what it means.
 */
export function checkMeaning(pack: Pack, problems: Problems): void {
  const right = !problems.hasErrors
  warnAbout(pack, problems)
  if (!right) return
  checkHistory(pack, problems)
}

/**
 * What cannot be meant, or is seldom meant, in a pack made in code: what `checkPack` finds in files beyond what
 * `definePack` refuses.
 */
export function reviewPack(pack: Pack): readonly Problem[] {
  const problems = new Problems()
  checkMeaning(pack, problems)
  return inReadingOrder(problems.list)
}
