import { namedTrees } from '../conditions/named.js'
import type { ConditionLeaf, Conditions } from '../conditions/tree.js'
import { isObject } from '../json.js'
import type { Pack } from '../pack.js'
import type { Place } from '../problems.js'
import { rootsOf, termsOf } from './roots.js'

type Params = Readonly<Record<string, unknown>>

/** A fact as a rule uses it, and where it stands. */
export interface UseAt {
  readonly fact: string
  readonly params: Params
  readonly place: Place
  /** The comparison that it stands in; undefined where it is a value by itself. */
  readonly leaf: ConditionLeaf | undefined
}

/** Every fact about a subject that a pack's rules use; one in named conditions once. */
export function usesOf(pack: Pack): readonly UseAt[] {
  const named = namedTrees(pack.conditions)
  const seen = new Set<string>()
  const usesIn = (tree: Conditions, place: Place): UseAt[] => {
    const below = (part: Conditions, tokens: string) =>
      usesIn(part, { file: place.file, pointer: `${place.pointer}/${tokens}` })
    if ('all' in tree) return tree.all.flatMap((part, index) => below(part, `all/${index}`))
    if ('any' in tree) return tree.any.flatMap((part, index) => below(part, `any/${index}`))
    if ('not' in tree) return below(tree.not, 'not')
    if ('condition' in tree) {
      const target = named.get(tree.condition)
      if (target === undefined || seen.has(tree.condition)) return []
      seen.add(tree.condition)
      return usesIn(target.conditions, target.place)
    }
    const { fact, params = {}, value } = tree
    return [
      { fact, params, place, leaf: tree },
      ...referenced(params['by'], { ...place, pointer: `${place.pointer}/params/by` }),
      ...referenced(value, { ...place, pointer: `${place.pointer}/value` }),
    ]
  }
  const terms = termsOf(pack).flatMap(({ term, place }): UseAt[] => {
    return 'per' in term ? referenced(term.per, { ...place, pointer: `${place.pointer}/per` }) : []
  })
  return [...rootsOf(pack).flatMap(({ conditions, place }) => usesIn(conditions, place)), ...terms]
}

function referenced(value: unknown, place: Place): UseAt[] {
  if (!isObject(value) || typeof value['fact'] !== 'string') return []
  const params = isObject(value['params']) ? value['params'] : {}
  return [{ fact: value['fact'], params, place, leaf: undefined }]
}
