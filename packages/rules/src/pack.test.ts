import { describe, expect, it } from 'vitest'
import { count, journey, leadsSomewhere, nest, problemsOf, steps, tag, template, textOf } from '../testing/packs.js'

const score = (terms: unknown, more: object = {}) => ({ kind: 'score', id: 'loyalty', terms, ...more })
const tagIs = (id: string) => ({ fact: 'tag', operator: 'equal', value: true, params: { id } })
const exit = (id: string) => ({ id, exit: {} })

/** A broken pack and what its author reads. */
const CASES: Readonly<Record<string, readonly [pack: unknown, text: string]>> = {
  'an unknown fact': [
    tag({ all: [count({ fact: 'evntCount' })] }),
    `error fact.unknown  pack.json#/conditions/all/0/fact
  There is no fact "evntCount". Known: eventCount, eventSum, eventAvg, eventMin, eventMax, itemCount, itemSum, eventDistinct, userCount, share, lift, rank, firstEvent, lastEvent, sinceFirstEvent, sinceLastEvent, messageCount, sequence, trait, relation, tag, score, consent, run, event, now. Did you mean "eventCount"?
  found: "evntCount"`,
  ],
  'an unknown operator': [
    tag(count({ operator: 'greaterThen' })),
    `error operator.unknown  pack.json#/conditions/operator
  There is no operator "greaterThen". Known: equal, notEqual, in, notIn, contains, doesNotContain, lessThan, lessThanInclusive, greaterThan, greaterThanInclusive. Did you mean "greaterThan"?
  found: "greaterThen"`,
  ],
  'an unknown decorator': [
    tag(count({ operator: 'nto:equal' })),
    `error operator.unknown  pack.json#/conditions/operator
  There is no operator decorator "nto". Known: not, swap, someFact, everyFact, someValue, everyValue. Did you mean "not"?
  found: "nto:equal"`,
  ],
  'an unknown key': [
    tag(undefined, { condtions: { all: [] } }),
    `error key.unknown  pack.json#/condtions
  There is no key "condtions" here. Known here: kind, id, name, description, subject, conditions. Did you mean "conditions"?
  found: {"all":[]}`,
  ],
  'a misspelt param': [
    tag(count({ params: { evnt: 'paid' } })),
    `error key.unknown  pack.json#/conditions/params/evnt
  There is no key "evnt" here. Known here: event, where, item, within, between, since, during. Did you mean "event"?
  found: "paid"`,
  ],
  'missing params': [
    tag({ not: { fact: 'eventSum', operator: 'greaterThan', value: 3 } }),
    `error params.missing  pack.json#/conditions/not
  "eventSum" needs "params" with "event" and "property".`,
  ],
  'a bad window': [
    tag(count({}, { within: '30 days' })),
    `error duration.invalid  pack.json#/conditions/params/within
  A window looks like "30d", "12h", "45m", "2w" or ISO 8601 such as "PT2H" or "P1DT12H".
  found: "30 days"`,
  ],
  'a bad duration of a step': [
    steps({ id: 'x', wait: '0d' }),
    `error duration.invalid  pack.json#/steps/0/wait
  A duration looks like "30d", "12h", "45m", "2w" or ISO 8601 such as "PT2H" or "P1DT12H".
  found: "0d"`,
  ],
  'an unknown template variable': [
    template('{{ trait.name }} {{ coupon.cod }}'),
    `error template.variable  pack.json#/body
  Templates have no variable "trait.name". They start with: subject, traits, entry, event, digest, coupon, community, leader, journey, unsubscribe, copy. Did you mean "traits"?
  found: "trait.name"
error template.variable  pack.json#/body
  "coupon" has no "cod". It has: code, offer, name, value, expiresAt. Did you mean "coupon.code"?
  found: "coupon.cod"`,
  ],
  'wrong template syntax, in a field whose name needs escaping': [
    template('ok', { data: { 'a/b~c': 'hello {{ traits.name' } }),
    `error template.syntax  pack.json#/data/a~1b~0c
  The template is not right: output "{{ traits.name" not closed, line 1, column 7.
  found: "hello {{ traits.name"`,
  ],
  'an unknown template filter': [
    template('{{ traits.name | upcas }}'),
    `error template.syntax  pack.json#/body
  The template is not right: undefined filter: upcas, line 1, column 1. Did you mean "upcase"?
  found: "{{ traits.name | upcas }}"`,
  ],
  'a duplicate id': [
    [tag(), tag()],
    `error id.duplicate  pack.json#/1/id
  There is already a tag "a", at pack.json#/0.
  found: "a"`,
  ],
  'unknown references': [
    [
      steps(
        { id: 'send', send: { template: 'helo', channel: 'sms', class: 'service' } },
        { id: 'issue', issue: { offer: 'coupon' } },
        { id: 'mark', tag: { add: 'vipp' } },
      ),
      tag(undefined, { id: 'vip' }),
      tag({ condition: 'lyoal' }),
      template('x', { id: 'hello' }),
      { kind: 'condition', id: 'loyal', conditions: { all: [] } },
    ],
    `error template.unknown  pack.json#/0/steps/0/send/template
  The pack has no template "helo". Did you mean "hello"?
  found: "helo"
error offer.unknown  pack.json#/0/steps/1/issue/offer
  The pack has no offer "coupon".
  found: "coupon"
error tag.unknown  pack.json#/0/steps/2/tag/add
  The pack has no tag "vipp". Did you mean "vip"?
  found: "vipp"
error condition.unknown  pack.json#/2/conditions/condition
  The pack has no condition "lyoal". Did you mean "loyal"?
  found: "lyoal"`,
  ],
  'tags that read each other in a circle': [
    ['a', 'b', 'c'].map((id, index, ids) =>
      tag({ fact: 'tag', operator: 'equal', value: true, params: { id: ids[(index + 1) % 3] } }, { id }),
    ),
    `error tag.cycle  pack.json#/0/conditions
  These tags depend on each other in a circle: a -> b -> c -> a. None of them can be decided first: let one of them not ask for the next.`,
  ],
  'a tag and a score that read each other': [
    [
      score([{ points: 1, conditions: tagIs('a') }], { id: 's' }),
      tag({ fact: 'score', operator: 'greaterThan', value: 5, params: { id: 's' } }),
    ],
    `error rule.cycle  pack.json#/1/conditions
  These tags and scores depend on each other in a circle: tag a -> score s -> tag a. None of them can be decided first: let one of them not ask for the next.`,
  ],
  'a score that reads itself': [
    score([{ points: 1, per: { fact: 'score', params: { id: 's' } } }], { id: 's' }),
    `error rule.cycle  pack.json#/terms
  These scores depend on each other in a circle: score s -> score s. None of them can be decided first: let one of them not ask for the next.`,
  ],
  'a wrong term of a score': [
    score([{ points: '5', event: 'paid' }, { points: 1 }]),
    `error value.invalid  pack.json#/terms/0/points
  This should be a number: 5 without quotes.
  found: "5"
error form.unknown  pack.json#/terms/1
  This needs one of the keys "conditions", "per", "event".
  found: "points"`,
  ],
  'terms that cannot be counted': [
    score([
      { points: 5, event: 'paid', halfLife: '30 days', item: { fact: 'sku', operator: 'equals', value: 1 } },
      { points: 1, per: { fact: 'sinceLastEvent', params: { event: 'paid' } } },
      { points: 1, per: { fact: 'eventSum', params: { of: 'community', event: 'paid', property: 'total' } } },
      { points: 1, per: { fact: 'now', params: { as: 'hour' } } },
      { points: 0.333_333_3, event: 'paid' },
    ]),
    `error duration.invalid  pack.json#/terms/0/halfLife
  A half-life looks like "30d", "12h", "45m", "2w" or ISO 8601 such as "PT2H" or "P1DT12H".
  found: "30 days"
error operator.unknown  pack.json#/terms/0/item/operator
  There is no operator "equals". Known: equal, notEqual, in, notIn, contains, doesNotContain, lessThan, lessThanInclusive, greaterThan, greaterThanInclusive. Did you mean "equal"?
  found: "equals"
error term.unfit  pack.json#/terms/1/per/fact
  "sinceLastEvent" changes all the time. Give the points under conditions: { "points", "conditions" }.
  found: "sinceLastEvent"
error relation.unfit  pack.json#/terms/2/per/params/of
  "of" is for comparisons: what a related subject is known for is whether a condition holds there.
  found: "community"
error fact.moment  pack.json#/terms/3/per/fact
  Tags, scores and conditions that are waited for are right at every instant, so one that asks for the time would change for everybody at once. Ask "now" in other conditions of journeys, or wait until a local time.
  found: "now"
error points.fine  pack.json#/terms/4/points
  Points have at most six decimals.
  found: 0.3333333`,
  ],
  'tiers of one name, or that begin at one place': [
    score([{ points: 1, event: 'paid' }], {
      tiers: [
        { id: 'gold', from: 5 },
        { id: 'gold', from: 9 },
        { id: 'top', from: 5 },
      ],
    }),
    `error tier.duplicate  pack.json#/tiers/1/id
  Two tiers are called "gold".
  found: "gold"
error tier.duplicate  pack.json#/tiers/2/from
  The tiers "gold" and "top" begin at the same points.
  found: 5`,
  ],
  'unknown scores and tiers': [
    [
      score([{ points: 1, event: 'paid' }], { tiers: [{ id: 'gold', from: 9 }] }),
      tag({ fact: 'score', operator: 'greaterThan', value: 5, params: { id: 'loyality' } }),
      tag({ fact: 'score', operator: 'equal', value: 'golt', params: { id: 'loyalty', as: 'tier' } }, { id: 'b' }),
      tag({ fact: 'score', operator: 'equal', value: 'gold', params: { id: 'loyalty' } }, { id: 'c' }),
      journey({
        entry: { on: 'score.crossed', score: 'loyality', above: 1 },
        exit: { on: 'score.crossed', score: 'loyalty', tier: 'silver' },
      }),
    ],
    `error score.unknown  pack.json#/1/conditions/params/id
  The pack has no score "loyality" for a user. Did you mean "loyalty"?
  found: "loyality"
error tier.unknown  pack.json#/2/conditions/value
  The score "loyalty" has no tier "golt". It has: gold. Did you mean "gold"?
  found: "golt"
error value.number  pack.json#/3/conditions/value
  "score" is a number; compare it with a number.
  found: "gold"
error score.unknown  pack.json#/4/entry/score
  The pack has no score "loyality" for a user. Did you mean "loyalty"?
  found: "loyality"
error tier.unknown  pack.json#/4/exit/tier
  The score "loyalty" has no tier "silver". It has: gold.
  found: "silver"`,
  ],
  'a crossing of two lines at once': [
    [
      score([{ points: 1, event: 'paid' }]),
      journey({ entry: { on: 'score.crossed', score: 'loyalty', above: 1, below: 5 } }),
    ],
    `error crossing.one  pack.json#/1/entry
  A crossing is one of "above": points, "below": points and "tier": the id of a tier.
  found: {"on":"score.crossed","score":"loyalty","above":1,"below":5}`,
  ],
  'the time of day in a tag': [
    tag({ fact: 'now', operator: 'greaterThan', value: '18:00', params: { as: 'time' } }),
    `error fact.moment  pack.json#/conditions/fact
  Tags, scores and conditions that are waited for are right at every instant, so one that asks for the time would change for everybody at once. Ask "now" in other conditions of journeys, or wait until a local time.
  found: "now"`,
  ],
  'times that are none': [
    steps({
      id: 'x',
      branch: [
        { conditions: { fact: 'now', operator: 'lessThan', value: '9:30', params: { as: 'time' } }, then: [exit('a')] },
        {
          conditions: { fact: 'now', operator: 'equal', value: 'Monday', params: { as: 'weekday' } },
          then: [exit('b')],
        },
        {
          conditions: { fact: 'now', operator: 'equal', value: 1, params: { as: 'day', timeZone: 'Asia/Shanghia' } },
          then: [exit('c')],
        },
      ],
    }),
    `error value.time  pack.json#/steps/0/branch/0/conditions/value
  A time to compare with looks like "09:30".
  found: "9:30"
error value.number  pack.json#/steps/0/branch/1/conditions/value
  "now" is a number; compare it with a number.
  found: "Monday"
error timeZone.unknown  pack.json#/steps/0/branch/2/conditions/params/timeZone
  This is no IANA time zone, such as "Asia/Shanghai".
  found: "Asia/Shanghia"`,
  ],
  'unknown journeys and steps': [
    [
      journey(),
      tag({ fact: 'run', operator: 'equal', value: true, params: { journey: 'welcom' } }),
      tag({ fact: 'run', operator: 'equal', value: true, params: { journey: 'j', step: 'y' } }, { id: 'b' }),
      tag({ fact: 'run', operator: 'equal', value: 'x', params: { journey: 'j' } }, { id: 'c' }),
    ],
    `error journey.unknown  pack.json#/1/conditions/params/journey
  The pack has no journey "welcom" for a user.
  found: "welcom"
error step.unknown  pack.json#/2/conditions/params/step
  The journey "j" has no step "y". Did you mean "x"?
  found: "y"
error value.boolean  pack.json#/3/conditions/value
  Somebody is in a journey or not: compare it with true or false.
  found: "x"`,
  ],
  'consent that is neither given nor withdrawn': [
    tag({ fact: 'consent', operator: 'equal', value: 'yes', params: { class: 'promo' } }),
    `error value.unknown  pack.json#/conditions/params/class
  This should be one of "service", "content", "promotion". Did you mean "promotion"?
  found: "promo"`,
  ],
  'named conditions that refer to each other in a circle': [
    ['a', 'b'].map((id, index, ids) => ({
      kind: 'condition',
      id,
      conditions: { all: [{ condition: ids[1 - index] }, { condition: ids[1 - index] }] },
    })),
    `error condition.cycle  pack.json#/0/conditions/all/0/condition
  Named conditions refer to each other in a circle: b -> a -> b.
  found: "b"
error condition.cycle  pack.json#/0/conditions/all/1/condition
  Named conditions refer to each other in a circle: b -> a -> b.
  found: "b"`,
  ],
  'an empty "any"': [
    tag({ all: [{ any: [] }] }),
    `error conditions.emptyAny  pack.json#/conditions/all/0/any
  An empty "any" is ambiguous: json-rules-engine calls it true. Leave it out, or write the conditions it should have.
  found: []`,
  ],
  'a wrong kind': [
    { kind: 'jorney', id: 'x' },
    `error kind.unknown  pack.json#/kind
  "kind" should be one of tag, score, condition, journey, template, offer, policy, history, test. Did you mean "journey"?
  found: "jorney"`,
  ],
  'a kind that is no text, nor to be made one': [
    { kind: { toString: 'no function' }, id: 'x' },
    `error kind.unknown  pack.json#/kind
  "kind" should be one of tag, score, condition, journey, template, offer, policy, history, test.
  found: {"toString":"no function"}`,
  ],
  'no kind': [
    [{ id: 'x' }],
    `error key.missing  pack.json#/0
  "kind" is missing; it should be one of tag, score, condition, journey, template, offer, policy, history, test.`,
  ],
  'what is no object': [
    [tag(), 'tag'],
    `error object.expected  pack.json#/1
  A rule is a JSON object with "kind" and "id".
  found: "tag"`,
  ],
  'an unknown entry': [
    journey({ entry: { on: 'evnt' } }),
    `error value.unknown  pack.json#/entry/on
  This should be one of "event", "tag.added", "tag.removed", "score.crossed", "start", "schedule", "api". Did you mean "event"?
  found: "evnt"`,
  ],
  'an unknown step verb': [
    steps({ id: 'x', sned: { template: 't' } }),
    `error form.unknown  pack.json#/steps/0/sned
  This needs one of the keys "wait", "waitFor", "branch", "split", "send", "issue", "suggest", "tag", "set", "emit", "start", "digest", "exit". Did you mean "send"?
  found: "id, sned"`,
  ],
  'several things that are waited for': [
    steps({
      id: 's',
      waitFor: {
        any: [
          { id: 'a', event: 'x' },
          { id: 'a', conditions: { fact: 'now', params: { as: 'hour' }, operator: 'equal', value: 9 } },
          { id: 'c' },
        ],
        timeout: '1d',
      },
    }),
    `error form.unknown  pack.json#/steps/0/waitFor/any/2
  This needs one of the keys "event", "conditions".
  found: "id"`,
  ],
  'cases of one name, and the time of day among them': [
    steps({
      id: 's',
      waitFor: {
        any: [
          { id: 'a', event: 'x' },
          { id: 'a', conditions: { fact: 'now', params: { as: 'hour' }, operator: 'equal', value: 9 } },
        ],
        timeout: '1d',
      },
    }),
    `error fact.moment  pack.json#/steps/0/waitFor/any/1/conditions/fact
  Tags, scores and conditions that are waited for are right at every instant, so one that asks for the time would change for everybody at once. Ask "now" in other conditions of journeys, or wait until a local time.
  found: "now"
error case.duplicate  pack.json#/steps/0/waitFor/any/1/id
  Two cases are called "a".
  found: "a"`,
  ],
  'steps after several things that are waited for': [
    steps({ id: 's', waitFor: { any: [{ id: 'a', event: 'x' }], timeout: '1d' }, then: [{ id: 't', wait: '1d' }] }),
    `error waitFor.then  pack.json#/steps/0/then
  Of several things that are waited for, each has its own "then". Put these steps there.
  found: ["any","timeout"]`,
  ],
  'a step without a verb': [
    steps({ id: 'x' }),
    `error form.unknown  pack.json#/steps/0
  This needs one of the keys "wait", "waitFor", "branch", "split", "send", "issue", "suggest", "tag", "set", "emit", "start", "digest", "exit".
  found: "id"`,
  ],
  'missing keys': [
    steps({ id: 'x', send: {} }),
    `error key.missing  pack.json#/steps/0/send
  "template" is missing; it should be text.
error key.missing  pack.json#/steps/0/send
  "channel" is missing; it should be text or a list.
error key.missing  pack.json#/steps/0/send
  "class" is missing; it should be one of "service", "content", "promotion".`,
  ],
  'a misspelt key that is then missing, said once': [
    steps({ id: 'x', send: { tempalte: 't', channel: 'sms', class: 'promo' } }),
    `error value.unknown  pack.json#/steps/0/send/class
  This should be one of "service", "content", "promotion". Did you mean "promotion"?
  found: "promo"
error key.unknown  pack.json#/steps/0/send/tempalte
  There is no key "tempalte" here. Known here: template, channel, class. Did you mean "template"?
  found: "t"`,
  ],
  'numbers where text is right, and text where numbers are': [
    [steps({ id: 7, wait: 3 }), { kind: 'offer', id: 'o', total: '100' }],
    `error value.invalid  pack.json#/0/steps/0/id
  This should be text.
  found: 7
error value.invalid  pack.json#/0/steps/0/wait
  This should be text or { "until": … } or { "trait": … }.
  found: 3
error value.invalid  pack.json#/1/total
  This should be a number: 100 without quotes.
  found: "100"`,
  ],
  'a value out of bounds': [
    journey({ holdout: 20, steps: [] }),
    `error value.invalid  pack.json#/holdout
  This should be at most 1.
  found: 20
error value.invalid  pack.json#/steps
  This list is empty.
  found: []`,
  ],
  'a number in quotes, to order by': [
    tag({ fact: 'trait', operator: 'greaterThan', value: '3', params: { name: 'age' } }),
    `error value.number  pack.json#/conditions/value
  "greaterThan" needs a number (or a date or a duration in text) as value. Write 3 without quotes.
  found: "3"`,
  ],
  'a threshold beyond what is kept': [
    tag(count({ value: 10_001 }, { within: '30d' })),
    `error threshold.large  pack.json#/conditions/value
  A count in a window, or of different values, can be compared with at most 10000.
  found: 10001`,
  ],
  'a list where one number is meant': [
    tag(count({ value: [1, 2] })),
    `error value.number  pack.json#/conditions/value
  "eventCount" is a number; compare it with a number.
  found: [1,2]`,
  ],
  'keys that reach a prototype': [
    JSON.parse('{"kind":"tag","id":"a","__proto__":{"x":1},"conditions":{"all":[],"constructor":1}}'),
    `error key.forbidden  pack.json#/__proto__
  This key is never allowed.
  found: "__proto__"
error key.forbidden  pack.json#/conditions/constructor
  This key is never allowed.
  found: "constructor"`,
  ],
  'conditions that nest too deep': [
    tag(nest(20, { all: [] }, (inner) => ({ not: inner }))),
    `error conditions.size  pack.json#/conditions
  Conditions have at most 16 levels and 500 parts.
  found: "21 levels, 21 parts"`,
  ],
  'too many conditions': [
    tag({ all: Array.from({ length: 600 }, () => count()) }),
    `error conditions.size  pack.json#/conditions
  Conditions have at most 16 levels and 500 parts.
  found: "2 levels, 601 parts"
error conditions.size  pack.json#/conditions
  Conditions have at most 500 parts, those of named conditions included.
  found: "601 parts"`,
  ],
  'a value that is too long': [
    tag({ fact: 'trait', operator: 'equal', value: 'x'.repeat(5000), params: { name: 'city' } }),
    `error value.invalid  pack.json#/conditions/value
  This text has at most 1024 characters.
  found: "${'x'.repeat(76)}...`,
  ],
}

