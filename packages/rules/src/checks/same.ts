import { NamedConditions, namedTrees } from '../conditions/named.js'
import { expandNamed } from '../conditions/predicate.js'
import type { ConditionLeaf, Conditions } from '../conditions/tree.js'
import { parseDuration } from '../duration.js'
import { canonicalJson, isObject } from '../json.js'
import type { Pack } from '../pack.js'
import { Problems, placeText } from '../problems.js'
import { below } from './expand.js'

/** Finds tags that say the same, whatever the order and the spelling. */
export function checkSameTags(pack: Pack, problems: Problems): void {
  const named = new NamedConditions(namedTrees(pack.conditions), new Problems())
  const seen = new Map<string, { readonly id: string; readonly where: string }>()
  for (const { definition, place } of pack.tags) {
    const { id, subject = 'user', conditions } = definition
    if (conditions === undefined) continue
    const text = `${subject} ${canonicalJson(plain(conditions, named))}`
    const first = seen.get(text)
    if (first === undefined) seen.set(text, { id, where: placeText(place) })
    else {
      const message = `This tag says the same as the tag "${first.id}" at ${first.where}: whoever has one has the other. Leave one of them out.`
      problems.warning(below(place, 'conditions'), 'tag.same', message, { found: id })
    }
  }
}

/** Conditions in one spelling of those that mean the same. */
function plain(written: Conditions, named: NamedConditions): unknown {
  const tree = expandNamed(written, named)
  if ('all' in tree) return list('all', tree.all, named)
  if ('any' in tree) return list('any', tree.any, named)
  if ('not' in tree) return 'not' in tree.not ? plain(tree.not.not, named) : { not: plain(tree.not, named) }
  return 'condition' in tree ? tree : plainLeaf(tree, named)
}

/** The parts in an order of their own, each once; a list of one is that one. */
function list(key: 'all' | 'any', trees: readonly Conditions[], named: NamedConditions): unknown {
  const parts = trees.map((tree) => plain(tree, named))
  const texts = new Map(parts.map((part) => [canonicalJson(part), part]))
  const sorted = [...texts.keys()].sort().map((text) => texts.get(text))
  return sorted.length === 1 ? sorted[0] : { [key]: sorted }
}

function plainLeaf({ fact, operator, value, params, path }: ConditionLeaf, named: NamedConditions): unknown {
  const compared = fact.startsWith('since') ? (parseDuration(value) ?? value) : value
  return { fact, operator, value: compared, params: params && plainParams(params, named), path }
}

/** Lengths of time in milliseconds, names of events in order, and conditions plain. */
function plainParams(params: Readonly<Record<string, unknown>>, named: NamedConditions): unknown {
  return Object.fromEntries(
    Object.entries(params).map(([key, value]) => {
      if (key === 'event') return [key, [...new Set([value].flat())].sort()]
      if (key === 'within') return [key, parseDuration(value) ?? value]
      if (key === 'between' && Array.isArray(value)) return [key, value.map((one) => parseDuration(one) ?? one)]
      if ((key === 'where' || key === 'item') && isObject(value))
        return [key, plain(value as unknown as Conditions, named)]
      return [key, value]
    }),
  )
}
