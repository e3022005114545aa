// The mini-program

export { AdapterError } from '../../http/errors.js'
export { Secret } from '../../http/secret.js'
export type { AccessToken, TokenCache } from '../../wechat/access-tokens.js'
export { MiniProgram, type MiniProgramOptions } from './app.js'
export {
  type ConsentLedger,
  type ConsentName,
  type LedgerPool,
  memoryLedger,
  postgresLedger,
  recordConsents,
  type SubscribeResults,
} from './ledger.js'
// Its messages
export { type SubscribeMessageOptions, subscribeMessageChannel } from './subscribe-message.js'
// Links that lead into it
export { type UrlLinkOptions, urlLink } from './url-link.js'
