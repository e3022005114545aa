export { AdapterError } from '../../http/errors.js'
export { Secret } from '../../http/secret.js'
export { type EmailOptions, emailChannel, type SmtpOptions } from './channel.js'
export { escapeHtml, type UnsubscribeLinks } from './message.js'
