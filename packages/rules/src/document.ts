import { LIMITS, measureConditions } from './conditions/tree.js'
import { FORBIDDEN_KEYS, isObject, pointerTo, walkJson } from './json.js'
import type { Place, Problems } from './problems.js'

/** How deep a rule file may nest. */
const FILE_DEPTH = 64

/**
 * Looks at a document before anything walks it by recursion. Prototype keys and oversized conditions are reported;
 * false when it nests so deep that it must not be walked at all.
 */
export function checkDocument(document: unknown, { file, pointer: base }: Place, problems: Problems): boolean {
  let tooDeep = false
  walkJson(document, (node, below, depth) => {
    if (tooDeep) return 'enough'
    const place = { file, pointer: base + below }
    tooDeep = depth > FILE_DEPTH
    if (tooDeep) problems.error(place, 'file.depth', `Rules nest at most ${FILE_DEPTH} levels of JSON.`)
    else if (isObject(node)) checkKeys(node, place, problems)
    return tooDeep ? 'enough' : 'deeper'
  })
  return !tooDeep
}

/** Reports conditions that are larger than any that people can follow. */
export function checkSize(tree: unknown, place: Place, problems: Problems): void {
  const { depth, nodes } = measureConditions(tree)
  if (depth <= LIMITS.depth && nodes <= LIMITS.nodes) return
  const message = `Conditions have at most ${LIMITS.depth} levels and ${LIMITS.nodes} parts.`
  problems.error(place, 'conditions.size', message, { found: `${depth} levels, ${nodes} parts` })
}

function checkKeys(node: Readonly<Record<string, unknown>>, place: Place, problems: Problems): void {
  for (const key of Object.keys(node)) {
    const at = { ...place, pointer: pointerTo(place.pointer, key) }
    if (FORBIDDEN_KEYS.has(key)) problems.error(at, 'key.forbidden', 'This key is never allowed.', { found: key })
    if (key === 'conditions' || key === 'where' || key === 'item') checkSize(node[key], at, problems)
  }
}
