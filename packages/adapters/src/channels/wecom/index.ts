// The company

export { AdapterError } from '../../http/errors.js'
export { Secret } from '../../http/secret.js'
export type { AccessToken, TokenCache } from '../../wechat/access-tokens.js'
// Its channels
export { type WecomAppOptions, wecomAppChannel } from './app.js'
export { WecomCorp, type WecomCorpOptions } from './corp.js'
export { type GroupSendAddress, type WecomGroupSendOptions, wecomGroupSendChannel } from './group-send.js'
// What became of group messages
export {
  cancelGroupSend,
  findGroupSends,
  type GroupSend,
  type GroupSendRange,
  type GroupSendReceiptsOptions,
  groupSendReceipts,
  remindGroupSend,
} from './group-send-receipts.js'
export { type WecomMomentsOptions, wecomMomentsChannel } from './moments.js'
export { type WecomRobotOptions, wecomRobotChannel } from './robot.js'
export { type WecomRelation, type WecomTagsOptions, wecomTagsChannel } from './tags.js'
// Greet new customers
export { sendWelcome, type Welcome, type Welcomed } from './welcome.js'
