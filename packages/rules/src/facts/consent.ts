import * as z from 'zod'
import { consentOf } from '../consent.js'
import { channelNameSchema, MESSAGE_CLASSES } from '../schemas/common.js'
import { checkBooleanLeaf, type FactType } from './fact.js'

const consentParams = z.strictObject({
  channel: channelNameSchema.optional().describe('A channel; left out: what was said of all channels.'),
  class: z.enum(MESSAGE_CLASSES).optional().describe('A message class; left out: what was said of all classes.'),
})

export const consent: FactType<z.infer<typeof consentParams>> = {
  name: 'consent',
  summary: 'What was said last about being messaged: true or false. Nothing was said: no value.',
  params: consentParams,
  compile({ params: { channel = '*', class: messageClass = '*' }, scope, leaf }) {
    if (!checkBooleanLeaf(leaf, scope, 'Consent is given or withdrawn: compare it with true or false.'))
      return undefined
    scope.depends.consent.add(true)
    return { read: (view) => consentOf(view.consent, channel, messageClass) }
  },
}
