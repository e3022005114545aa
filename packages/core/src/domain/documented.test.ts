import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { documentedRows } from '../../testing/documented.js'

/** The tables of "Write a journey" whose tests stand elsewhere: for each line, the name of its test. */
const TABLES = [
  {
    heading: '`entry`',
    files: [
      'entry.test.ts',
      'schedules.test.ts',
      'starts.test.ts',
      '../ingest/entry-request.test.ts',
      'scores.test.ts',
    ],
    tests: {
      '`{ "on": "event", "event", "conditions" }`': 'happens only when the conditions about the event hold',
      '`{ "on": "tag.added", "tag", "conditions" }`, `"tag.removed"`':
        'happens with a tag that time alone takes off, at that instant',
      '`{ "on": "score.crossed", "score", … }`': 'asks its conditions then',
      '`{ "on": "start", "conditions" }`': 'begins a run of another journey, and goes on at once',
      '`{ "on": "api", "conditions" }`':
        'asks its conditions, over the request and over the person, and has a key of the request',
      '`{ "on": "schedule", "schedule", "start", "timeZone", "conditions" }`': 'is entered by its audience only',
    },
  },
  {
    heading: '`reentry`',
    files: ['entry.test.ts'],
    tests: {
      '`"oneAtATime"`': 'oneAtATime: is possible as soon as the run has ended',
      '`"never"`': 'never: is never possible',
      '`{ "after": "30d" }`': 'after: is possible exactly that long after the last entry',
      '`"always"`': 'always: is possible while one is in it',
    },
  },
  {
    heading: 'who is in a run of the group',
    files: ['exclusive.test.ts', 'merge.test.ts'],
    tests: {
      'of the same priority, or of a higher': 'hold who is in one of a higher priority',
      'of a lower priority': 'end the run of a lower priority, and say which journey it gave way to',
      'and is kept out of the other by a holdout': 'end nothing for somebody who is kept out',
      'and turns out to be somebody who is in one, too': 'stay in that of the higher priority, or in the older one',
    },
  },
  {
    heading: 'what you publish',
    files: ['../subjects/earlier-runs.test.ts'],
    tests: {
      'the journey, changed; `"earlier": "drain"`, or nothing': 'go on as they began, when it does not say',
      'the journey, changed, with `"earlier": "stop"`': 'end at the instant of the publication, with "stop"',
      'the journey, changed, with `"earlier": { "moveTo": "push" }`':
        'go on at the step that "moveTo" names, by the new definition',
      'the same definition again, also with `earlier`': 'go on where the definition stayed the same',
      'a pack without the journey': 'go on, with the journey gone, as long as the rules leave them a way',
      'a pack that lacks what they need: a template, an offer, a tag':
        'end, with the journey gone, where the rules leave them no way',
    },
  },
]

describe.each(TABLES)('the table "$heading" of "Write a journey"', ({ heading, files, tests }) => {
  const written = files.map((file) => readFileSync(new URL(file, import.meta.url), 'utf8')).join('\n')

  it('has a test for each of its lines, with a name of its own', () => {
    expect(documentedRows(heading)).toEqual(Object.keys(tests))
    expect(Object.values(tests).filter((name) => !written.includes(`it('${name}'`))).toEqual([])
  })
})