describe('a pack that is not right', () => {
  it.each(Object.entries(CASES))('says where and what is wrong of %s', (_, [pack, text]) => {
    expect(textOf(problemsOf(pack))).toBe(text)
  })

  it.each(Object.entries(CASES))('points at a place that exists, without "undefined", for %s', (_, [pack]) => {
    for (const problem of problemsOf(pack)) {
      expect(leadsSomewhere(problem.pointer, pack), problem.pointer).toBe(true)
      expect(problem.message).toMatch(/^["A-Z].*[.?]$/)
      expect(JSON.stringify(problem)).not.toMatch(/undefined"|\bat .*:\d+:\d+/)
    }
  })

  it('is told everything that is wrong in one go, whatever the kind of mistake', () => {
    const pack = [
      {
        ...steps({ id: 'x', sned: {} }, { id: 'y', send: { template: 'nope', channel: 'sms', class: 'service' } }),
        typo: 1,
      },
      tag({ all: [{ fact: 'eventCount', operatr: 'equal', value: 1 }, count({ fact: 'evntCount' }), { any: [] }] }),
      tag({ fact: 'tag', operator: 'equal', value: 'yes', params: { id: 'a' } }, { id: 'b' }),
      template('{{ nope }}'),
      { kind: 'offer', id: 'o', total: 0 },
      { kind: 'policy', id: 'p', quietHours: { from: '22:00', to: '08:00', timeZone: 'Asia/Shanghia' } },
    ]
    expect(problemsOf(pack).map(({ code, pointer }) => `${code} ${pointer}`)).toEqual([
      'form.unknown /0/steps/0/sned',
      'template.unknown /0/steps/1/send/template',
      'key.unknown /0/typo',
      'key.unknown /1/conditions/all/0/operatr',
      'fact.unknown /1/conditions/all/1/fact',
      'conditions.emptyAny /1/conditions/all/2/any',
      'value.boolean /2/conditions/value',
      'template.variable /3/body',
      'value.invalid /4/total',
      'timeZone.unknown /5/quietHours/timeZone',
    ])
  })

  it('is not told that something is missing that is only wrong itself', () => {
    const pack = [tag({ fact: 'tag', operator: 'equal', value: true, params: { id: 'b' } }), tag({}, { id: 'b' })]
    expect(problemsOf(pack).map(({ code }) => code)).toEqual(['form.unknown'])
  })
})
