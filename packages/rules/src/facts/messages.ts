import * as z from 'zod'
import type { Conditions } from '../conditions/tree.js'
import { MESSAGE_CLASSES } from '../schemas/common.js'
import { compileEventCount } from './counts.js'
import type { FactType } from './fact.js'
import { windowParams } from './window.js'

const name = z.string().min(1).max(100).optional()

const messageParams = z.strictObject({
  journey: name.describe('Only messages of this journey.'),
  step: name.describe('Only messages of this step.'),
  template: name.describe('Only messages of this template.'),
  channel: name.describe('Only messages through this channel.'),
  class: z.enum(MESSAGE_CLASSES).optional().describe('Only messages of this class.'),
  ...windowParams,
})

/** The event that linli records when a provider has taken a message. */
const ACCEPTED = 'message_accepted'

export const messageCount: FactType<z.infer<typeof messageParams>> = {
  name: 'messageCount',
  summary: 'How many messages providers have taken for the subject.',
  params: messageParams,
  compile: ({ params, ...request }) => {
    const { journey, step, template, channel, class: messageClass, ...window } = params
    const wanted = { journey, step, template, channel, class: messageClass }
    const all = Object.entries(wanted).flatMap(([fact, value]): Conditions[] =>
      value === undefined ? [] : [{ fact, operator: 'equal', value }],
    )
    const where = all.length > 0 && { where: { all } }
    return compileEventCount({ ...request, params: { event: ACCEPTED, ...where, ...window } })
  },
}
